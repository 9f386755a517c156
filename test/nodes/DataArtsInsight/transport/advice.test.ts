import { adviceFor, whyNotConnected } from '../../../../nodes/DataArtsInsight/transport/advice';
import { ProxyRefusal } from '../../../../nodes/DataArtsInsight/transport/connector';

describe('what to do about an error code', () => {
	it.each([
		['DataArtsInsight.20010003', 'grant this IAM user the permissions'],
		['DataArtsInsight.24010003', 'name or ID of the endpoint service'],
		['DataArtsInsight.24010043', 'role with permission for data connections'],
		['DataArtsInsight.24150000', 'a member of it'],
		['DataArtsInsight.24150001', 'a member of it'],
		['DataArtsInsight.24150002', 'a member of it'],
		['DataArtsInsight.24150003', 'a member of it'],
		['DataArtsInsight.24150004', 'normal state'],
		['DataArtsInsight.24150005', "'Workspace ID'"],
		['DataArtsInsight.24150010', 'a member of it'],
		['DataArtsInsight.24150011', 'a member of it'],
		['DataArtsInsight.24150012', 'a member of it'],
		['DataArtsInsight.24150020', 'a member of it'],
		['DataArtsInsight.24150021', 'a member of it'],
		['DataArtsInsight.24150022', 'a member of it'],
		['APIGW.0101', 'does not offer this API'],
		['APIGW.0103', 'no service behind it'],
		['APIGW.0201', 'Check the values'],
		['APIGW.0302', 'grant this IAM user the permissions'],
		['APIGW.0307', 'another region'],
		['APIGW.0308', 'takes no more calls'],
		['APIGW.0310', "'Project ID'"],
		['APIGW.0401', 'address that n8n calls from'],
		['APIGW.0402', 'allow the address'],
		['APIGW.0501', 'used up'],
		['APIGW.0502', 'frozen'],
		['APIGW.0613', 'IAM is not available'],
		['APIGW.0801', 'not available to you in this region'],
		['APIGW.0802', 'user is not available in this region'],
		['IAM.0002', 'grant this IAM user the permissions'],
		['IAM.0003', 'grant this IAM user the permissions'],
		['IAM.0012', 'takes no more calls'],
		['IAM.0061', 'locked'],
		['IAM.0062', 'Correct it before you run the node again'],
		['IAM.0081', 'programmatic access'],
		['IAM.0082', 'disabled'],
		['EndPoint.0022', 'takes no more calls'],
		['EndPoint.2003', 'name or ID of the endpoint service'],
		['EndPoint.2004', 'not available'],
		['EndPoint.2012', 'whitelist'],
		['EndPoint.2014', 'connected already'],
		['EndPoint.2019', 'being created'],
		['EndPoint.2022', 'could not be created'],
		['EndPoint.3062', "'Endpoint Service ID'"],
	])('%s', (code, words) => {
		// No status has this advice by itself.
		expect(adviceFor(code, 418)).toContain(words);
		expect(adviceFor(code, 500)).toContain(words);
	});

	it('a dedicated gateway writes APIG. for APIGW.', () => {
		expect(adviceFor('APIG.0501', 400)).toContain('used up');
		expect(adviceFor('X.APIG.0501', 400)).toContain('Check the values');
	});
});

it.each([
	[400, 'Check the values'],
	[401, undefined],
	[403, 'permissions'],
	[404, "'Workspace ID'"],
	[407, 'HTTPS_PROXY'],
	[429, 'takes no more calls'],
	[499, 'Check the values'],
	[500, 'could not handle the call'],
	[503, 'could not handle the call'],
])('what to do about HTTP status %d with an unknown code', (status, words) => {
	const advice = adviceFor(`HTTP_${status}`, status);
	if (words) expect(advice).toContain(words);
	else expect(advice).toBeUndefined();
});

describe('why there is no connection', () => {
	const why = (code?: string) => whyNotConnected(Object.assign(new Error('x'), { code }));

	it.each([
		['ENOTFOUND', 'could not be resolved', 'name resolution', undefined],
		['EAI_AGAIN', 'could not be resolved', 'name resolution', undefined],
		['ECONNREFUSED', 'it was refused', 'above all the port', undefined],
		['ETIMEDOUT', 'did not answer', 'firewall', undefined],
		['EHOSTUNREACH', 'did not answer', 'firewall', undefined],
		['ENETUNREACH', 'did not answer', 'firewall', undefined],
		['UND_ERR_CONNECT_TIMEOUT', 'did not answer', 'firewall', undefined],
		['CERT_HAS_EXPIRED', 'has expired (CERT_HAS_EXPIRED)', 'renew the certificate', true],
		['CERT_NOT_YET_VALID', 'not valid yet (CERT_NOT_YET_VALID)', 'Check the clock', true],
		['ERR_TLS_CERT_ALTNAME_INVALID', 'for another host', 'the name that the certificate is for', true],
		['ERR_TLS_CERT_SIGNATURE_ALGORITHM_UNSUPPORTED', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['CERT_UNTRUSTED', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['DEPTH_ZERO_SELF_SIGNED_CERT', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['SELF_SIGNED_CERT_IN_CHAIN', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'not trusted', 'NODE_EXTRA_CA_CERTS', true],
		['ECONNRESET', 'it broke off (ECONNRESET)', 'network between n8n and the service', undefined],
		['NO_CERT_OF_OURS', 'it broke off (NO_CERT_OF_OURS)', 'network between', undefined],
		[undefined, 'it broke off', 'network between n8n and the service', undefined],
	])('%s', (code, reason, advice, lasting) => {
		const told = why(code);
		expect(told.reason).toContain(reason);
		expect(told.advice).toContain(advice);
		expect(told.lasting).toBe(lasting);
	});

	it('an untrusted certificate can be accepted in the credential', () => {
		expect(why('CERT_UNTRUSTED').advice).toContain("'Ignore SSL Issues (Insecure)'");
	});

	it('a code that is not there leaves no empty brackets', () => {
		expect(why().reason).toBe('it broke off');
	});

	it('the proxy could not reach the service: another time it may', () => {
		expect(whyNotConnected(new ProxyRefusal('HTTP status 503', true))).toEqual({
			reason: 'the proxy could not reach the service and answered with HTTP status 503',
			advice: expect.stringContaining('whether the proxy can reach the service') as string,
		});
	});

	it('the proxy refused it: trying again cannot help', () => {
		expect(whyNotConnected(new ProxyRefusal('HTTP status 407', false))).toEqual({
			reason: 'the proxy refused it with HTTP status 407',
			advice: expect.stringContaining('HTTPS_PROXY and ALL_PROXY') as string,
			lasting: true,
		});
	});
});
