import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import {
	accessKey,
	endpointServices,
	projectId,
	startSimulator,
	temporaryKey,
	workspaceId,
	type AccessKey,
	type Simulator,
} from '.';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const MINUTE = 60_000;
const containing = (part: string): unknown => expect.stringContaining(part);
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
const date = (offset = 0) =>
	new Date(Date.now() + offset).toISOString().slice(0, 19).replace(/[-:]/g, '').concat('Z');

interface Call {
	method: string;
	/** Path and query as they are sent, and as they are signed. */
	url: string;
	signedPath: string;
	signedQuery: string;
	headers: Record<string, string>;
	/** Names of signed headers; by default all. */
	signed?: string[];
	body: string | Buffer;
}

const list = (change: Partial<Call> = {}): Call => ({
	method: 'GET',
	url: `/v1/${projectId}/connections`,
	signedPath: `/v1/${projectId}/connections/`,
	signedQuery: '',
	body: '',
	...change,
	headers: {
		host: new URL(simulator.url).host,
		'x-sdk-date': date(),
		'x-project-id': projectId,
		'x-workspace-id': workspaceId,
		...change.headers,
	},
});
const verify = (change: Partial<Call> = {}): Call =>
	list({
		method: 'POST',
		url: `/v1/${projectId}/connections/vpc-endpoint`,
		signedPath: `/v1/${projectId}/connections/vpc-endpoint/`,
		body: JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: endpointServices.webShop.name }),
		...change,
		headers: { 'content-type': 'application/json', ...change.headers },
	});

/** The header of the API reference, section 5, written down step by step. */
function sign(call: Call, { accessKeyId, secretAccessKey }: AccessKey = accessKey): string {
	const names = call.signed ?? Object.keys(call.headers).sort();
	const canonicalHeaders = names.map((name) => `${name}:${call.headers[name]?.trim()}\n`).join('');
	const canonical = `${call.method}\n${call.signedPath}\n${call.signedQuery}\n${canonicalHeaders}\n${names.join(';')}\n${sha256(call.body)}`;
	const toSign = `SDK-HMAC-SHA256\n${call.headers['x-sdk-date']}\n${sha256(canonical)}`;
	const signature = createHmac('sha256', secretAccessKey).update(toSign).digest('hex');
	return `SDK-HMAC-SHA256 Access=${accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}

/** Not `fetch`, which would tidy up paths and headers. */
async function send({ method, url, headers, body }: Call, authorization?: string) {
	const { hostname, port } = new URL(simulator.url);
	return await new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
		const outgoing = httpRequest({
			hostname,
			port,
			method,
			path: url,
			headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
		});
		outgoing.on('error', reject);
		outgoing.on('response', (response) => {
			text(response).then(
				(raw) => resolve({ status: response.statusCode, body: JSON.parse(raw) as unknown }),
				reject,
			);
		});
		outgoing.end(body);
	});
}

const signAndSend = (call: Call, key?: AccessKey) => send(call, sign(call, key));
const refused = (reason: string) => ({
	status: 401,
	body: {
		error_code: 'APIGW.0301',
		error_msg: containing(`Incorrect IAM authentication information: ${reason}`),
		request_id: expect.any(String) as unknown,
	},
});
const badSignature = refused('verify aksk signature fail');

describe('a signed request', () => {
	test('is answered like one with a token', async () => {
		expect(await signAndSend(list())).toMatchObject({ status: 200, body: { count: 0 } });
		expect(await signAndSend(verify())).toMatchObject({ status: 200, body: { ds_type: 'DWS' } });
		expect(simulator.refusedSignatures).toBe(0);
	});

	test('matches a signature that was computed once and for all', () => {
		// Its digests were made outside Node.js.
		const call: Call = {
			method: 'GET',
			url: '/v1/p/connections?limit=1',
			signedPath: '/v1/p/connections/',
			signedQuery: 'limit=1',
			headers: { host: 'example.com', 'x-sdk-date': '20250131T080000Z' },
			body: '',
		};
		const key = { accessKeyId: 'AK', secretAccessKey: 'SK' };
		expect(sign(call, key)).toBe(
			'SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=7cc53f85374d79094d6e65a7ed46cbc68101a2f55babcc7ef75b7dbf9f63078c',
		);
	});

	test('needs only the host and the date signed', async () => {
		expect(await signAndSend(verify({ signed: ['host', 'x-sdk-date'] }))).toMatchObject({ status: 200 });
	});

	test('may go without X-Project-Id', async () => {
		const call = list();
		delete call.headers['x-project-id'];
		expect(await signAndSend(call)).toMatchObject({ status: 200 });
	});

	test('has its query sorted and encoded', async () => {
		const call = list({
			url: `/v1/${projectId}/connections?offset=0&limit=%31`,
			signedQuery: 'limit=1&offset=0',
		});
		expect(await signAndSend(call)).toMatchObject({ status: 200 });
		const odd = list({
			url: `/v1/${projectId}/connections?b=2&a=%7e!&b=1&c&B=%2F+%C3%A4`,
			signedQuery: 'B=%2F%20%C3%A4&a=~%21&b=1&b=2&c=',
		});
		// The signature is right; only then the query is found to be wrong.
		expect(await signAndSend(odd)).toMatchObject({ status: 400, body: { error_code: 'APIGW.0201' } });
		expect(simulator.refusedSignatures).toBe(0);
	});

	test('has its path encoded segment by segment', async () => {
		const call = list({
			url: `/v1/%30${projectId.slice(1)}/connections`,
			signedPath: `/v1/${projectId}/connections/`,
		});
		expect(await signAndSend(call)).toMatchObject({ status: 200 });
		const elsewhere = list({
			url: "/v1/a%2fb'%20*/connections",
			signedPath: '/v1/a%2Fb%27%20%2A/connections/',
			headers: { 'x-project-id': "a/b' *" },
		});
		expect(await signAndSend(elsewhere)).toMatchObject({ status: 403, body: { error_code: 'APIGW.0310' } });
	});

	test('has its headers trimmed and its body taken byte by byte', async () => {
		expect(await signAndSend(list({ headers: { 'x-note': '  spaced  out ' } }))).toMatchObject({
			status: 200,
		});
		const name = `${endpointServices.webShop.name}\u00e4\u{1f600}`;
		const body = JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: name });
		expect(await signAndSend(verify({ body }))).toMatchObject({ status: 404 });
		const noText = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
		expect(await signAndSend(verify({ body: noText }))).toMatchObject({ status: 400 });
		expect(simulator.refusedSignatures).toBe(0);
	});

	test('works with the credential for it', async () => {
		const { authentication, region, baseUrl, ...key } = simulator.accessKeyCredentials;
		expect([authentication, region, baseUrl]).toEqual(['accessKey', 'custom', simulator.url]);
		expect(await signAndSend(list(), key)).toMatchObject({ status: 200 });
	});
});

describe('refusing', () => {
	test.each<[string, () => Call]>([
		['a path without the slash at its end', () => list({ signedPath: `/v1/${projectId}/connections` })],
		['a query that is not signed', () => list({ url: `/v1/${projectId}/connections?limit=1` })],
		[
			'a query that is not sorted',
			() => list({ url: `/v1/${projectId}/connections?b=1&a=1`, signedQuery: 'b=1&a=1' }),
		],
		['no signed host', () => list({ signed: ['x-sdk-date'] })],
		['no signed date', () => list({ signed: ['host'] })],
		['signed headers that are not sorted', () => list({ signed: ['x-sdk-date', 'host'] })],
		['a header signed twice', () => list({ signed: ['host', 'host', 'x-sdk-date'] })],
		['a signed header that is not there', () => list({ signed: ['host', 'x-sdk-date', 'x-what'] })],
		['an unknown date', () => list({ headers: { 'x-sdk-date': new Date().toISOString() } })],
		['a date without its Z', () => list({ headers: { 'x-sdk-date': date().slice(0, -1) } })],
		['a date in the 13th month', () => list({ headers: { 'x-sdk-date': '20251301T000000Z' } })],
		['a security token for a permanent key', () => list({ headers: { 'x-security-token': 'token' } })],
	])('%s', async (_, build) => {
		expect(await signAndSend(build())).toMatchObject(badSignature);
		expect(simulator.refusedSignatures).toBe(1);
	});

	test('no date at all', async () => {
		const call = list({ signed: ['host'] });
		delete call.headers['x-sdk-date'];
		expect(await signAndSend(call)).toMatchObject(badSignature);
	});

	test('another secret, method, body or header; and shows what was computed', async () => {
		expect(await signAndSend(verify(), { ...accessKey, secretAccessKey: 'wrong' })).toMatchObject(
			refused(
				`verify aksk signature fail, canonicalRequest:POST|/v1/${projectId}/connections/vpc-endpoint/||content-type:`,
			),
		);
		expect(await send(verify(), sign({ ...verify(), method: 'PUT' }))).toMatchObject(badSignature);
		const authorization = sign(verify());
		expect(await send(verify({ body: '{}' }), authorization)).toMatchObject(badSignature);
		const call = list();
		const forAnother = sign({ ...call, headers: { ...call.headers, 'x-workspace-id': 'another' } });
		expect(await send(call, forAnother)).toMatchObject(badSignature);
		expect(simulator.refusedSignatures).toBe(4);
	});

	test.each([
		['another algorithm', (good: string) => good.replace('SHA256', 'SHA1')],
		['a bearer', () => 'Bearer abc'],
		['nothing', () => ''],
		['no signature', (good: string) => good.replace(/, Signature.*/, '')],
		['a short signature', (good: string) => good.slice(0, -1)],
		['a signature in upper case', (good: string) => good.replace(/[0-9a-f]{64}$/, 'A'.repeat(64))],
	])('a header with %s', async (_, spoil) => {
		const call = list();
		expect(await send(call, spoil(sign(call)))).toMatchObject(badSignature);
	});

	test('a key that does not exist', async () => {
		const key = { ...accessKey, accessKeyId: 'NOSUCHACCESSKEY' };
		expect(await signAndSend(list(), key)).toMatchObject(refused('ak NOSUCHACCESSKEY not exist'));
		expect(simulator.refusedSignatures).toBe(1);
	});

	test('a token and a signature together', async () => {
		const call = list({ headers: { 'x-auth-token': simulator.credentials.token } });
		expect(await signAndSend(call)).toMatchObject({ status: 401, body: { error_code: 'APIGW.0305' } });
	});

	test('neither token nor signature', async () => {
		expect(await send(list())).toMatchObject(refused('x-auth-token not found'));
		expect(simulator.refusedSignatures).toBe(0);
	});

	test('another project in the header than in the path', async () => {
		const call = list({ headers: { 'x-project-id': 'elsewhere' } });
		expect(await signAndSend(call)).toMatchObject({ status: 403, body: { error_code: 'APIGW.0310' } });
	});
});

describe('a temporary key', () => {
	const { securityToken } = temporaryKey;

	test('works with its security token, signed or not', async () => {
		const call = list({ headers: { 'x-security-token': securityToken } });
		expect(await signAndSend(call, temporaryKey)).toMatchObject({ status: 200 });
		const unsigned = { ...call, signed: ['host', 'x-sdk-date'] };
		expect(await signAndSend(unsigned, temporaryKey)).toMatchObject({ status: 200 });
	});

	test('is refused without it or with another', async () => {
		expect(await signAndSend(list(), temporaryKey)).toMatchObject(badSignature);
		const call = list({ headers: { 'x-security-token': 'another' } });
		expect(await signAndSend(call, temporaryKey)).toMatchObject(badSignature);
	});
});

describe('the clock', () => {
	test.each([-16, 16])('%d minutes off is refused with both times', async (minutes) => {
		const call = list({ headers: { 'x-sdk-date': date(minutes * MINUTE) } });
		expect(await signAndSend(call)).toMatchObject(
			refused(
				`calc aksk signature fail:signature expired, signature time:${call.headers['x-sdk-date']},server time:`,
			),
		);
		expect(simulator.refusedSignatures).toBe(1);
		simulator.clockOffset = minutes * MINUTE;
		expect(await signAndSend(call)).toMatchObject({ status: 200 });
	});

	test.each([-14, 14])('%d minutes off is not', async (minutes) => {
		const call = list({ headers: { 'x-sdk-date': date(minutes * MINUTE) } });
		expect(await signAndSend(call)).toMatchObject({ status: 200 });
	});

	test('does not lock the key', async () => {
		simulator.clockOffset = 60 * MINUTE;
		for (let i = 0; i < 7; i++) expect(await signAndSend(list())).toMatchObject({ status: 401 });
		simulator.clockOffset = 0;
		expect(await signAndSend(list())).toMatchObject({ status: 200 });
	});
});

describe('locking a key', () => {
	const wrong = { ...accessKey, secretAccessKey: 'wrong' };
	const locked = refused('AK access failed to reach the limit,forbidden.');
	const fail = async (times: number) => {
		for (let i = 0; i < times; i++) expect(await signAndSend(list(), wrong)).toMatchObject(badSignature);
	};

	test('more than five bad signatures lock it for five minutes, even for the right secret', async () => {
		await fail(6);
		expect(await signAndSend(list())).toMatchObject(locked);
		expect(await signAndSend(list(), wrong)).toMatchObject(locked);
		expect(simulator.refusedSignatures).toBe(8);
		const other = list({ headers: { 'x-security-token': temporaryKey.securityToken } });
		expect(await signAndSend(other, temporaryKey)).toMatchObject({ status: 200 });

		simulator.clockOffset = 4 * MINUTE;
		expect(await signAndSend(list())).toMatchObject(locked);
		simulator.clockOffset = 5 * MINUTE;
		expect(await signAndSend(list())).toMatchObject({ status: 200 });
	});

	test('only when they come in a row', async () => {
		await fail(5);
		expect(await signAndSend(list())).toMatchObject({ status: 200 });
		await fail(5);
		expect(await signAndSend(list())).toMatchObject({ status: 200 });
	});

	test('ends with a reset', async () => {
		await fail(6);
		simulator.reset();
		expect(simulator.refusedSignatures).toBe(0);
		expect(await signAndSend(list())).toMatchObject({ status: 200 });
	});
});
