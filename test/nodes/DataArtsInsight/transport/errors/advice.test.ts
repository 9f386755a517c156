import { adviceFor, adviceOn } from '../../../../../nodes/DataArtsInsight/transport/errors/advice';

describe('adviceFor', () => {
	it.each([
		['DataArtsInsight.20010003', 'grant this IAM user the permissions'],
		['DataArtsInsight.24010003', 'name or ID of the endpoint service'],
		['DataArtsInsight.24010043', 'permission for data connections'],
		['DataArtsInsight.24150004', 'normal state'],
		['DataArtsInsight.24150005', 'Copy the ID of a workspace'],
		['APIGW.0101', 'does not offer this API'],
		['APIGW.0103', 'no service behind it'],
		['APIGW.0201', 'Check the values of the credential'],
		['APIGW.0302', 'grant this IAM user the permissions'],
		['APIGW.0307', 'of another region or has to be renewed'],
		['APIGW.0308', 'takes no more requests for the moment'],
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
		['IAM.0012', 'takes no more requests for the moment'],
		['IAM.0061', 'account is locked'],
		['IAM.0062', 'did not accept the password'],
		['IAM.0081', 'programmatic access'],
		['IAM.0082', 'user is disabled'],
		['EndPoint.0022', 'takes no more requests for the moment'],
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
			expect(adviceFor(code, 400)).toBe('Check the values of the credential');
		}
	});

	it.each([
		[200, 'Check the values of the credential'],
		[400, 'Check the values of the credential'],
		[403, 'grant this IAM user the permissions'],
		[404, "'Project ID' and 'Workspace ID'"],
		[407, 'HTTPS_PROXY'],
		[418, 'Check the values of the credential'],
		[429, 'takes no more requests for the moment'],
		[499, 'Check the values of the credential'],
		[500, 'The service could not handle the request'],
		[501, 'The service could not handle the request'],
		[503, 'The service could not handle the request'],
	])('on an unknown code goes by HTTP %d: %s', (status, words) => {
		expect(adviceFor('Unknown.1', status)).toContain(words);
		expect(adviceFor(`HTTP_${status}`, status)).toContain(words);
	});

	it('says nothing of a bare 401: that depends on how the caller proves who they are', () => {
		expect(adviceFor('HTTP_401', 401)).toBeUndefined();
		expect(adviceFor('APIGW.0301', 401)).toBeUndefined();
		expect(adviceFor('APIGW.0301', 400)).toContain('Check the values');
	});

	const own = { invalid: 'Own invalid', notFound: 'Own notFound', throttled: 'Own throttled', timeout: 'x' };

	it.each<[string, number, string]>([
		['APIGW.0201', 500, 'Own invalid'],
		['APIGW.0308', 400, 'Own throttled'],
		['APIG.0308', 400, 'Own throttled'],
		['IAM.0012', 400, 'Own throttled'],
		['EndPoint.0022', 400, 'Own throttled'],
		['Unknown.1', 404, 'Own notFound'],
		['Unknown.1', 429, 'Own throttled'],
		['Unknown.1', 400, 'Own invalid'],
		['Unknown.1', 499, 'Own invalid'],
	])('on %s with HTTP %d is what the caller can do: %s', (code, status, words) => {
		expect(adviceFor(code, status, own)).toBe(words);
	});

	it.each<[string, number]>([
		['APIGW.0302', 404],
		['EndPoint.2003', 429],
		['Unknown.1', 401],
		['Unknown.1', 403],
		['Unknown.1', 407],
		['Unknown.1', 500],
	])('on %s with HTTP %d is the same whatever the caller can do', (code, status) => {
		expect(adviceFor(code, status, own)).toBe(adviceFor(code, status));
	});
});

describe('adviceOn', () => {
	it.each(['invalid', 'notFound', 'throttled', 'timeout'] as const)(
		'%s is what the caller can do, and without that what anybody can, with no word of options of the node',
		(kind) => {
			expect(adviceOn(kind, { [kind]: 'Own' })).toBe('Own');
			const general = adviceOn(kind);
			for (const other of [{}, { [kind]: undefined }]) expect(adviceOn(kind, other)).toBe(general);
			expect(general).toMatch(/^(Check|The service takes no more requests) .*[^.]$/);
			expect(general).not.toMatch(/Max Concurrency|'Timeout'|option|the node/);
		},
	);
});
