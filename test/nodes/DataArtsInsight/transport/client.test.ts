import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { createClient, type ClientLimits } from '../../../../nodes/DataArtsInsight/transport/client';
import type { Credential } from '../../../../nodes/DataArtsInsight/transport/identity/credential';

let server: Server;
let origin: string;
/** What came, in this order. */
let seen: Array<Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { body: string }>;
let answer: RequestListener;

beforeEach(async () => {
	seen = [];
	answer = (_request, response) => response.end('{"id":"1"}');
	server = createServer((request, response) => {
		let body = '';
		request.on('data', (chunk) => (body += String(chunk)));
		request.on('end', () => {
			const { method, url, headers } = request;
			seen.push({ method, url, headers, body });
			answer(request, response);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	// No waits between repetitions.
	jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
	jest.restoreAllMocks();
	server.closeAllConnections();
	server.close();
});

const TOKEN = 'MIIsecret-of-a-user';
const KEY = { accessKeyId: 'AK', secretAccessKey: 'SK-secret' };
const common = () => ({ origin, projectId: 'p', workspaceId: 'w', allowUnauthorizedCerts: false });
const withToken = (): Credential => ({
	...common(),
	authentication: { mode: 'token', token: TOKEN },
	secrets: ['another-secret'],
});
/** A key that was never used before, as this server is new. */
const withKey = (): Credential => ({
	...common(),
	authentication: { mode: 'accessKey', accessKey: KEY, site: origin },
	secrets: [KEY.secretAccessKey],
});

const start = async (session: Credential, limits: Partial<ClientLimits> = {}) =>
	await createClient(session, { timeout: 60_000, maxRetries: 0, ...limits });

const failureOf = async (call: Promise<unknown>) =>
	await call.then(
		() => undefined,
		(error: unknown) => error as RequestError,
	);

it('a call with a body is sent as JSON, with who calls, and brings the JSON object', async () => {
	const call = await start(withToken());
	expect(seen).toEqual([]);
	expect(await call({ method: 'POST', path: '/v1/x?y=z', body: { a: 'ä' } })).toEqual({ id: '1' });
	expect(seen).toMatchObject([
		{
			method: 'POST',
			url: '/v1/x?y=z',
			headers: { 'content-type': 'application/json', 'x-auth-token': TOKEN, 'x-workspace-id': 'w' },
			body: '{"a":"ä"}',
		},
	]);
});

it('a call without a body has no Content-Type', async () => {
	const call = await start(withToken());
	await call({ method: 'GET', path: '/x' });
	expect(seen).toMatchObject([{ method: 'GET', body: '' }]);
	expect(seen[0]?.headers).not.toHaveProperty('content-type');
});

it.each([
	['POST' as const, true],
	['GET' as const, false],
])(
	'of a %s that brought no answer it is unknown whether it created something: %j',
	async (method, unknown) => {
		answer = (_request, response) => response.end('no JSON');
		const call = await start(withToken());
		expect(await failureOf(call({ method, path: '/x' }))).toMatchObject({
			details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: unknown },
		});
		expect(seen).toHaveLength(1);
	},
);

it('only what can be an answer to the call is taken for one (isAnswer)', async () => {
	const call = await start(withToken());
	const isAnswer = ({ id }: { id?: unknown }) => id === '2';
	expect(await failureOf(call({ method: 'GET', path: '/x', isAnswer }))).toMatchObject({
		details: { code: 'UNEXPECTED_ANSWER' },
	});
});

it.each([
	['as often as the run says', undefined, 2],
	['as often as the call says', 3, 3],
	['not at all, if the call says so', 0, 0],
])('what the service throttles is repeated %s', async (_how, maxRetries, repetitions) => {
	answer = (_request, response) => response.writeHead(429, { 'Retry-After': '0' }).end('{}');
	const call = await start(withToken(), { maxRetries: 2 });
	const error = await failureOf(call({ method: 'POST', path: '/x', body: {}, maxRetries }));
	expect(error).toMatchObject({ attempts: 1 + repetitions, details: { httpStatus: 429 } });
	expect(seen).toHaveLength(1 + repetitions);
});

it('an answer cannot show a secret of the session, nor the token', async () => {
	answer = ({ headers }, response) =>
		response.end(JSON.stringify({ a: `got ${String(headers['x-auth-token'])}`, b: 'another-secret' }));
	const call = await start(withToken());
	const shown = JSON.stringify(await call({ method: 'GET', path: '/x' }));
	expect(shown).not.toContain(TOKEN);
	expect(shown).not.toContain('another-secret');
	expect(shown).toContain('got ');
});

it('an answer cannot show the signature', async () => {
	let signature: string | undefined;
	answer = ({ headers }, response) => {
		signature = headers.authorization?.split('Signature=')[1];
		response.end(JSON.stringify({ a: `got ${signature}` }));
	};
	const call = await start(withKey());
	const { a } = await call({ method: 'POST', path: '/x', body: { b: 1 } });
	expect(signature).toMatch(/^[\da-f]{64}$/);
	expect(a).toMatch(/^got /);
	expect(a).not.toContain(signature);
});

it('whom the service does not accept hears what to do about the credential', async () => {
	answer = (_request, response) => response.writeHead(401).end('{}');
	const call = await start(withToken());
	expect(await failureOf(call({ method: 'GET', path: '/x' }))).toMatchObject({
		advice: expect.stringContaining('Get a new user token from IAM') as string,
		details: { httpStatus: 401 },
	});
});

it('a call that waits for another one to prove the key waits on when that is throttled, until it is stopped', async () => {
	let reply = () => {};
	answer = (_request, response) => {
		reply = () => response.writeHead(429, { 'Retry-After': '30' }).end('{}');
	};
	const stop = new AbortController();
	const call = await start(withKey(), { signal: stop.signal });
	const first = failureOf(call({ method: 'POST', path: '/1', body: {} }));
	while (seen.length === 0) await sleep(1);
	const second = failureOf(call({ method: 'POST', path: '/2', body: {} }));
	await sleep(5);
	reply();
	expect(await first).toMatchObject({ details: { httpStatus: 429 } });
	// Time enough to send it, if anybody did.
	await sleep(30);
	expect(seen).toHaveLength(1);
	stop.abort();
	expect(await second).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
	expect(seen).toHaveLength(1);
});

it('all calls of a run wait together while the service throttles one of them', async () => {
	let calls = 0;
	answer = (_request, response) =>
		++calls > 1 ? response.end('{}') : response.writeHead(429, { 'Retry-After': '61' }).end('{}');
	const call = await start(withToken());
	await failureOf(call({ method: 'GET', path: '/1' }));
	expect(await failureOf(call({ method: 'GET', path: '/2' }))).toMatchObject({
		message: expect.stringMatching(/^Not sent: the service asked for no calls/) as string,
	});
	// Another run asks for itself.
	const other = await start(withToken());
	expect(await other({ method: 'GET', path: '/3' })).toEqual({});
	expect(seen.map(({ url }) => url)).toEqual(['/1', '/3']);
});
