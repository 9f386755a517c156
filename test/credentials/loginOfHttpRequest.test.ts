import type { IDataObject, IHttpRequestOptions } from 'n8n-workflow';

import type { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { built } from '../build';

let accounts = 0;
/** Another account each time: the process keeps tokens. */
const newCredential = (change: IDataObject = {}): IDataObject => ({
	authentication: 'password',
	region: 'cn-north-4',
	domainName: `http-account-${++accounts}`,
	username: 'user',
	password: 'MIIsecret',
	projectId: 'p',
	workspaceId: 'w',
	...change,
});

/** Lets the credential log in through a helper that notes what it is asked for. */
async function logIn(credential: IDataObject, answer: () => Promise<unknown>) {
	const asked: IHttpRequestOptions[] = [];
	const httpRequest = async (options: IHttpRequestOptions) => {
		asked.push(options);
		return await answer();
	};
	const type = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi;
	const helper = { helpers: { httpRequest } };
	const result = await type.preAuthentication.call(helper, credential as never).then(
		(kept) => ({ kept, error: undefined }),
		(error: Error) => ({ kept: undefined, error }),
	);
	return { asked, ...result };
}
let tokens = 0;
const token = async () =>
	await Promise.resolve({ statusCode: 201, headers: { 'x-subject-token': `token-${++tokens}` }, body: {} });

it('the login follows no redirect, and has half a minute', async () => {
	const { asked } = await logIn(newCredential(), token);
	expect(asked).toMatchObject([{ disableFollowRedirect: true, timeout: 30_000 }]);
});

it.each([true, false])('the login checks the certificate unless told not to: %s', async (allow) => {
	const { asked } = await logIn(newCredential({ allowUnauthorizedCerts: allow }), token);
	expect(asked.map(({ skipSslCertificateValidation }) => skipSslCertificateValidation)).toEqual([allow]);
});

it('the try of an access key has half a minute, and follows no redirect', async () => {
	const key = { authentication: 'accessKey', accessKeyId: `AK-${++accounts}`, secretAccessKey: 'SK' };
	const { asked } = await logIn(
		newCredential(key),
		async () => await Promise.resolve({ statusCode: 200, headers: {}, body: { is_success: true } }),
	);
	expect(asked).toMatchObject([{ method: 'GET', disableFollowRedirect: true, timeout: 30_000 }]);
});

it('an IAM that does not answer in time is named as that', async () => {
	const late = Object.assign(new Error('timeout of 30000ms exceeded'), { code: 'ECONNABORTED' });
	const { error } = await logIn(newCredential(), async () => await Promise.reject(late));
	expect(error).toMatchObject({ details: { code: 'TIMEOUT', outcomeUnknown: false } });
});

it.each([
	['another project', { projectId: 'other' }],
	['a stricter credential', { allowUnauthorizedCerts: false }],
])('a token is not for %s', async (_what, change) => {
	const credential = newCredential({ allowUnauthorizedCerts: true });
	const first = await logIn(credential, token);
	const second = await logIn({ ...credential, ...change }, token);
	expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
	expect(second.kept?.sessionToken).not.toBe(first.kept?.sessionToken);
	expect(second.kept?.sessionLogin).not.toBe(first.kept?.sessionLogin);
});

it('what IAM says as text is read as well', async () => {
	const body = JSON.stringify({ error_code: 'IAM.0011', error_msg: 'The odd parameter' });
	const { error } = await logIn(
		newCredential(),
		async () => await Promise.resolve({ statusCode: 400, headers: {}, body }),
	);
	expect(error?.message).toContain('The odd parameter (IAM.0011)');
});

it('a refused key says which fields to check', async () => {
	const key = { authentication: 'accessKey', accessKeyId: `AK-${++accounts}`, secretAccessKey: 'SK' };
	const body = {
		error_code: 'APIGW.0301',
		error_msg: 'Incorrect IAM authentication information: verify aksk',
	};
	const { error } = await logIn(
		newCredential(key),
		async () => await Promise.resolve({ statusCode: 401, headers: {}, body }),
	);
	expect(error).toMatchObject({
		description: expect.stringContaining("Check 'Access Key ID' and 'Secret Access Key'") as string,
	});
});

describe('a token that n8n keeps', () => {
	const answers: Record<string, () => Promise<unknown>> = {
		'is taken': async () =>
			await Promise.resolve({ statusCode: 200, headers: {}, body: { is_success: true } }),
		'cannot be tried: a fault of the service': async () =>
			await Promise.resolve({ statusCode: 500, headers: {}, body: {} }),
		'cannot be tried: a fault of the network': async () =>
			await Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
	};
	it.each(Object.keys(answers))('is left alone where it %s, as n8n would repeat the request', async (how) => {
		const credential = newCredential();
		const { kept } = await logIn(credential, token);
		const { asked, kept: renewed } = await logIn({ ...credential, ...kept }, answers[how] ?? token);
		expect(asked.map(({ method }) => method)).toEqual(['GET']);
		expect(renewed).toEqual({});
	});

	it('is renewed where it is refused', async () => {
		const credential = newCredential();
		const { kept } = await logIn(credential, token);
		let count = 0;
		const { asked, kept: renewed } = await logIn({ ...credential, ...kept }, async () =>
			count++ ? await token() : await Promise.resolve({ statusCode: 401, headers: {}, body: {} }),
		);
		expect(asked.map(({ method }) => method)).toEqual(['GET', 'POST']);
		expect(renewed?.sessionToken).toBe(`token-${tokens}`);
	});
});

describe('a request that is signed', () => {
	const sign = async (options: object) => {
		const type = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi;
		const key = { authentication: 'accessKey', accessKeyId: `AK-${++accounts}`, secretAccessKey: 'SK' };
		const url = 'https://dataartsinsight.cn-north-4.myhuaweicloud.com/x';
		return await type.authenticate(newCredential(key) as never, { url, ...options });
	};

	it.each<[object, string]>([
		[{ a: 1 }, '{"a":1}'],
		[{}, '{}'],
		[[], '[]'],
	])('says that %j is JSON', async (body, text) => {
		for (const headers of [undefined, {}, { 'X-Other': 'kept' }]) {
			const signed = await sign({ method: 'POST', body, headers });
			expect(signed).toMatchObject({
				body: text,
				headers: { ...headers, 'Content-Type': 'application/json' },
			});
		}
	});

	it('keeps a content type of its own beside other headers', async () => {
		const headers = { 'X-Other': 'kept', 'content-type': 'text/x' };
		const signed = await sign({ method: 'POST', body: { a: 1 }, headers });
		expect(signed.headers).toMatchObject(headers);
		expect(signed.headers).not.toHaveProperty('Content-Type');
	});

	it('keeps the body of a GET unless it is empty', async () => {
		expect((await sign({ method: 'GET', body: { a: 1 } })).body).toBe('{"a":1}');
		expect((await sign({ method: 'GET', body: {} })).body).toBeUndefined();
	});

	it('without a body has no type of one', async () => {
		for (const method of ['GET', 'POST']) {
			const { body, headers } = await sign({ method, body: method === 'POST' ? null : undefined });
			expect(body).toBeUndefined();
			expect(headers).not.toHaveProperty('Content-Type');
		}
	});

	it('keeps the query of its address', async () => {
		expect((await sign({ qs: { n: 2 } })).url).toMatch(/\/x\?n=2$/);
		const url = 'https://dataartsinsight.cn-north-4.myhuaweicloud.com/x?a=1&b';
		expect((await sign({ url, qs: { n: 2 } })).url).toBe(`${url}&n=2`);
	});

	it('writes objects in the query as JSON', async () => {
		const { url } = await sign({ qs: { filter: { a: 1 }, n: 2 } });
		expect(url).toContain('?filter=%7B%22a%22%3A1%7D&n=2');
	});
});
