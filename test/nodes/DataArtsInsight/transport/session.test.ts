import fc from 'fast-check';

import { InputError } from '../../../../nodes/DataArtsInsight/transport/errors';
import { openSession } from '../../../../nodes/DataArtsInsight/transport/session';

const good = {
	region: 'cn-north-4',
	token: 'MIItoken',
	projectId: '0f5c2a7be1d84963a7c0d41b86e9f352',
	workspaceId: '9b1e6d0c47fa4c2588d3e7a615b0fc94',
	allowUnauthorizedCerts: false,
};
const custom = (baseUrl: string) => ({ ...good, region: 'custom', baseUrl });

describe('openSession', () => {
	it('computes the address from the region', () => {
		expect(openSession(good)).toEqual({
			origin: 'https://dataartsinsight.cn-north-4.myhuaweicloud.com',
			projectId: good.projectId,
			workspaceId: good.workspaceId,
			proof: { mode: 'token', token: 'MIItoken' },
			allowUnauthorizedCerts: false,
			secrets: ['MIItoken'],
		});
	});

	it('takes off what was pasted along', () => {
		const session = openSession({
			...custom(' https://insight.example.com/ '),
			token: ' MIItoken\n',
			projectId: '\tabc ',
			workspaceId: ' w ',
		});
		expect(session.origin).toBe('https://insight.example.com');
		expect(session.projectId).toBe('abc');
		expect(session.proof).toEqual({ mode: 'token', token: 'MIItoken' });
		expect(session.workspaceId).toBe('w');
	});

	it.each([true, false])('leaves the certificate of IAM unchecked only where it says so: %s', (allowed) => {
		const login = { authentication: 'password', domainName: 'd', username: 'u', password: 'p-1234' };
		const { proof } = openSession({ ...good, ...login, allowUnauthorizedCerts: allowed });
		expect(proof).toMatchObject({ allowUnauthorizedCerts: allowed });
	});

	it('logs in at the IAM of the region, or at the one of a custom address', () => {
		const login = { domainName: 'account', username: 'user', password: 'secret', projectId: good.projectId };
		const credentials = { ...good, authentication: 'password', ...login };
		const proof = { mode: 'password', login, allowUnauthorizedCerts: false };
		expect(openSession(credentials).proof).toEqual({
			...proof,
			iamOrigin: 'https://iam.cn-north-4.myhuaweicloud.com',
		});
		const custom = { region: 'custom', baseUrl: 'https://a.example.com', iamUrl: 'https://iam.example.com/' };
		expect(openSession({ ...credentials, ...custom }).proof).toEqual({
			...proof,
			iamOrigin: 'https://iam.example.com',
		});
		expect(openSession(credentials).secrets).toEqual(['secret']);
	});

	it('signs with an access key, temporary or not', () => {
		const key = { accessKeyId: 'AK', secretAccessKey: 'SK' };
		const credentials = { ...good, authentication: 'accessKey', ...key };
		expect(openSession(credentials)).toMatchObject({
			proof: { mode: 'accessKey', accessKey: { ...key, securityToken: '' } },
			secrets: ['SK'],
		});
		expect(openSession({ ...credentials, securityToken: 'ST' })).toMatchObject({
			proof: { mode: 'accessKey', accessKey: { ...key, securityToken: 'ST' } },
			secrets: ['SK', 'ST'],
		});
	});

	it.each([
		['https://insight.example.com:8443', 'https://insight.example.com:8443'],
		['http://127.0.0.1:8008', 'http://127.0.0.1:8008'],
		['http://localhost:8008/', 'http://localhost:8008'],
		['http://[::1]:8008', 'http://[::1]:8008'],
	])('accepts the base URL %s', (baseUrl, origin) => {
		expect(openSession(custom(baseUrl)).origin).toBe(origin);
	});

	it.each([
		['Base URL', custom('')],
		['Base URL', custom('insight.example.com')],
		['Base URL', custom('ftp://insight.example.com')],
		['Base URL', custom('https://insight.example.com/v1/other')],
		['Base URL', custom('https://insight.example.com?x=1')],
		['Base URL', custom('https://insight.example.com#x')],
		['Base URL', custom('https://user:secret@insight.example.com')],
		['Base URL', custom('http://insight.example.com')],
		['Base URL', custom('http://127.0.0.1.example.com')],
		['Region', { ...good, region: '' }],
		['Region', { ...good, region: 'example.com/' }],
		['Region', { ...good, region: 'evil.example/cn-north-4' }],
		['Allowed Domains', { ...good, allowedHttpRequestDomains: 'domains', allowedDomains: 'example.com' }],
		['Allowed Domains', { ...good, allowedHttpRequestDomains: 'domains' }],
		['Region', { ...good, region: 'cn-north-4.example.com#' }],
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
		const open = () => openSession(credentials);
		expect(open).toThrow(InputError);
		expect(open).toThrow(`'${field}'`);
	});

	it('never lets a project ID change the path, nor a message repeat the token', () => {
		fc.assert(
			fc.property(fc.string(), fc.string(), (projectId, rest) => {
				const token = `MIIsecret${rest}`;
				try {
					const session = openSession({ ...good, projectId, token });
					expect(new URL(`/v1/${session.projectId}/x`, session.origin).pathname).toBe(
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
