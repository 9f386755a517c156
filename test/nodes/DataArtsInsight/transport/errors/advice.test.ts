import {
	adviceFor,
	STOPPED,
	whyNotConnected,
} from '../../../../../nodes/DataArtsInsight/transport/errors/advice';
import { ProxyRefusal } from '../../../../../nodes/DataArtsInsight/transport/network/connector';

describe('adviceFor', () => {
	it.each([
		['DataArtsInsight.20010003', 'grant this IAM user the permissions'],
		['DataArtsInsight.24010003', 'name or ID of the endpoint service'],
		['DataArtsInsight.24010043', 'permission for data connections'],
		['DataArtsInsight.24150004', 'normal state'],
		['DataArtsInsight.24150005', 'Copy the ID of a workspace'],
		['APIGW.0101', 'does not offer this API'],
		['APIGW.0103', 'no service behind it'],
		['APIGW.0201', 'Check the values of the node'],
		['APIGW.0302', 'grant this IAM user the permissions'],
		['APIGW.0307', 'of another region or has to be renewed'],
		['APIGW.0308', 'lower Max Concurrency'],
		['APIGW.0310', 'project cannot be used with this token'],
		['APIGW.0401', 'cannot tell the address'],
		['APIGW.0402', 'allow the address'],
		['APIGW.0501', 'quota of this API is used up'],
		['APIGW.0502', 'quota of this API is frozen'],
		['APIGW.0613', 'IAM is not available'],
		['APIGW.0801', 'not available to you in this region'],
		['APIGW.0802', 'user is not available in this region'],
		['IAM.0002', 'grant this IAM user the permissions'],
		['IAM.0003', 'grant this IAM user the permissions'],
		['IAM.0012', 'lower Max Concurrency'],
		['IAM.0061', 'account is locked'],
		['IAM.0062', 'did not accept the password'],
		['IAM.0081', 'programmatic access'],
		['IAM.0082', 'user is disabled'],
		['EndPoint.0022', 'lower Max Concurrency'],
		['EndPoint.2003', 'name or ID of the endpoint service'],
		['EndPoint.2004', 'endpoint service is not available'],
		['EndPoint.2012', 'whitelist'],
		['EndPoint.2014', 'connected already'],
		['EndPoint.2019', 'being created'],
		['EndPoint.2022', 'could not be created'],
		['EndPoint.3062', "Check 'Endpoint Service ID'"],
	])('on %s comes before that on the status: %s', (code, words) => {
		for (const status of [400, 401, 403, 404, 429, 500]) expect(adviceFor(code, status)).toContain(words);
	});

	it.each([0, 1, 2, 3, 10, 11, 12, 20, 21, 22])(
		'on DataArtsInsight.241500%d is about the workspace',
		(number) => {
			expect(adviceFor(`DataArtsInsight.${String(24_150_000 + number)}`, 400)).toContain(
				"compare its ID with 'Workspace ID'",
			);
		},
	);

	it('on a dedicated gateway is that on the shared one', () => {
		for (const number of ['0101', '0308', '0613']) {
			expect(adviceFor(`APIG.${number}`, 400)).toBe(adviceFor(`APIGW.${number}`, 400));
		}
		for (const code of ['MyAPIG.0308', 'APIG-0308', 'APIGx0308', 'x.APIG.0308']) {
			expect(adviceFor(code, 400)).toBe('Check the values of the node and of the credential');
		}
	});

	it.each([
		[200, 'Check the values'],
		[400, 'Check the values'],
		[403, 'grant this IAM user the permissions'],
		[404, "'Project ID' and 'Workspace ID'"],
		[407, 'HTTPS_PROXY'],
		[418, 'Check the values'],
		[429, 'lower Max Concurrency'],
		[499, 'Check the values'],
		[500, 'The service could not handle the call'],
		[501, 'The service could not handle the call'],
		[503, 'The service could not handle the call'],
	])('on an unknown code goes by HTTP %d: %s', (status, words) => {
		expect(adviceFor('Unknown.1', status)).toContain(words);
		expect(adviceFor(`HTTP_${status}`, status)).toContain(words);
	});

	it('says nothing of a bare 401: that depends on how the caller proves who they are', () => {
		expect(adviceFor('HTTP_401', 401)).toBeUndefined();
		expect(adviceFor('APIGW.0301', 401)).toBeUndefined();
		expect(adviceFor('APIGW.0301', 400)).toContain('Check the values');
	});
});

describe('STOPPED', () => {
	it.each([
		['timeout', 'TIMEOUT', 'did not answer in time', "Raise 'Timeout'"],
		['tooLarge', 'ANSWER_TOO_LARGE', 'larger than 1 MiB', 'custom address'],
		['headersTooLarge', 'ANSWER_TOO_LARGE', 'larger than 128 KiB', 'custom address'],
		['cancelled', 'CANCELLED', 'was canceled', 'Start the workflow again'],
	] as const)('has words for %s', (reason, code, message, advice) => {
		expect(STOPPED[reason]).toEqual({
			code,
			message: expect.stringContaining(message) as string,
			advice: expect.stringContaining(advice) as string,
		});
	});
});

describe('whyNotConnected', () => {
	const why = (code?: string) => whyNotConnected(Object.assign(new Error('x'), { code }));

	it.each([
		['ENOTFOUND', 'host name could not be resolved', 'name resolution'],
		['EAI_AGAIN', 'host name could not be resolved', 'name resolution'],
		['ECONNREFUSED', 'it was refused', 'above all the port'],
		['ETIMEDOUT', 'did not answer', 'firewall'],
		['EHOSTUNREACH', 'did not answer', 'firewall'],
		['ENETUNREACH', 'did not answer', 'firewall'],
		['UND_ERR_CONNECT_TIMEOUT', 'did not answer', 'firewall'],
		['ECONNRESET', 'it broke off (ECONNRESET)', 'the network between'],
		['ERR_SSL_WRONG_VERSION_NUMBER', 'it broke off (ERR_SSL_WRONG_VERSION_NUMBER)', 'the network between'],
		['X_CERT_HAS_EXPIRED', 'it broke off (X_CERT_HAS_EXPIRED)', 'the network between'],
		['UNABLE_TO_DECRYPT', 'it broke off (UNABLE_TO_DECRYPT)', 'the network between'],
	])('of %s says what to look at, and that another try may help', (code, reason, advice) => {
		const what = why(code);
		expect(what.reason).toContain(reason);
		expect(what.advice).toContain("Check 'Region' or the custom address");
		expect(what.advice).toContain(advice);
		expect(what.lasting).toBeUndefined();
	});

	it('of an error without a code says no more than that it broke off', () => {
		expect(why().reason).toBe('it broke off');
		expect(why('').reason).toBe('it broke off');
	});

	it.each<[string, string, string]>([
		['CERT_HAS_EXPIRED', 'its certificate has expired', 'renew the certificate'],
		['CERT_NOT_YET_VALID', 'its certificate is not valid yet', 'Check the clock'],
		[
			'ERR_TLS_CERT_ALTNAME_INVALID',
			'its certificate is for another host',
			'the name that the certificate is for',
		],
		...[
			'CERT_REVOKED',
			'CERT_SIGNATURE_FAILURE',
			'ERR_TLS_CERT_ALTNAME_FORMAT',
			'DEPTH_ZERO_SELF_SIGNED_CERT',
			'SELF_SIGNED_CERT_IN_CHAIN',
			'UNABLE_TO_GET_ISSUER_CERT',
			'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		].map((code): [string, string, string] => [
			code,
			'its certificate is not trusted',
			'NODE_EXTRA_CA_CERTS',
		]),
	])('of %s says how to trust the certificate, and that another try cannot help', (code, reason, advice) => {
		const what = why(code);
		expect(what.reason).toBe(`${reason} (${code})`);
		expect(what.advice).toContain(advice);
		expect(what.advice).toContain('Ignore SSL Issues (Insecure)');
		expect(what.lasting).toBe(true);
	});

	it('of a proxy that refused says what it answered, and that another try cannot help', () => {
		expect(whyNotConnected(new ProxyRefusal('HTTP status 407', false))).toEqual({
			reason: 'the proxy refused it with HTTP status 407',
			advice: expect.stringContaining('HTTPS_PROXY') as string,
			lasting: true,
		});
	});

	it('of a proxy that could not reach the service says that another try may help', () => {
		expect(whyNotConnected(new ProxyRefusal('HTTP status 502', true))).toEqual({
			reason: 'the proxy could not reach the service and answered with HTTP status 502',
			advice: expect.stringContaining('whether the proxy can reach the service') as string,
		});
	});
});
