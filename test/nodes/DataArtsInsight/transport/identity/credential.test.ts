import fc from 'fast-check';

import { InputError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	credentialText,
	readCredential,
	serviceAt,
	siteOf,
	VPC_ENDPOINT,
} from '../../../../../nodes/DataArtsInsight/transport/identity/credential';

const good = {
	region: 'cn-north-4',
	token: 'MIItoken',
	projectId: '0f5c2a7be1d84963a7c0d41b86e9f352',
	workspaceId: '9b1e6d0c47fa4c2588d3e7a615b0fc94',
	allowUnauthorizedCerts: false,
};
const custom = (baseUrl: string) => ({ ...good, region: 'custom', baseUrl });

describe('readCredential', () => {
	it('computes the address from the region', () => {
		expect(readCredential(good)).toEqual({
			origin: 'https://dataartsinsight.cn-north-4.myhuaweicloud.com',
			projectId: good.projectId,
			workspaceId: good.workspaceId,
			authentication: { mode: 'token', token: 'MIItoken' },
			allowUnauthorizedCerts: false,
			secrets: ['MIItoken'],
		});
	});

	it('takes off what was pasted along', () => {
		const credential = readCredential({
			...custom(' https://insight.example.com/ '),
			token: ' MIItoken\n',
			projectId: '\tabc ',
			workspaceId: ' w ',
		});
		expect(credential.origin).toBe('https://insight.example.com');
		expect(credential.projectId).toBe('abc');
		expect(credential.authentication).toEqual({ mode: 'token', token: 'MIItoken' });
		expect(credential.workspaceId).toBe('w');
	});

	it.each([true, false])('leaves the certificate of IAM unchecked only where it says so: %s', (allowed) => {
		const login = { authentication: 'password', domainName: 'd', username: 'u', password: 'p-1234' };
		const { authentication } = readCredential({ ...good, ...login, allowUnauthorizedCerts: allowed });
		expect(authentication).toMatchObject({ allowUnauthorizedCerts: allowed });
	});

	it('logs in at the IAM of the region, or at the one of a custom address', () => {
		const login = { domainName: 'account', username: 'user', password: 'secret', projectId: good.projectId };
		const credentials = { ...good, authentication: 'password', ...login };
		const expected = { mode: 'password', login, allowUnauthorizedCerts: false };
		expect(readCredential(credentials).authentication).toEqual({
			...expected,
			iamOrigin: 'https://iam.cn-north-4.myhuaweicloud.com',
		});
		const custom = { region: 'custom', baseUrl: 'https://a.example.com', iamUrl: 'https://iam.example.com/' };
		expect(readCredential({ ...credentials, ...custom }).authentication).toEqual({
			...expected,
			iamOrigin: 'https://iam.example.com',
		});
		expect(readCredential(credentials).secrets).toEqual(['secret']);
	});

	it('signs with an access key, temporary or not', () => {
		const key = { accessKeyId: 'AK', secretAccessKey: 'SK' };
		const credentials = { ...good, authentication: 'accessKey', ...key };
		expect(readCredential(credentials)).toMatchObject({
			authentication: { mode: 'accessKey', accessKey: { ...key, securityToken: '' } },
			secrets: ['SK'],
		});
		expect(readCredential({ ...credentials, securityToken: 'ST' })).toMatchObject({
			authentication: { mode: 'accessKey', accessKey: { ...key, securityToken: 'ST' } },
			secrets: ['SK', 'ST'],
		});
	});

	it.each([
		['https://insight.example.com:8443', 'https://insight.example.com:8443'],
		['http://127.0.0.1:8008', 'http://127.0.0.1:8008'],
		['http://localhost:8008/', 'http://localhost:8008'],
		['http://[::1]:8008', 'http://[::1]:8008'],
		['http://127.10.200.30', 'http://127.10.200.30'],
	])('accepts the base URL %s', (baseUrl, origin) => {
		expect(readCredential(custom(baseUrl)).origin).toBe(origin);
	});

	it.each([
		['Base URL', custom('')],
		['Base URL', custom('insight.example.com')],
		['Base URL', custom('ftp://insight.example.com')],
		['Base URL', custom('https://insight.example.com/v1/other')],
		['Base URL', custom('https://insight.example.com?x=1')],
		['Base URL', custom('https://insight.example.com#x')],
		['Base URL', custom('https://user:secret@insight.example.com')],
		['Base URL', custom('https://user@insight.example.com')],
		['Base URL', custom('https://:secret@insight.example.com')],
		['Base URL', custom('http://insight.example.com')],
		['Base URL', custom('http://127.0.0.1.example.com')],
		['Region', { ...good, region: '' }],
		['Region', { ...good, region: 'example.com/' }],
		['Region', { ...good, region: 'evil.example/cn-north-4' }],
		['Allowed Domains', { ...good, allowedHttpRequestDomains: 'domains', allowedDomains: 'example.com' }],
		['Allowed Domains', { ...good, allowedHttpRequestDomains: 'domains' }],
		['Region', { ...good, region: 'cn-north-4.example.com#' }],
		['Region', { ...good, region: 'evil.example.com/?cn-north-4' }],
		['Region', { ...good, region: 'cn-north' }],
		['Region', { ...good, region: 'cn-4' }],
		['Region', { ...good, region: 'CN-north-4' }],
		['User Token', { ...good, token: '  ' }],
		['User Token', { ...good, token: 'two parts' }],
		['User Token', { ...good, token: 'MII\r\nX-Other: 1' }],
		['User Token', { ...good, token: 42 }],
		['Account Name', { ...good, authentication: 'password', username: 'u', password: 'p' }],
		['IAM User Name', { ...good, authentication: 'password', domainName: 'd', password: 'p' }],
		['Password', { ...good, authentication: 'password', domainName: 'd', username: 'u', password: ' ' }],
		[
			'IAM URL',
			{
				...custom('https://a.example.com'),
				authentication: 'password',
				domainName: 'd',
				username: 'u',
				password: 'p',
			},
		],
		['Access Key ID', { ...good, authentication: 'accessKey', secretAccessKey: 'SK' }],
		['Secret Access Key', { ...good, authentication: 'accessKey', accessKeyId: 'AK' }],
		[
			'Security Token',
			{
				...good,
				authentication: 'accessKey',
				accessKeyId: 'AK',
				secretAccessKey: 'SK',
				securityToken: 'a b',
			},
		],
		['Authentication', { ...good, authentication: 'guess' }],
		['Workspace ID', { ...good, workspaceId: '' }],
		['Workspace ID', { ...good, workspaceId: 'ü' }],
		['Project ID', { ...good, projectId: '' }],
		['Project ID', { ...good, projectId: '../v2' }],
		['Project ID', { ...good, projectId: 'a/b' }],
		['Project ID', { ...good, projectId: '%2e%2e' }],
		['Project ID', { ...good, projectId: 'a?b' }],
	])('refuses a bad %s and names it', (field, credentials) => {
		const open = () => readCredential(credentials);
		expect(open).toThrow(InputError);
		expect(open).toThrow(`'${field}'`);
	});

	it('never lets a project ID change the path, nor a message repeat the token', () => {
		fc.assert(
			fc.property(fc.string(), fc.string(), (projectId, rest) => {
				const token = `MIIsecret${rest}`;
				try {
					const credential = readCredential({ ...good, projectId, token });
					expect(new URL(`/v1/${credential.projectId}/x`, credential.origin).pathname).toBe(
						`/v1/${projectId.trim()}/x`,
					);
				} catch (error) {
					expect(error).toBeInstanceOf(InputError);
					expect(JSON.stringify([String(error), error])).not.toContain('MIIsecret');
				}
			}),
		);
	});
});

const hosts = {
	insight: 'dataartsinsight.cn-north-4.myhuaweicloud.com',
	iam: 'iam.cn-north-4.myhuaweicloud.com',
	vpcep: 'vpcep.cn-north-4.myhuaweicloud.com',
};
const password = { authentication: 'password', domainName: 'd', username: 'u', password: 'p-1234' };

describe('what readCredential says', () => {
	it('tells a blank project ID from one that is none', () => {
		expect(() => readCredential({ ...good, projectId: ' ' })).toThrow(
			"'Project ID' in the credential is blank",
		);
		expect(() => readCredential({ ...good, projectId: 'a/b' })).toThrow(
			"'Project ID' in the credential holds characters that no project ID has",
		);
	});

	it('takes a credential from before there were other ways to be one with a token', () => {
		expect(readCredential(good).authentication.mode).toBe('token');
	});

	it.each([
		['cn-southwest-2', 'cn-southwest-2'],
		['two words before the number', 'xx-abc-defg-12'],
	])('takes a region: %s', (_what, region) => {
		expect(readCredential({ ...good, region }).origin).toBe(
			`https://dataartsinsight.${region}.myhuaweicloud.com`,
		);
	});

	it.each([true, false, 'true', undefined])(
		'leaves the certificate of the service unchecked only where the credential says true: %p',
		(allowed) => {
			const credential = readCredential({ ...good, ...password, allowUnauthorizedCerts: allowed as boolean });
			expect(credential.allowUnauthorizedCerts).toBe(allowed === true);
			expect(credential.authentication).toMatchObject({ allowUnauthorizedCerts: allowed === true });
		},
	);
});

describe('Allowed Domains', () => {
	const allow = (allowedDomains: string, change: object = {}) =>
		readCredential({ ...good, ...change, allowedHttpRequestDomains: 'domains', allowedDomains });

	it.each([
		hosts.insight,
		` ${hosts.insight.toUpperCase()}. `,
		`example.com, ${hosts.insight}`,
		`${hosts.insight}, example.com`,
		'*.myhuaweicloud.com',
		'*.CN-north-4.myhuaweicloud.com.',
	])('let the service be called: %s', (domains) => {
		expect(allow(domains).origin).toBe(`https://${hosts.insight}`);
	});

	it.each([
		'',
		'example.com',
		'myhuaweicloud.com',
		'cn-north-4.myhuaweicloud.com',
		`x${hosts.insight}`,
		`${hosts.insight}.example.com`,
		`*.${hosts.insight}`,
		'*.example.com',
		'*loud.com',
		'*',
		'*.',
	])('leave the service out: %s', (domains) => {
		expect(() => allow(domains)).toThrow(`'Allowed Domains' in the credential leave out ${hosts.insight}`);
	});

	it('are not fooled by a host that ends in a dot: a star alone stands for nothing', () => {
		expect(() => allow('*..', custom('https://insight.example.com.'))).toThrow("'Allowed Domains'");
	});

	it('are asked for the host of IAM as well, which gets the password', () => {
		expect(() => allow(hosts.insight, password)).toThrow(
			`'Allowed Domains' in the credential leave out ${hosts.iam}`,
		);
		expect(allow(`${hosts.insight},${hosts.iam}`, password).authentication.mode).toBe('password');
	});

	it('are asked for the service that is called, and for no other', () => {
		const credential = { ...good, allowedHttpRequestDomains: 'domains', allowedDomains: hosts.vpcep };
		expect(readCredential(credential, VPC_ENDPOINT).origin).toBe(`https://${hosts.vpcep}`);
		expect(() => readCredential(credential)).toThrow(hosts.insight);
	});

	it.each(['all', 'none', undefined])("are for n8n's HTTP Request node alone where it says %s", (choice) => {
		const credential = {
			...good,
			...(choice && { allowedHttpRequestDomains: choice }),
			allowedDomains: 'example.com',
		};
		expect(readCredential(credential).origin).toBe(`https://${hosts.insight}`);
	});
});

describe('serviceAt', () => {
	const at = (credential: object, address: string) => serviceAt({ ...credential }, new URL(address)).host;

	it.each([
		[hosts.insight, 'dataartsinsight'],
		[hosts.iam, 'iam'],
		[hosts.vpcep, 'vpcep'],
	])('finds the service of %s by its whole address', (host, service) => {
		expect(at(good, `https://${host}/v1/x?y`)).toBe(service);
		for (const other of [`http://${host}`, `https://${host}:8443`, `https://${host}.evil.example`]) {
			expect(() => at(good, other)).toThrow(InputError);
		}
		expect(() => at({ ...good, region: 'cn-east-3' }, `https://${host}`)).toThrow(InputError);
	});

	it('names the hosts that the credential is for', () => {
		const all = [hosts.insight, hosts.iam, hosts.vpcep].map((host) => `https://${host}`).join(' or ');
		expect(() => at(good, 'https://evil.example')).toThrow(
			expect.objectContaining({
				message: 'The credential is not for evil.example, so nothing was sent there',
				description: expect.stringContaining(all) as string,
			}) as Error,
		);
		expect(() => at(good, 'data:x')).toThrow('The credential is not for this address');
	});

	it('at custom addresses leaves out those that are blank', () => {
		const insight = custom('https://insight.example.com');
		expect(at(insight, 'https://insight.example.com/x')).toBe('dataartsinsight');
		expect(() => at(insight, `https://${hosts.iam}`)).toThrow(
			expect.objectContaining({
				description: expect.stringMatching(/^Call https:\/\/insight\.example\.com, or/) as string,
			}) as Error,
		);
		const more = { ...insight, iamUrl: 'https://iam.example.com', vpcepUrl: 'https://vpcep.example.com' };
		expect(at(more, 'https://iam.example.com')).toBe('iam');
		expect(at(more, 'https://vpcep.example.com')).toBe('vpcep');
		expect(at({ ...more, iamUrl: '' }, 'https://vpcep.example.com')).toBe('vpcep');
	});

	it('at custom addresses needs that of the service', () => {
		expect(() => at(custom(''), 'https://insight.example.com')).toThrow(
			"'Base URL' in the credential is blank",
		);
	});
});

it.each([
	['https://iam.cn-north-4.myhuaweicloud.com', 'myhuaweicloud.com'],
	['https://iam.cn-east-3.myhuaweicloud.com', 'myhuaweicloud.com'],
	['https://iam.example.com', 'https://iam.example.com'],
	['https://notmyhuaweicloud.com', 'https://notmyhuaweicloud.com'],
	['https://iam.myhuaweicloud.com:8443', 'https://iam.myhuaweicloud.com:8443'],
	['https://iam.myhuaweicloud.com.example.com', 'https://iam.myhuaweicloud.com.example.com'],
])('the site of %s, which accounts and keys are of, is %s', (origin, site) => {
	expect(siteOf(origin)).toBe(site);
});

it.each([
	['text', ' a b\n', 'a b'],
	['no text', '', ''],
	['a number', 42, ''],
	['nothing', undefined, ''],
])("the text of a credential's field that holds %s", (_what, value, text) => {
	expect(credentialText({ field: value as string }, 'field')).toBe(text);
});
