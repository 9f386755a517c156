import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeEgressFilter } from 'n8n-workflow';

import {
	type ClientLimits,
	type ClientRequest,
	createClient,
	sendRequest,
} from '../../../../nodes/DataArtsInsight/transport/client';
import {
	InputError,
	type RequestContext,
	RequestError,
} from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import type { Credential } from '../../../../nodes/DataArtsInsight/transport/identity/credential';
import { ExchangeError } from '../../../../nodes/DataArtsInsight/transport/network/failure';
import { findRoute } from '../../../../nodes/DataArtsInsight/transport/network/route';
import { setProxies } from '../../../support/network/httpProxy';
import { fixBackOff } from '../../../support/network/backOff';

let server: Server;
let origin: string;
/** What came, in this order. */
let seen: Array<Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { body: string }>;
let respond: RequestListener;
let connections: number;

beforeEach(async () => {
	seen = [];
	connections = 0;
	respond = (_request, response) => response.end('{"id":"1"}');
	server = createServer((request, response) => {
		let body = '';
		request.on('data', (chunk) => (body += String(chunk)));
		request.on('end', () => {
			const { method, url, headers } = request;
			seen.push({ method, url, headers, body });
			respond(request, response);
		});
	}).listen(0, '127.0.0.1');
	server.on('connection', () => connections++);
	await once(server, 'listening');
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	// No waits before retries.
	fixBackOff(0);
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

const start = (credential: Credential, limits: Partial<ClientLimits> = {}) =>
	createClient(credential, { helpers: {}, timeout: 60_000, maxRetries: 0, ...limits });

/** What a promise is rejected with. */
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const DOUBT = 'Something may exist';

describe('a client', () => {
	it('sends a body as JSON, with who calls, and gives the JSON object', async () => {
		const call = start(withToken());
		expect(seen).toEqual([]);
		expect(
			await call({ method: 'POST', doubt: 'It may have acted', path: '/v1/x?y=z', body: { a: 'ä' } }),
		).toEqual({ id: '1' });
		expect(seen).toMatchObject([
			{
				method: 'POST',
				url: '/v1/x?y=z',
				headers: { 'content-type': 'application/json', 'x-auth-token': TOKEN, 'x-workspace-id': 'w' },
				body: '{"a":"ä"}',
			},
		]);
	});

	it('sends no Content-Type without a body', async () => {
		const call = start(withToken());
		await call({ method: 'GET', path: '/x' });
		expect(seen).toMatchObject([{ method: 'GET', body: '' }]);
		expect(seen[0]?.headers).not.toHaveProperty('content-type');
	});

	const BAD: Array<[string, RequestListener]> = [
		['is no JSON', (_request, response) => response.end('no JSON')],
		['is a fault', (_request, response) => response.writeHead(500).end('{}')],
		['is lost', (request) => request.socket.resetAndDestroy()],
		['is cut short', (request, response) => response.write('{', () => request.socket.destroy())],
	];

	it.each(BAD)('whose response %s says so of a request that may have acted', async (_how, listener) => {
		respond = listener;
		const error = await failureOf(start(withToken())({ method: 'POST', path: '/x', doubt: DOUBT }));
		expect(error).toMatchObject({ details: { outcomeUnknown: true } });
		expect((error as RequestError).description).toContain(DOUBT);
		expect(seen).toHaveLength(1);
	});

	it.each(BAD)(
		'whose response %s never says that something may exist after a GET',
		async (_how, listener) => {
			respond = listener;
			const error = await failureOf(start(withToken())({ method: 'GET', path: '/x' }));
			expect(error).toMatchObject({ details: { outcomeUnknown: false } });
			expect((error as RequestError).description).not.toMatch(/may exist|undefined/);
			expect(seen).toHaveLength(1);
		},
	);

	it('takes only an object that lacks nothing for a success (missing)', async () => {
		const call = start(withToken());
		const request = (id: string): ClientRequest => ({
			...{ method: 'GET', path: '/x' },
			missing: (object) => (object.id === id ? undefined : `the ID ${id}`),
		});
		expect(await failureOf(call(request('2')))).toMatchObject({
			message: 'The service answered without the ID 2',
			details: { code: 'UNEXPECTED_ANSWER' },
		});
		expect(await call(request('1'))).toEqual({ id: '1' });
	});

	it.each([
		['as often as the client does', undefined, 2],
		['as often as the request says', 3, 3],
		['not at all, if the request says so', 0, 0],
	])('sends what the service throttles again %s', async (_how, maxRetries, retries) => {
		respond = (_request, response) => response.writeHead(429, { 'Retry-After': '0' }).end('{}');
		const call = start(withToken(), { maxRetries: 2 });
		const error = await failureOf(
			call({ method: 'POST', doubt: 'It may have acted', path: '/x', body: {}, maxRetries }),
		);
		expect(error).toMatchObject({ details: { httpStatus: 429 } });
		expect((error as RequestError).description.includes(`Tried ${1 + retries} times`)).toBe(retries > 0);
		expect(seen).toHaveLength(1 + retries);
	});

	it('shows no secret of the credential, nor the token', async () => {
		respond = ({ headers }, response) =>
			response.end(JSON.stringify({ a: `got ${String(headers['x-auth-token'])}`, b: 'another-secret' }));
		const shown = JSON.stringify(await start(withToken())({ method: 'GET', path: '/x' }));
		expect(shown).not.toContain(TOKEN);
		expect(shown).not.toContain('another-secret');
		expect(shown).toContain('got ');
	});

	it('shows no signature', async () => {
		let signature: string | undefined;
		respond = ({ headers }, response) => {
			signature = headers.authorization?.split('Signature=')[1];
			response.end(JSON.stringify({ a: `got ${signature}` }));
		};
		const { a } = await start(withKey())({
			method: 'POST',
			doubt: 'It may have acted',
			path: '/x',
			body: { b: 1 },
		});
		expect(signature).toMatch(/^[\da-f]{64}$/);
		expect(a).toMatch(/^got /);
		expect(a).not.toContain(signature);
	});

	it('that is not accepted says what to do about the credential', async () => {
		respond = (_request, response) => response.writeHead(401).end('{}');
		expect(await failureOf(start(withToken())({ method: 'GET', path: '/x' }))).toMatchObject({
			advice: expect.stringContaining('Get a new user token from IAM') as string,
			details: { httpStatus: 401 },
		});
	});

	it('gives the advice of its user, or else a general one', async () => {
		respond = (_request, response) => response.writeHead(404).end('{}');
		const advice = { notFound: 'Own notFound' };
		expect(await failureOf(start(withToken(), { advice })({ method: 'GET', path: '/x' }))).toMatchObject({
			advice: 'Own notFound',
		});
		expect(await failureOf(start(withToken())({ method: 'GET', path: '/x' }))).toMatchObject({
			advice: "Check 'Region', 'Project ID' and 'Workspace ID' in the credential",
		});
	});

	it('sends a request that waits for another one to prove the key no sooner than that is throttled, and not once it is stopped', async () => {
		let reply = () => {};
		respond = (_request, response) => {
			reply = () => response.writeHead(429, { 'Retry-After': '30' }).end('{}');
		};
		const stop = new AbortController();
		const call = start(withKey(), { signal: stop.signal });
		const first = failureOf(call({ method: 'POST', doubt: 'It may have acted', path: '/1', body: {} }));
		while (seen.length === 0) await sleep(1);
		const second = failureOf(call({ method: 'POST', doubt: 'It may have acted', path: '/2', body: {} }));
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

	it('says of a request that waits that the execution was stopped, even if the key was refused meanwhile', async () => {
		let reply = () => {};
		respond = ({ url }, response) => {
			reply = () => response.writeHead(429, { 'Retry-After': '30' }).end('{}');
			if (url === '/3') response.writeHead(401).end('{}');
		};
		const stop = new AbortController();
		const call = start(withKey(), { signal: stop.signal });
		const first = failureOf(call({ method: 'POST', doubt: 'It may have acted', path: '/1', body: {} }));
		while (seen.length === 0) await sleep(1);
		const waiting = failureOf(call({ method: 'POST', doubt: 'It may have acted', path: '/2', body: {} }));
		await sleep(5);
		reply();
		await first;
		expect(
			await failureOf(start(withKey())({ method: 'POST', doubt: 'It may have acted', path: '/3', body: {} })),
		).toMatchObject({
			details: { httpStatus: 401 },
		});
		stop.abort();
		expect(await waiting).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		expect(seen.map(({ url }) => url)).toEqual(['/1', '/3']);
	});

	it('holds all its requests back while the service throttles one of them', async () => {
		let requests = 0;
		respond = (_request, response) =>
			++requests > 1 ? response.end('{}') : response.writeHead(429, { 'Retry-After': '61' }).end('{}');
		const call = start(withToken());
		await failureOf(call({ method: 'GET', path: '/1' }));
		expect(await failureOf(call({ method: 'GET', path: '/2' }))).toMatchObject({
			message: expect.stringMatching(/^Not sent: the service asked for no requests/) as string,
		});
		// Another client asks for itself.
		expect(await start(withToken())({ method: 'GET', path: '/3' })).toEqual({});
		expect(seen.map(({ url }) => url)).toEqual(['/1', '/3']);
	});

	it('gives up a request that takes too long', async () => {
		respond = () => undefined;
		const call = start(withToken(), { timeout: 20 });
		expect(await failureOf(call({ method: 'POST', path: '/x', doubt: DOUBT }))).toMatchObject({
			details: { code: 'TIMEOUT', outcomeUnknown: true },
		});
	});

	it('sends nothing to a host that the egress policy does not allow', async () => {
		const no = async () => await Promise.resolve({ ok: false as const, error: new Error('no') });
		const egress = { validateUrl: no, createSecureLookup: () => () => undefined } as unknown;
		const call = start(withToken(), { helpers: { getSecureEgressFilter: () => egress as NodeEgressFilter } });
		expect(await failureOf(call({ method: 'GET', path: '/x' }))).toMatchObject({
			details: { code: 'BLOCKED' },
		});
		expect(seen).toEqual([]);
	});
});

describe('a client whose credential holds a password', () => {
	const withPassword = (change: Partial<ReturnType<typeof common>> = {}, iamOrigin = origin): Credential => ({
		...common(),
		...change,
		authentication: {
			mode: 'password',
			iamOrigin,
			site: iamOrigin,
			login: { domainName: 'd', username: origin, password: 'IAM-secret', projectId: 'p' },
			allowUnauthorizedCerts: false,
		},
		secrets: ['IAM-secret'],
	});
	const isLogin = ({ url }: { url?: string }) => url?.startsWith('/v3/auth/tokens') ?? false;

	it('logs in first, and sends a login again that IAM failed', async () => {
		let logins = 0;
		respond = (request, response) => {
			if (!isLogin(request)) response.end('{"id":"1"}');
			else if (++logins === 1) response.writeHead(500).end();
			else response.writeHead(201, { 'X-Subject-Token': TOKEN }).end('{"token":{}}');
		};
		expect(
			await start(withPassword())({ method: 'POST', doubt: 'It may have acted', path: '/x', body: {} }),
		).toEqual({ id: '1' });
		expect(seen.map(isLogin)).toEqual([true, true, false]);
		expect(seen[2]?.headers).toMatchObject({ 'x-auth-token': TOKEN });
	});

	it('never says that something may exist where the login failed', async () => {
		respond = (_request, response) => response.writeHead(500).end();
		const call = start(withPassword());
		const error = await failureOf(call({ method: 'POST', path: '/x', body: {}, doubt: DOUBT }));
		expect(error).toMatchObject({
			message: expect.stringMatching(/^No token from IAM/) as string,
			details: { httpStatus: 500, outcomeUnknown: false },
		});
		expect((error as RequestError).description).not.toContain(DOUBT);
		expect(seen.every(isLogin)).toBe(true);
	});

	describe('and whose environment names a proxy that cannot be used', () => {
		beforeEach(() => setProxies({ HTTPS_PROXY: 'ftp://proxy.example' }));
		afterEach(() => setProxies());
		const message = "The proxy in n8n's environment is of a kind that cannot be used";

		it('is not even created', () => {
			const create = () => start(withPassword({ origin: 'https://insight.example.com' }));
			expect(create).toThrow(InputError);
			expect(create).toThrow(message);
		});

		it('is told at the first login where IAM alone is behind it', async () => {
			const call = start(withPassword({}, 'https://iam.example.com'));
			const error = await failureOf(call({ method: 'GET', path: '/x' }));
			expect(error).toBeInstanceOf(InputError);
			expect(error).toMatchObject({ message });
			expect(seen).toEqual([]);
		});
	});
});

describe('sendRequest', () => {
	const context: RequestContext = { doubt: DOUBT, secrets: [], unauthorized: () => 'Log in again' };
	const request = () => ({ method: 'POST' as const, origin, path: '/x', headers: {}, body: '{}' });
	const send = async (change: Partial<RequestContext> = {}, missing?: ClientRequest['missing']) =>
		await sendRequest(
			findRoute(origin, false, {}),
			request(),
			{ timeout: 60_000 },
			{ ...context, ...change },
			missing,
		);
	beforeEach(() => {
		// No connection gets too old while the machine is busy.
		jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
	});

	it.each([
		[200, '{"a":1}', 1],
		[200, '  \r\n {"a":1}', 1],
		[200, '{"is_success":false}', 1],
		[400, '{"a":1}', 1],
		[503, '  {"a":1}', 1],
		// An unexpected response.
		[200, ' {"a":', 2],
		[200, 'x{"a":1}', 2],
		[200, '[{"a":1}]', 2],
		[200, '<html>', 2],
		[200, '', 2],
		// A refusal without an object.
		[404, '<html>', 2],
		[404, 'x{', 2],
		[429, '', 2],
		[503, '[{}]', 2],
	])('after HTTP %d with %j has used %d connections for two requests', async (status, text, expected) => {
		respond = (_request, response) => response.writeHead(status).end(text);
		await failureOf(send());
		await failureOf(send());
		expect(connections).toBe(expected);
	});

	it('takes any object if nothing says what it may lack', async () => {
		respond = (_request, response) => response.end('{"a":1}');
		expect((await send()).object).toEqual({ a: 1 });
	});

	it('gives the object with the headers of the response, and keeps the connection', async () => {
		respond = (_request, response) => response.writeHead(201, { 'X-Request-Id': '7' }).end('{"a":1}');
		const missing = jest.fn(() => undefined);
		for (let i = 0; i < 2; i++) {
			const { object, headers } = await send({}, missing);
			expect(object).toEqual({ a: 1 });
			expect(headers).toMatchObject({ 'x-request-id': '7' });
		}
		expect(missing).toHaveBeenCalledWith({ a: 1 });
		expect(connections).toBe(1);
	});

	it.each([DOUBT, undefined])(
		'refuses a response to something else, and closes the connection (doubt: %j)',
		async (doubt) => {
			respond = (_request, response) => response.end('{"a":1}');
			for (let i = 0; i < 2; i++) {
				const error = await failureOf(send({ doubt }, () => 'what was asked for'));
				expect(error).toBeInstanceOf(RequestError);
				expect(error).toMatchObject({
					message: 'The service answered without what was asked for',
					details: { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: doubt !== undefined },
				});
			}
			expect(connections).toBe(2);
		},
	);

	it.each([DOUBT, undefined])(
		'that cannot read a response says so, and closes the connection (doubt: %j)',
		async (doubt) => {
			respond = (_request, response) => response.writeHead(201).end('{"a":1}');
			const missing = () => {
				throw new TypeError('odd');
			};
			for (let i = 0; i < 2; i++) {
				expect(await failureOf(send({ doubt }, missing))).toMatchObject({
					message: 'The service answered without anything that could be read',
					details: { code: 'UNEXPECTED_ANSWER', httpStatus: 201, outcomeUnknown: doubt !== undefined },
				});
			}
			expect(connections).toBe(2);
		},
	);

	const limits = { timeout: 60_000 };
	const routeThat = (send: () => Promise<never>) => ({ host: 'insight.example.com', send });

	describe.each<[string, unknown]>([
		['an error with a code', Object.assign(new Error('odd'), { code: 'ECONNREFUSED' })],
		['an error without one', new TypeError('odd')],
		['a text', 'odd'],
		['nothing', undefined],
		['null', null],
	])('takes an unknown thrown value, %s,', (_what, thrown) => {
		it.each([DOUBT, undefined])('for a request that may have been sent (doubt: %j)', async (doubt) => {
			const route = routeThat(() => {
				throw thrown;
			});
			const error = await failureOf(sendRequest(route, request(), limits, { ...context, doubt }));
			expect(error).toBeInstanceOf(RequestError);
			expect(error).toMatchObject({
				details: { code: 'CONNECTION_LOST', outcomeUnknown: doubt !== undefined },
				retry: undefined,
			});
		});
	});

	it.each([false, true])('believes the network that says whether the request was sent: %j', async (sent) => {
		const route = routeThat(() => {
			throw new ExchangeError(new Error('x'), sent);
		});
		expect(await failureOf(sendRequest(route, request(), limits, context))).toMatchObject({
			details: { code: sent ? 'CONNECTION_LOST' : 'CONNECTION_FAILED', outcomeUnknown: sent },
		});
	});
});
