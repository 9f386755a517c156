import {
	adviceFor,
	adviceOn,
	missingPermission,
} from '../../../../../nodes/DataArtsInsight/transport/errors/advice';

describe('adviceFor', () => {
	it.each([
		['DataArtsInsight.20010003', 'grant this IAM user the permissions'],
		['DataArtsInsight.24010003', 'name or ID of the endpoint service'],
		['DataArtsInsight.24010043', 'permission for data connections'],
		['DataArtsInsight.24150004', 'normal state'],
		['DataArtsInsight.24150005', 'no such workspace in this project'],
		['APIGW.0101', 'does not offer this API'],
		['APIGW.0103', 'no service behind it'],
		['APIGW.0201', 'Check the values of the credential'],
		['APIGW.0302', 'grant this IAM user the permissions'],
		['APIGW.0307', 'of another region or has to be renewed'],
		['APIGW.0308', 'takes no more requests for the moment'],
		['APIGW.0310', 'project cannot be used with this token or access key'],
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
		['EndPoint.0001', 'The service could not handle the request'],
		['EndPoint.0002', 'Check the values of the credential'],
		['EndPoint.0004', 'grant this IAM user the permissions'],
		['EndPoint.0005', "'Region', 'Project ID'"],
		['EndPoint.0022', 'takes no more requests for the moment'],
		['EndPoint.1018', 'A quota of the VPC Endpoint service is used up'],
		['EndPoint.2003', 'name or ID of the endpoint service'],
		['EndPoint.2004', 'endpoint service is not available'],
		['EndPoint.2012', 'whitelist'],
		['EndPoint.2014', 'connected already'],
		['EndPoint.2019', 'being created'],
		['EndPoint.2022', 'could not be created'],
		['EndPoint.2045', 'whitelist is full'],
		['EndPoint.2051', 'is being switched. Wait a minute'],
		['EndPoint.3062', 'Check the ID of the endpoint service'],
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

	it.each<[string, string]>([
		['DataArtsInsight.24150000', 'Workspace'],
		['DataArtsInsight.24150005', 'Workspace'],
		['APIGW.0310', 'Project ID'],
	])('on %s leads to the credential and to the options of the node', (code, option) => {
		expect(adviceFor(code, 400)).toMatch(
			new RegExp(`in the credential, or with '${option}' in the options of the node if it is set there`),
		);
	});

	it.each(['DataArtsInsight.20010003', 'APIGW.0302', 'APIG.0302', 'IAM.0002', 'IAM.0003', 'Other.1'])(
		'on a missing permission is that of the caller, where it has some: %s',
		(code) => {
			expect(adviceFor(code, 403, { forbidden: 'Ask the owner' })).toBe('Ask the owner');
			expect(adviceFor(code, 403, { invalid: 'Check' })).toContain('grant this IAM user the permissions');
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
		expect(adviceFor('EndPoint.0003', 401)).toBeUndefined();
		expect(adviceFor('APIGW.0301', 400)).toContain('Check the values');
	});

	const own = {
		...{ invalid: 'Own invalid', notFound: 'Own notFound', throttled: 'Own throttled', timeout: 'x' },
		forbidden: 'Own forbidden',
	};

	it.each<[string, number, string]>([
		['APIGW.0201', 500, 'Own invalid'],
		['APIGW.0308', 400, 'Own throttled'],
		['APIG.0308', 400, 'Own throttled'],
		['IAM.0012', 400, 'Own throttled'],
		['EndPoint.0022', 400, 'Own throttled'],
		['EndPoint.0002', 400, 'Own invalid'],
		['EndPoint.0005', 400, 'Own notFound'],
		['EndPoint.2003', 400, 'Own notFound'],
		['EndPoint.0004', 400, 'Own forbidden'],
		['APIGW.0302', 404, 'Own forbidden'],
		['Unknown.1', 403, 'Own forbidden'],
		['Unknown.1', 404, 'Own notFound'],
		['Unknown.1', 429, 'Own throttled'],
		['Unknown.1', 400, 'Own invalid'],
		['Unknown.1', 499, 'Own invalid'],
	])('on %s with HTTP %d is what the caller can do: %s', (code, status, words) => {
		expect(adviceFor(code, status, own)).toBe(words);
	});

	it.each<[string, number]>([
		['APIGW.0310', 403],
		['EndPoint.2004', 429],
		['EndPoint.2045', 404],
		['Unknown.1', 401],
		['Unknown.1', 407],
		['Unknown.1', 500],
	])('on %s with HTTP %d is the same whatever the caller can do', (code, status) => {
		expect(adviceFor(code, status, own)).toBe(adviceFor(code, status));
	});
});

describe('adviceOn', () => {
	it.each(['invalid', 'notFound', 'throttled', 'timeout', 'forbidden'] as const)(
		'%s is what the caller can do, and without that what anybody can, with no word of options of the node',
		(kind) => {
			expect(adviceOn(kind, { [kind]: 'Own' })).toBe('Own');
			const general = adviceOn(kind);
			for (const other of [{}, { [kind]: undefined }]) expect(adviceOn(kind, other)).toBe(general);
			expect(general).toMatch(/^(Check|The service takes no more requests|Ask an administrator) .*[^.]$/);
			expect(general).not.toMatch(/Max Concurrency|'Timeout'|option|the node/);
		},
	);
});

describe('missingPermission', () => {
	it('names the permission and the role, and what a name takes beside them', () => {
		expect(missingPermission('vpcep:a:list')).toBe(
			'Ask an administrator to grant this IAM user, or the agency that it acts through, the permission vpcep:a:list in the project, or the role VPCEndpoint Administrator',
		);
		expect(missingPermission('vpcep:a:list', 'vpcep:b:get')).toContain(
			'permission vpcep:a:list (and vpcep:b:get, to find an endpoint service by its name) in the project',
		);
	});
});
