import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
} from 'n8n-workflow';

import type { DataArtsInsightApi } from '../../../../../credentials/DataArtsInsightApi.credentials';
import type { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { built, transport } from '../../../../support/engine/built';
import { LOGIN_LIMITS } from '../../../../../nodes/DataArtsInsight/transport/repeat';
import { fixBackOff } from '../../../../support/network/backOff';

/** What n8n's HTTP Request node asks of it. */
let type: DataArtsInsightApi;
beforeAll(async () => {
	type = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi;
});

const host = 'dataartsinsight.cn-north-4.myhuaweicloud.com';
const ours = `https://${host}`;

let count = 0;
/** Another caller each time: the process keeps tokens and refusals. */
function newCredential(
	authentication: 'token' | 'password' | 'accessKey' | 'agency',
	change: IDataObject = {},
): ICredentialDataDecryptedObject {
	const own = `own-${++count}`;
	return {
		...{ authentication, region: 'cn-north-4', projectId: 'p', workspaceId: 'w' },
		...{ token: own, accessKeyId: own, secretAccessKey: 'SK-secret' },
		...{ domainName: own, username: 'user', password: 'MIIsecret' },
		...{ agencyAccount: 'owner', agencyName: 'acceptance', sessionToken: '', sessionLogin: '' },
		...(change as ICredentialDataDecryptedObject),
	};
}

type Options = Partial<IHttpRequestOptions> & { uri?: string; form?: unknown; formData?: unknown };

const authenticate = async (credential: ICredentialDataDecryptedObject, options: Options) =>
	(await type.authenticate(credential, { url: `${ours}/x`, ...options })) as Options;
const sign = async (options: Options) => await authenticate(newCredential('accessKey'), options);

interface Reply {
	statusCode: number;
	headers: IDataObject;
	body: unknown;
}
const reply = (statusCode: number, body: unknown = {}, headers: IDataObject = {}): Reply => ({
	...{ statusCode, headers, body },
});
const good = reply(200, { is_success: true });
let tokens = 0;
const login = () => reply(201, {}, { 'x-subject-token': `token-${++tokens}` });

/** What n8n asks of a credential before a request, with a helper that notes what it is asked for. */
async function prepare(
	credential: ICredentialDataDecryptedObject,
	...answers: Array<Reply | Error | (() => Reply | Promise<Reply>)>
) {
	const asked: IHttpRequestOptions[] = [];
	const httpRequest = async (options: IHttpRequestOptions) => {
		asked.push(options);
		const answer = answers[Math.min(asked.length, answers.length) - 1] ?? login;
		if (answer instanceof Error) return await Promise.reject(answer);
		return await Promise.resolve(typeof answer === 'function' ? answer() : answer);
	};
	const helper: IHttpRequestHelper = { helpers: { httpRequest } };
	const call = type.preAuthentication.call(helper, credential);
	const result = await call.then(
		(kept) => ({ kept, error: undefined }),
		(error: RequestError) => ({ kept: undefined, error }),
	);
	return { asked, ...result };
}

/** Time that passes at once, so that no login waits for the one before. */
let passed = 0;
/** The timers of requests, which ring by hand. */
const timers: AbortController[] = [];
const now = performance.now.bind(performance);
beforeEach(() => {
	jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
		const end = new AbortController();
		timers.push(end);
		return end.signal;
	});
	jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.spyOn(Date, 'now').mockImplementation(() => 1_700_000_000_000 + passed);
	fixBackOff(0);
});
afterEach(() => jest.restoreAllMocks());

describe('a request with a token', () => {
	it('carries it and the workspace beside its own headers, and is left as it was otherwise', async () => {
		const options = { method: 'POST' as const, body: { a: 1 }, qs: { n: 2 }, headers: { 'X-Other': 'kept' } };
		const request = await authenticate(newCredential('token'), options);
		expect(request).toMatchObject({
			...{ url: `${ours}/x`, method: 'POST', body: { a: 1 }, qs: { n: 2 } },
			headers: { 'X-Other': 'kept', 'X-Auth-Token': `own-${count}`, 'X-Workspace-Id': 'w' },
		});
	});

	it('follows no redirect, in the words of either helper of n8n', async () => {
		for (const kind of ['token', 'accessKey'] as const) {
			expect(
				await authenticate(newCredential(kind), {
					...{ maxRedirects: 5, disableFollowRedirect: false, followRedirect: true },
				}),
			).toMatchObject({
				...{ disableFollowRedirect: true, followRedirect: false, followAllRedirects: false },
				...{ maxRedirects: 0, sendCredentialsOnCrossOriginRedirect: false },
			});
		}
	});

	it('has that which n8n keeps, if it came from this very login', async () => {
		const credential = newCredential('password');
		const headersOf = async (change: object) =>
			(await authenticate({ ...credential, ...change }, { headers: { 'X-Other': 'kept' } })).headers;
		// Without one the service refuses, and n8n logs in.
		expect(await headersOf({})).toEqual({ 'X-Other': 'kept' });
		const { kept } = await prepare(credential, login);
		expect(await headersOf({ ...kept })).toEqual({
			...{ 'X-Other': 'kept', 'X-Auth-Token': kept?.sessionToken, 'X-Workspace-Id': 'w' },
		});
		expect(await headersOf({ ...kept, password: 'changed' })).toEqual({ 'X-Other': 'kept' });
		expect(await headersOf({ ...kept, sessionToken: ' ' })).toEqual({ 'X-Other': 'kept' });
		expect(await headersOf({ sessionToken: 'unknown' })).toEqual({ 'X-Other': 'kept' });
	});
});

describe('the address of a request', () => {
	it.each<[string, Options, Options]>([
		['a URL', { url: `${ours}/a?b` }, { url: `${ours}/a?b` }],
		[
			'the older field',
			{ uri: `${ours}/a`, url: 'https://evil.example/' },
			{ uri: `${ours}/a`, url: undefined },
		],
		['a URL beside a base', { baseURL: 'https://evil.example', url: `${ours}/a` }, { url: `${ours}/a` }],
		['a path at a base', { baseURL: ours, url: 'a' }, { url: `${ours}/a` }],
		[
			'slashes between base and path',
			{ baseURL: `${ours}/v1//`, url: '//a//b/' },
			{ url: `${ours}/v1/a//b/` },
		],
		['slashes within', { baseURL: `${ours}//v1//p`, url: 'a//b' }, { url: `${ours}//v1//p/a//b` }],
		['a bare percent sign', { url: `${ours}/100%/%4a%zz%4` }, { url: `${ours}/100%25/%4a%25zz%254` }],
		['capitals in what is encoded', { url: `${ours}/%C3%A9%` }, { url: `${ours}/%C3%A9%25` }],
	])('is the one that was looked at, and no other beside it: %s', async (_what, options, sent) => {
		for (const kind of ['token', 'accessKey'] as const) {
			const request = await authenticate(newCredential(kind), options);
			expect(request).toMatchObject(sent);
			expect(request.baseURL).toBeUndefined();
			expect([request.url, request.uri].filter((address) => address !== undefined)).toHaveLength(1);
		}
	});

	it.each<[string, Options]>([
		['no URL', { url: '/x' }],
		['no URL at no base', { url: '/x', baseURL: '' }],
		['no base', { url: '/x', baseURL: 'nowhere' }],
	])('has to be one: %s', async (_what, options) => {
		await expect(authenticate(newCredential('token'), options)).rejects.toThrow(
			'The URL of the request is not a web address',
		);
	});

	it.each<[string, Options]>([
		['another host beside our base URL', { baseURL: ours, url: 'https://evil.example/x' }],
		['a path at another base URL', { baseURL: 'https://evil.example', url: '/x' }],
		['a trailing dot', { url: `${ours}./x` }],
		['another port', { url: `${ours}:8443/x` }],
		['no encryption', { url: `http://${host}/x` }],
		['our host as the user', { url: `https://${host}@evil.example/x` }],
		['our host as the user with a password', { url: `https://${host}:x@evil.example/` }],
		['a backslash before our host', { url: `https://evil.example\\@${host}/x` }],
		['backslashes for slashes', { url: 'https:\\\\evil.example\\x' }],
		['our host as a subdomain', { url: `${ours}.evil.example/x` }],
		['an encoded dot', { url: `${ours}%2eevil.example/x` }],
		['a tab', { url: `${ours}\t.evil.example/x` }],
		['our host as a fragment', { url: `https://evil.example#@${host}/` }],
		['our host as a query', { url: `https://evil.example?@${host}/` }],
		['no host of its own', { url: '//evil.example/x' }],
		['another host in the older field', { uri: 'https://evil.example/x', url: `${ours}/x` }],
	])('gets no token and no signature: %s', async (_what, options) => {
		for (const kind of ['token', 'password', 'accessKey'] as const) {
			const call = authenticate(newCredential(kind), options);
			await expect(call).rejects.toThrow(/^The credential is not for|is not a web address$/);
		}
	});

	it.each<[string, Options]>([
		['two slashes after our base URL', { baseURL: ours, url: '//evil.example/x' }],
		['backslashes after our base URL', { baseURL: ours, url: '\\\\evil.example\\x' }],
		['an at sign after our base URL', { baseURL: ours, url: '@evil.example/x' }],
		['a dot after our base URL', { baseURL: ours, url: '.evil.example/x' }],
		['a colon after our base URL', { baseURL: ours, url: ':8443/x' }],
		['another base URL', { baseURL: 'https://evil.example', url: `${ours}/x` }],
		['capitals', { url: `${ours.toUpperCase()}/x` }],
		['the port of the scheme', { url: `${ours}:443/x` }],
		['a backslash after our host', { url: `${ours}\\@evil.example/x` }],
		['the older field', { uri: `${ours}/x` }],
		['another base URL beside the older field', { uri: `${ours}/x`, baseURL: 'https://evil.example' }],
		['another host beside the older field', { uri: `${ours}/x`, url: 'https://evil.example/x' }],
	])('is the host of the credential: %s', async (_what, options) => {
		for (const kind of ['token', 'accessKey'] as const) {
			const { url, uri, baseURL, headers } = await authenticate(newCredential(kind), options);
			expect(Object.keys(headers ?? {})).toContain(kind === 'token' ? 'X-Auth-Token' : 'Authorization');
			const addresses = [url, uri, baseURL].filter((address) => address !== undefined);
			expect(addresses.map((address) => new URL(address).host)).toEqual([host]);
		}
	});
});

describe('a request that is signed', () => {
	it('has its query in the address, and nothing beside it', async () => {
		const { url, qs } = await sign({ url: `${ours}/x?b=2&c`, qs: { a: [1, 'é ü'], n: { k: 1 }, t: true } });
		expect(url).toBe(`${ours}/x?b=2&c&a=1&a=%C3%A9%20%C3%BC&n=%7B%22k%22%3A1%7D&t=true`);
		expect(qs).toEqual({});
		expect((await sign({ qs: { a: 1 } })).url).toBe(`${ours}/x?a=1`);
		expect((await sign({})).url).toBe(`${ours}/x`);
		expect((await sign({ uri: `${ours}/x`, qs: { a: 1 } })).uri).toBe(`${ours}/x?a=1`);
	});

	it('carries the signature, the project and the workspace', async () => {
		const { headers } = await sign({ headers: { 'X-Other': 'kept' } });
		expect(headers).toMatchObject({ 'X-Other': 'kept', 'X-Project-Id': 'p', 'X-Workspace-Id': 'w' });
		expect(headers?.Authorization).toContain('SignedHeaders=host;x-project-id;x-sdk-date;x-workspace-id');
	});

	it.each<[string, Options, string | undefined, boolean]>([
		['an object', { method: 'POST', body: { a: 1 } }, '{"a":1}', true],
		['an empty object', { method: 'POST', body: {} }, '{}', true],
		['a list', { method: 'POST', body: [1] }, '[1]', true],
		['an object of a GET', { method: 'GET', body: { a: 1 } }, '{"a":1}', true],
		['an empty object of a GET', { method: 'GET', body: {} }, undefined, false],
		['an empty object of no method', { body: {} }, undefined, false],
		['text', { method: 'POST', body: 'text' }, 'text', false],
		['no text', { method: 'POST', body: '' }, undefined, false],
		['nothing', { method: 'POST', body: undefined }, undefined, false],
		['null', { method: 'POST', body: null }, undefined, false],
	])('sends the very text that was signed: %s', async (_what, options, body, isJson) => {
		for (const headers of [undefined, { 'X-Other': 'kept' }]) {
			const request = await sign({ ...options, headers });
			expect(request.body).toBe(body);
			expect(request.headers?.['Content-Type']).toBe(isJson ? 'application/json' : undefined);
		}
		const own = await sign({ ...options, headers: { 'X-Other': 'kept', 'content-Type': 'text/x' } });
		expect(own.headers).toMatchObject({ 'X-Other': 'kept', 'content-Type': 'text/x' });
		expect(own.headers).not.toHaveProperty('Content-Type');
	});

	it.each<Options>([
		{ form: {} },
		{ formData: {} },
		{ form: {}, formData: {} },
		{ form: {}, body: 'x' },
		{ formData: {}, body: 'x' },
		{ body: Buffer.from('x') },
		{ body: new URLSearchParams('a=1') },
	])('is none with what n8n makes into a body itself: %j', async (options) => {
		await expect(sign({ method: 'POST', ...options })).rejects.toThrow('cannot be signed');
	});
});

it('a request without TLS, to this machine, goes through no proxy of the environment, which would see the token', async () => {
	const own = 'http://127.0.0.1:8080';
	const credential = newCredential('token', { region: 'custom', baseUrl: own });
	const itself = { protocol: 'http:', host: '127.0.0.1', port: 8080 };
	expect((await authenticate(credential, { url: `${own}/x` })).proxy).toEqual(itself);
	const chosen = { host: 'proxy.example.com', port: 3128 };
	expect((await authenticate(credential, { url: `${own}/x`, proxy: chosen })).proxy).toEqual(chosen);
	expect(await authenticate(newCredential('token'), {})).not.toHaveProperty('proxy');
});

describe('what n8n asks for before a request', () => {
	it('is nothing with a user token: nothing is sent', async () => {
		expect(await prepare(newCredential('token'))).toMatchObject({ asked: [], kept: {} });
	});

	it.each([true, false])(
		'is a login with a password; certificate unchecked: %s',
		async (allowUnauthorizedCerts) => {
			const { asked, kept } = await prepare(newCredential('password', { allowUnauthorizedCerts }), login);
			expect(kept).toEqual({ sessionToken: `token-${tokens}`, sessionLogin: expect.any(String) as string });
			expect(asked).toMatchObject([
				{
					...{
						method: 'POST',
						url: 'https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens?nocatalog=true',
					},
					...{ timeout: 31_000, disableFollowRedirect: true, ignoreHttpStatusErrors: true },
					...{ returnFullResponse: true, skipSslCertificateValidation: allowUnauthorizedCerts },
					...{ abortSignal: expect.any(AbortSignal) as AbortSignal },
					headers: { 'Content-Type': 'application/json' },
					body: expect.stringContaining('MIIsecret') as string,
				},
			]);
		},
	);

	it('is a check of an access key by a request that creates nothing, once', async () => {
		const credential = newCredential('accessKey');
		const { asked, kept } = await prepare(credential, good);
		expect(kept).toEqual({});
		expect(asked).toMatchObject([
			{
				...{ method: 'GET', url: `${ours}/v1/p/connections?limit=1&offset=0`, timeout: 31_000 },
				headers: {
					...{ 'X-Project-Id': 'p', 'X-Workspace-Id': 'w' },
					Authorization: expect.stringContaining(`Access=own-${count}`) as string,
				},
			},
		]);
		expect((await prepare(credential, good)).asked).toEqual([]);
	});

	it('is no other check of an access key that was refused, and no request with it', async () => {
		const credential = newCredential('accessKey');
		const refused = reply(401, { error_code: 'APIGW.0301', error_msg: 'verify aksk fail: SK-secret' });
		const { error } = await prepare(credential, refused);
		expect(error?.advice).toContain("Check 'Access Key ID' and 'Secret Access Key'");
		// Even if the service repeats it.
		expect(JSON.stringify([error?.message, error])).not.toContain('SK-secret');
		expect((await prepare(credential, good)).asked).toEqual([]);
		await expect(authenticate(credential, {})).rejects.toThrow(transport.RequestError);
	});

	it.each<[string, Reply | Error]>([
		['a fault of the service', reply(500)],
		['a fault of the network', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
	])('is nothing more where a key cannot be checked: %s', async (_what, answer) => {
		const { kept, asked } = await prepare(newCredential('accessKey'), answer);
		expect(kept).toEqual({});
		// It is tried once: n8n's own request is what counts.
		expect(asked).toHaveLength(1);
	});
});

describe('a login for the HTTP Request node that fails', () => {
	const refused = Object.assign(new Error('MIIsecret'), { code: 'ECONNREFUSED' });

	it('because there is no connection is tried again, since nothing was sent, and says why', async () => {
		const { error, asked } = await prepare(newCredential('password'), refused);
		expect(asked).toHaveLength(3);
		expect(error).toMatchObject({
			message: 'No token from IAM: No connection to iam.cn-north-4.myhuaweicloud.com: it was refused',
			details: { code: 'CONNECTION_FAILED', outcomeUnknown: false },
		});
		expect(JSON.stringify([error?.message, error])).not.toContain('MIIsecret');
	});

	const never = async () => await new Promise<never>(() => undefined);

	it('because IAM does not answer in time is not tried again', async () => {
		const asking = prepare(newCredential('password'), never);
		// The requests of all tests with 30 seconds share one timer.
		await new Promise((resolve) => setImmediate(resolve));
		passed += LOGIN_LIMITS.timeout;
		for (const end of timers.splice(0)) end.abort();
		const { error, asked } = await asking;
		expect(asked).toHaveLength(1);
		expect(error?.details).toMatchObject({ code: 'TIMEOUT', outcomeUnknown: false });
		expect(asked[0]?.abortSignal?.aborted).toBe(true);
	});

	it('whose response is lost is tried again, since it creates nothing', async () => {
		const { error, asked } = await prepare(newCredential('password'), new Error('MIIsecret'));
		expect(asked).toHaveLength(3);
		expect(error?.details.code).toBe('CONNECTION_LOST');
		expect(JSON.stringify([error?.message, error])).not.toContain('MIIsecret');
	});

	it.each([
		['text', JSON.stringify({ error: { code: 'IAM.0011', message: 'The odd parameter' } })],
		['an object', { error: { code: 'IAM.0011', message: 'The odd parameter' } }],
	])("says what IAM says, whether n8n's helper gives %s", async (_what, body) => {
		const { error } = await prepare(newCredential('password'), reply(400, body));
		expect(error?.message).toBe('No token from IAM: The odd parameter (IAM.0011)');
	});
});

describe('a token that n8n keeps', () => {
	it.each<[string, Reply | Error]>([
		['is taken', good],
		['meets a fault of the service', reply(500)],
		['meets a fault of the network', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
	])('is left alone where it %s: n8n would repeat its request', async (_how, answer) => {
		const credential = newCredential('password');
		const { kept } = await prepare(credential, login);
		const second = await prepare({ ...credential, ...kept } as typeof credential, answer, login);
		expect(second.kept).toEqual({});
		expect(second.asked).toMatchObject([
			{
				...{ method: 'GET', url: `${ours}/v1/p/connections?limit=1&offset=0`, timeout: 31_000 },
				headers: { 'X-Auth-Token': kept?.sessionToken, 'X-Workspace-Id': 'w' },
			},
		]);
		expect(second.asked[0]?.headers).not.toHaveProperty('Authorization');
	});

	it('is renewed where the service refuses it (401)', async () => {
		const credential = newCredential('password');
		const { kept } = await prepare(credential, login);
		passed += 10_000;
		const second = await prepare({ ...credential, ...kept } as typeof credential, reply(401), login);
		expect(second.asked.map(({ method }) => method)).toEqual(['GET', 'POST']);
		expect(second.kept?.sessionToken).toBe(`token-${tokens}`);
		expect(second.kept?.sessionToken).not.toBe(kept?.sessionToken);
	});

	it.each([
		['another password', { password: 'changed' }],
		['another project', { projectId: 'other' }],
		['a credential that checks certificates', { allowUnauthorizedCerts: false }],
	])('is not even tried for %s', async (_what, change) => {
		const credential = newCredential('password', { allowUnauthorizedCerts: true });
		const { kept } = await prepare(credential, login);
		const changed = { ...credential, ...kept, ...change } as typeof credential;
		expect((await prepare(changed, login)).asked.map(({ method }) => method)).toEqual(['POST']);
	});
});

let keys = 0;
const agencyKeys = () => {
	const number = ++keys;
	const credential = { access: `AKT${number}`, secret: `SKT-${number}`, securitytoken: `ST-${number}` };
	return reply(201, { credential: { ...credential, expires_at: '2999-01-01T00:00:00Z' } });
};
const signer = ({ headers }: Options | IHttpRequestOptions) =>
	/Access=([^,]+),/.exec((headers?.Authorization ?? '') as string)?.[1];
const calls = (asked: IHttpRequestOptions[]) =>
	asked.map(({ method, url }) => `${method} ${new URL(url).pathname}`);
const FETCH = 'POST /v3.0/OS-CREDENTIAL/securitytokens';

describe('an agency', () => {
	it('has its temporary keys fetched before the first request, and each request signed with them', async () => {
		const credential = newCredential('agency');
		const { asked, kept } = await prepare(credential, agencyKeys);
		// n8n is given nothing to keep: the keys stay in memory.
		expect(kept).toEqual({});
		expect(calls(asked)).toEqual([FETCH]);
		expect(asked[0]?.url).toContain('https://iam.cn-north-4.myhuaweicloud.com/');
		expect(signer(asked[0] ?? {})).toBe(`own-${count}`);
		const request = await authenticate(credential, { headers: { 'X-Other': 'kept' } });
		expect(signer(request)).toBe(`AKT${keys}`);
		expect(request.headers).toMatchObject({
			...{ 'X-Other': 'kept', 'X-Project-Id': 'p', 'X-Workspace-Id': 'w' },
			'X-Security-Token': `ST-${keys}`,
		});
		// For another request n8n reads the credential anew.
		expect((await prepare({ ...credential }, agencyKeys)).asked).toEqual([]);
	});

	it('has them fetched once for all requests at once', async () => {
		const credential = newCredential('agency');
		const all = Array.from({ length: 20 }, async () => await prepare({ ...credential }, agencyKeys));
		expect((await Promise.all(all)).flatMap(({ asked }) => calls(asked))).toEqual([FETCH]);
	});

	it('whose keys the service refuses gets new ones, and n8n is made to send the request again', async () => {
		const credential = newCredential('agency');
		await prepare(credential, agencyKeys);
		await authenticate(credential, {});
		passed += 10_000;
		const after = await prepare(credential, reply(401), agencyKeys);
		expect(calls(after.asked)).toEqual(['GET /v1/p/connections', FETCH]);
		// Blank, so that n8n asks before each request; given at all, so that n8n sends this one again.
		expect(after.kept).toEqual({ sessionToken: '', sessionLogin: '' });
		expect(signer(await authenticate(credential, {}))).toBe(`AKT${keys}`);
	});

	it.each<[string, Reply | Error]>([
		['takes them', good],
		['refuses something else', reply(403)],
		['has a fault', reply(500)],
		['does not answer', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
	])(
		'has no request sent again that failed while the service %s: it may have acted',
		async (_how, answer) => {
			const credential = newCredential('agency');
			await prepare(credential, agencyKeys);
			await authenticate(credential, {});
			const { kept, asked } = await prepare(credential, answer, agencyKeys);
			expect(kept).toEqual({});
			expect(calls(asked)).toEqual(['GET /v1/p/connections']);
		},
	);

	it('has the keys of the failed request tried, even if another request has got new ones since', async () => {
		const credential = newCredential('agency');
		await prepare(credential, agencyKeys);
		await authenticate(credential, {});
		const [first, other] = [`AKT${keys}`, { ...credential }];
		await authenticate(other, {});
		passed += 10_000;
		await prepare(other, reply(401), agencyKeys);
		const { kept, asked } = await prepare(credential, good);
		expect(kept).toEqual({});
		expect(signer(asked[0] ?? {})).toBe(first);
	});

	it('whose credential still holds the token of a password sends nothing of it, gets keys and clears it', async () => {
		const password = newCredential('password');
		const { kept: stale } = await prepare(password, login);
		const credential = { ...password, ...stale, authentication: 'agency' } as typeof password;
		// n8n asks for nothing before the request, since there is a token.
		const unsigned = await authenticate(credential, { headers: { 'X-Other': 'kept' } });
		expect(unsigned.headers).toEqual({ 'X-Other': 'kept' });
		const { kept, asked } = await prepare(credential, agencyKeys);
		expect(calls(asked)).toEqual([FETCH]);
		expect(kept).toEqual({ sessionToken: '', sessionLogin: '' });
		expect(signer(await authenticate(credential, {}))).toBe(`AKT${keys}`);
	});

	it.each<[string, number, string, string]>([
		['its access key', 401, 'APIGW.0301', "Check 'Access Key ID' and 'Secret Access Key'"],
		['the agency', 403, 'IAM.0002', 'Agent Operator'],
	])(
		'to which IAM refuses %s sends nothing more, and says what to do',
		async (_what, status, code, words) => {
			const credential = newCredential('agency');
			const refused = reply(status, { error_msg: 'no SK-secret', error_code: code });
			const { error } = await prepare(credential, refused);
			expect(error?.message).toContain('No temporary keys from IAM: no ***');
			expect(error?.advice).toContain(words);
			expect(JSON.stringify([error?.message, error])).not.toContain('SK-secret');
			expect((await prepare({ ...credential }, agencyKeys)).asked).toEqual([]);
			await expect(authenticate({ ...credential }, {})).rejects.toThrow(transport.RequestError);
		},
	);
});

describe('a credential without a workspace, as owners of endpoint services have it', () => {
	const services = 'https://vpcep.cn-north-4.myhuaweicloud.com';

	it.each(['token', 'accessKey', 'agency'] as const)('can be used for their service: %s', async (kind) => {
		const credential = newCredential(kind, { workspaceId: '' });
		const answers = kind === 'agency' ? [agencyKeys] : [good];
		const { error, asked } = await prepare(credential, ...answers);
		expect(error).toBeUndefined();
		if (kind === 'accessKey') {
			expect(asked[0]?.url).toBe(`${services}/v1/p/vpc-endpoint-services?limit=1&offset=0`);
			expect(asked[0]?.headers).not.toHaveProperty('X-Workspace-Id');
		}
		const { headers } = await authenticate(credential, { url: `${services}/v1/p/vpc-endpoint-services` });
		expect(Object.keys(headers ?? {})).toContain(kind === 'token' ? 'X-Auth-Token' : 'Authorization');
		await expect(authenticate(credential, {})).rejects.toThrow("'Workspace ID' in the credential is blank");
	});
});

it('another region has hosts of its own, and gets nothing sent to those of the list', async () => {
	const credential = newCredential('token', {
		...{ region: 'other', regionId: 'ap-southeast-3', domainSuffix: 'cloud.example' },
	});
	const url = 'https://dataartsinsight.ap-southeast-3.cloud.example/v1';
	expect((await authenticate(credential, { url })).headers).toHaveProperty('X-Auth-Token');
	await expect(authenticate(credential, {})).rejects.toThrow(`The credential is not for ${host}`);
});
