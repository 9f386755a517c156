import fc from 'fast-check';

import { InputError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	IAM,
	INSIGHT,
	originOf,
	serviceAt,
	siteOf,
	VPC_ENDPOINT,
} from '../../../../../nodes/DataArtsInsight/transport/identity/address';
import { readCredential } from '../../../../../nodes/DataArtsInsight/transport/identity/credential';
import { credentialText } from '../../../../../nodes/DataArtsInsight/transport/identity/fields';

const good = {
	region: 'cn-north-4',
	token: 'MIItoken',
	projectId: '0f5c2a7be1d84963a7c0d41b86e9f352',
	workspaceId: '9b1e6d0c47fa4c2588d3e7a615b0fc94',
	allowUnauthorizedCerts: false,
};
const agency = {
	...{ authentication: 'agency', accessKeyId: 'AK', secretAccessKey: 'SK' },
	...{ agencyAccount: 'owner', agencyName: 'acceptance' },
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
			site: 'myhuaweicloud.com',
		});
		const custom = { region: 'custom', baseUrl: 'https://a.example.com', iamUrl: 'https://iam.example.com/' };
		expect(readCredential({ ...credentials, ...custom }).authentication).toEqual({
			...expected,
			iamOrigin: 'https://iam.example.com',
			site: 'https://iam.example.com',
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

	it('acts through an agency with the key of the caller, and with no security token of an earlier key', () => {
		expect(readCredential({ ...good, ...agency, securityToken: 'ST' })).toMatchObject({
			authentication: {
				mode: 'agency',
				accessKey: { accessKeyId: 'AK', secretAccessKey: 'SK' },
				agency: { account: 'owner', name: 'acceptance' },
				iamOrigin: 'https://iam.cn-north-4.myhuaweicloud.com',
				site: 'myhuaweicloud.com',
				allowUnauthorizedCerts: false,
			},
			secrets: ['SK'],
		});
		expect(readCredential({ ...good, ...agency, securityToken: 'ST' }).authentication).not.toHaveProperty(
			'accessKey.securityToken',
		);
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
		['Access Key ID', { ...good, ...agency, accessKeyId: '' }],
		['Secret Access Key', { ...good, ...agency, secretAccessKey: '' }],
		['Agency Account Name', { ...good, ...agency, agencyAccount: ' ' }],
		['Agency Name', { ...good, ...agency, agencyName: 42 }],
		['IAM URL', { ...custom('https://a.example.com'), ...agency }],
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

describe('another region', () => {
	const other = (regionId: unknown, domainSuffix: unknown = 'myhuaweicloud.com') =>
		({ ...good, region: 'other', regionId, domainSuffix }) as typeof good;
	const origins = (credential: typeof good) =>
		[INSIGHT, IAM, VPC_ENDPOINT].map((service) => originOf(credential, service));

	it.each([
		['ap-southeast-3', 'myhuaweicloud.com'],
		['ulanqab-201', 'myhuaweicloud.com'],
		['x', 'a.eu'],
		['ru-moscow-1', 'hc.sbercloud.ru'],
		['x'.repeat(63), 'example.com'],
	])('has all three hosts: %s of %s', (regionId, domainSuffix) => {
		expect(origins(other(regionId, domainSuffix))).toEqual(
			['dataartsinsight', 'iam', 'vpcep'].map((host) => `https://${host}.${regionId}.${domainSuffix}`),
		);
	});

	it('may be pasted with blanks and capitals', () => {
		expect(readCredential(other(' AP-Southeast-3\n', '\tMyHuaweiCloud.COM ')).origin).toBe(
			'https://dataartsinsight.ap-southeast-3.myhuaweicloud.com',
		);
	});

	it.each<[string, unknown]>([
		['is blank', ' '],
		['is no text', 42],
		['has a dot', 'cn-north-4.evil'],
		['is a host', 'evil.example'],
		['has a path', 'evil/'],
		['begins with a dash', '-north'],
		['ends with a dash', 'north-'],
		['has an underscore', 'cn_north'],
		['has a port', 'cn:8443'],
		['has a login', 'user@cn'],
		['has a query', 'cn?'],
		['has a fragment', 'cn#'],
		['has a backslash', 'cn\\'],
		['has a percent sign', 'cn%2e'],
		['has a line break', 'cn\nnorth'],
		['has a full-width letter', 'cn\uff0dnorth'],
		['has the Kelvin sign', '\u212arasnoyarsk'],
		['has another full stop', 'cn\u3002evil'],
		['is too long', 'x'.repeat(64)],
	])("is refused where 'Region ID' %s", (_how, regionId) => {
		expect(() => readCredential(other(regionId))).toThrow("'Region ID' in the credential");
	});

	it.each<[string, unknown]>([
		['is blank', ' '],
		['is no text', ['example.com']],
		['has one part', 'com'],
		['is localhost', 'localhost'],
		['ends in a dot', 'example.com.'],
		['begins with a dot', '.example.com'],
		['has an empty part', 'example..com'],
		['ends in a number', 'example.1'],
		['is an IP address', '127.0.0.1'],
		['is the end of an IP address', '0.1'],
		['is an IP address in other digits', '0x7f.0x1'],
		['is an IPv6 address', '[::1]'],
		['has a port', 'example.com:8443'],
		['has a path', 'example.com/x'],
		['has a scheme', 'https://example.com'],
		['has a login', 'user@example.com'],
		['has a query', 'example.com?x'],
		['has a fragment', 'example.com#x'],
		['has a backslash', 'example.com\\x'],
		['has a part that is not ASCII', 'ex\u00e4mple.com'],
		['has another full stop', 'example\u3002com'],
		['has the Kelvin sign', 'example.\u212ay'],
		['has a part that is too long', `${'x'.repeat(64)}.com`],
	])("is refused where 'Domain Suffix' %s", (_how, suffix) => {
		expect(() => readCredential(other('ap-southeast-3', suffix))).toThrow(
			"'Domain Suffix' in the credential",
		);
	});

	it.each([
		['is no punycode', 'xn--0', 'example.com'],
		['is too long', 'ap-southeast-3', `${'x123456789.'.repeat(23)}com`],
	])('is refused where the whole host name %s', (_how, regionId, suffix) => {
		expect(() => readCredential(other(regionId, suffix))).toThrow(
			"'Region ID' and 'Domain Suffix' in the credential",
		);
	});

	const odd = fc.string({
		unit: fc.constantFrom(...'aZ09-.', ...'/:@?#\\%[] \t\n_*&;=', '\u3002', '\uff0e', '\u212a', 'é'),
	});
	const anyText = fc.oneof(
		odd,
		fc.string(),
		fc.webUrl(),
		fc.domain(),
		fc.ipV4(),
		fc.string({ unit: 'binary' }),
	);

	it('leads to a host of the suffix, or nowhere, whatever is entered', () => {
		fc.assert(
			fc.property(
				fc.oneof(anyText, fc.constant('ap-1')),
				fc.oneof(anyText, fc.domain()),
				(regionId, suffix) => {
					const credential = other(regionId, suffix);
					let found: string[];
					try {
						found = origins(credential);
					} catch (error) {
						expect(error).toBeInstanceOf(InputError);
						return;
					}
					const [region, end] = [regionId.trim().toLowerCase(), suffix.trim().toLowerCase()];
					expect(found).toEqual(
						['dataartsinsight', 'iam', 'vpcep'].map((host) => `https://${host}.${region}.${end}`),
					);
					for (const origin of found) {
						const url = new URL(`${origin}/v1/p`);
						expect(url.href).toBe(`${origin}/v1/p`);
						expect(url.hostname.endsWith(`.${end}`)).toBe(true);
					}
					expect(region).not.toContain('.');
					expect(end).toMatch(/^[a-z\d-]+(\.[a-z\d-]+)*\.[a-z]+$/);
				},
			),
			{ numRuns: 2_000 },
		);
	});

	it('takes any region ID and suffix that are made as they should be', () => {
		const label = fc.stringMatching(/^[a-z\d]{1,8}(-[a-z\d]{1,8})?$/).filter((one) => !one.startsWith('xn-'));
		fc.assert(
			fc.property(label, label, fc.stringMatching(/^[a-z]{2,10}$/), (regionId, domain, top) => {
				const [insight] = origins(other(regionId, `${domain}.${top}`));
				expect(insight).toBe(`https://dataartsinsight.${regionId}.${domain}.${top}`);
			}),
		);
	});

	it('is followed by Allowed Domains and by the hosts of the HTTP Request node', () => {
		const credential = other('ap-southeast-3', 'cloud.example');
		const limited = {
			...credential,
			allowedHttpRequestDomains: 'domains',
			allowedDomains: '*.cloud.example',
		};
		expect(readCredential(limited).origin).toBe('https://dataartsinsight.ap-southeast-3.cloud.example');
		expect(() => readCredential({ ...limited, allowedDomains: '*.myhuaweicloud.com' })).toThrow(
			"'Allowed Domains' in the credential leave out dataartsinsight.ap-southeast-3.cloud.example",
		);
		const at = (address: string) => serviceAt(credential, new URL(address)).host;
		expect(at('https://vpcep.ap-southeast-3.cloud.example/v1')).toBe('vpcep');
		expect(at('https://iam.ap-southeast-3.cloud.example/v3')).toBe('iam');
		expect(() => at('https://iam.ap-southeast-3.myhuaweicloud.com/v3')).toThrow('The credential is not for');
	});

	it.each([
		['ap-southeast-3', 'myhuaweicloud.com', 'myhuaweicloud.com'],
		['ap-southeast-3', 'Cloud.Example', 'cloud.example'],
		['eu-1', 'cloud.example', 'cloud.example'],
	])('is of the site of its suffix: %s of %s', (regionId, suffix, site) => {
		expect(siteOf(other(regionId, suffix), IAM)).toBe(site);
		expect(siteOf(other(regionId, suffix), INSIGHT)).toBe(site);
		const { authentication } = readCredential({ ...other(regionId, suffix), ...agency });
		expect(authentication).toMatchObject({
			site,
			iamOrigin: `https://iam.${regionId}.${suffix.toLowerCase()}`,
		});
	});
});

it('a region of the list is of the site of all of them', () => {
	expect(siteOf({ ...good, region: 'cn-east-3' }, IAM)).toBe('myhuaweicloud.com');
	// What another choice left behind says nothing.
	expect(siteOf({ ...good, domainSuffix: 'com' }, IAM)).toBe('myhuaweicloud.com');
});

it.each([
	['https://iam.cn-north-4.myhuaweicloud.com', 'myhuaweicloud.com'],
	['https://iam.cn-east-3.myhuaweicloud.com', 'myhuaweicloud.com'],
	['https://iam.example.com', 'https://iam.example.com'],
	['https://notmyhuaweicloud.com', 'https://notmyhuaweicloud.com'],
	['https://iam.myhuaweicloud.com:8443', 'https://iam.myhuaweicloud.com:8443'],
	['https://iam.myhuaweicloud.com.example.com', 'https://iam.myhuaweicloud.com.example.com'],
])('the site of %s, which accounts and keys are of, is %s', (iamUrl, site) => {
	expect(siteOf({ region: 'custom', iamUrl }, IAM)).toBe(site);
});

it.each([
	['text', ' a b\n', 'a b'],
	['no text', '', ''],
	['a number', 42, ''],
	['nothing', undefined, ''],
])("the text of a credential's field that holds %s", (_what, value, text) => {
	expect(credentialText({ field: value as string }, 'field')).toBe(text);
});
