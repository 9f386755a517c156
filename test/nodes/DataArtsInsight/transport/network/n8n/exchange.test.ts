import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { OutboundHttp } from '@n8n/backend-network';
import { Container } from '@n8n/di';
import { callEvalMockHandler } from 'n8n-core/dist/execution-engine/eval-mock-helpers';
import type { IHttpRequestOptions, INode, IRequestOptions } from 'n8n-workflow';

import { signedHeaders } from '../../../../../../nodes/DataArtsInsight/transport/identity/signature';
import { abortedBy, deadlineAfter } from '../../../../../../nodes/DataArtsInsight/transport/network/deadline';
import {
	ExchangeError,
	UnusableProxy,
} from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { exchange } from '../../../../../../nodes/DataArtsInsight/transport/network/n8n/exchange';
import {
	type HttpRequest,
	MAX_BODY_SIZE,
	type NetworkHelpers,
} from '../../../../../../nodes/DataArtsInsight/transport/network/network';
import { expiredCertificate, loopbackCertificate } from '../../../../../support/cloud/certificate';
import { pathOf } from '../../../../../support/cloud/requestPath';
import { accessKey, SignatureCheck } from '../../../../../support/cloud/signature';
import { helpers, testHelpers } from '../../../../../support/engine/built';
import { setProxies } from '../../../../../support/network/httpProxy';

const BODY = '{"password":"secret-password"}';
const REQUEST: HttpRequest = {
	method: 'POST',
	origin: 'https://example.com',
	path: '/v1/x?limit=1',
	headers: { 'Content-Type': 'application/json', 'X-Auth-Token': 'secret-token' },
	body: BODY,
};
const LIMITS = { timeout: 60_000 };
const { httpRequest = async () => await Promise.reject(new Error('No helper')) } = helpers;
const request = async (options: IRequestOptions) => (await testHelpers.helpers.request(options)) as unknown;
/** n8n's own helpers: that of nodes and credentials, and that of the test of a credential. */
const BOTH: Array<[string, NetworkHelpers]> = [
	['httpRequest', { httpRequest }],
	['the older request', { request }],
];

const servers: Server[] = [];
const sockets: Socket[] = [];
beforeEach(() => setProxies());
afterEach(() => {
	setProxies();
	jest.restoreAllMocks();
	for (const socket of sockets.splice(0)) socket.destroy();
	for (const server of servers.splice(0)) server.close();
});

/** Starts a server that reacts to each whole request, and tells what the server has seen. */
async function start(
	react: (socket: Socket, received: string) => unknown,
	{ server = createServer(), tls = false, host = '127.0.0.1' } = {},
) {
	const seen = { origin: '', connections: 0, open: 0, received: '' };
	server.on('connection', (socket: Socket) => {
		seen.connections++;
		seen.open++;
		sockets.push(socket.on('error', () => undefined));
		socket.on('close', () => seen.open--);
	});
	server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
		let received = '';
		socket.on('error', () => undefined);
		socket.on('data', (chunk) => {
			received += String(chunk);
			seen.received += String(chunk);
			if (received.endsWith(BODY) || received.startsWith('GET')) react(socket, received);
		});
	});
	servers.push(server);
	await once(server.listen(0, host), 'listening');
	seen.origin = `${tls ? 'https' : 'http'}://${host}:${(server.address() as AddressInfo).port}`;
	return seen;
}
const startTls = async (
	react: (socket: Socket, received: string) => unknown,
	options: Parameters<typeof createTlsServer>[0] = loopbackCertificate,
	host?: string,
) => await start(react, { server: createTlsServer(options), tls: true, host });

const until = async (isTrue: () => boolean) => {
	while (!isTrue()) await sleep(5);
};
/** Whether a connection is closed within a time in which a helper's own time limit is not up. */
const closes = async (seen: { open: number }) => {
	for (let waited = 0; seen.open > 0 && waited < 1_000; waited += 20) await sleep(20);
	return seen.open === 0;
};

const call = async (own: NetworkHelpers, origin: string, signal?: AbortSignal, timeout = 60_000) =>
	await exchange(own, { ...REQUEST, origin }, false, { timeout, signal });
const callInsecurely = async (own: NetworkHelpers, origin: string) =>
	await exchange(own, { ...REQUEST, origin }, true, LIMITS);
const failureOf = async (promise: Promise<unknown>) => {
	const error = await promise.then(
		() => undefined,
		(failure: unknown) => failure,
	);
	expect(error).toBeInstanceOf(ExchangeError);
	return error as ExchangeError;
};
/** What comes of a request if the helper does so. */
const withHelper = async (helper: (options: IHttpRequestOptions) => unknown, signal?: AbortSignal) =>
	await call({ httpRequest: async (options) => await Promise.resolve(helper(options)) }, 'https://x', signal);
/** A helper that fails so. */
const failsWith = (error: unknown) => () => {
	throw error as Error;
};
const withError = async (error: unknown) => await failureOf(withHelper(failsWith(error)));

/** A response with a body. */
const withBody = (body: string | Uint8Array, ...headers: string[]) =>
	Buffer.concat([
		Buffer.from(`${['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers].join('\r\n')}\r\n\r\n`),
		Buffer.from(body),
	]);
const GOOD = withBody('{}');

/** How many exchanges would still be ended when such a time is up. */
const running = (timeout: number) =>
	(deadlineAfter(timeout) as unknown as { running: Map<unknown, number> }).running.size;

describe('what the helper is asked for', () => {
	const byName = (a: string, b: string) => (a.split(':')[0] ?? '').localeCompare(b.split(':')[0] ?? '');
	const answer = { statusCode: 200, headers: {}, body: '{}' };

	it.each([true, false])('with httpRequest; certificates unchecked: %s', async (unchecked) => {
		const helper = jest.fn(async () => await Promise.resolve(answer));
		const older = jest.fn();
		await exchange({ httpRequest: helper, request: older }, REQUEST, unchecked, { timeout: 5_000 });
		expect(older).not.toHaveBeenCalled();
		expect(helper.mock.calls).toEqual([
			[
				{
					url: 'https://example.com/v1/x?limit=1',
					method: 'POST',
					headers: REQUEST.headers,
					body: BODY,
					disableFollowRedirect: true,
					ignoreHttpStatusErrors: true,
					returnFullResponse: true,
					encoding: 'stream',
					skipSslCertificateValidation: unchecked,
					agentOptions: expect.objectContaining({ rejectUnauthorized: !unchecked }) as unknown,
					timeout: 6_000,
					abortSignal: expect.any(AbortSignal) as unknown,
				},
			],
		]);
	});

	it.each([true, false])('with the older request; certificates unchecked: %s', async (unchecked) => {
		const older = jest.fn(async () => await Promise.resolve(answer));
		await exchange({ request: older }, REQUEST, unchecked, { timeout: 5_000 });
		expect(older.mock.calls).toEqual([
			[
				{
					uri: 'https://example.com/v1/x?limit=1',
					method: 'POST',
					headers: REQUEST.headers,
					body: BODY,
					timeout: 6_000,
					agentOptions: expect.objectContaining({ rejectUnauthorized: !unchecked }) as unknown,
					followRedirect: false,
					followAllRedirects: false,
					simple: false,
					resolveWithFullResponse: true,
					useStream: true,
				},
			],
		]);
	});

	it("leaves the request's own headers alone, whatever the helper adds to them", async () => {
		const headers = { ...REQUEST.headers };
		await exchange(
			{
				httpRequest: async (options) => {
					Object.assign(options.headers ?? {}, { traceparent: '00-1' });
					return await Promise.resolve(answer);
				},
			},
			{ ...REQUEST, headers },
			false,
			{ timeout: 5_000 },
		);
		expect(headers).toEqual(REQUEST.headers);
	});

	it.each(BOTH)('by %s goes over the wire, once and unchanged', async (_name, own) => {
		const seen = await start((socket) => socket.end(GOOD));
		await call(own, seen.origin);
		const [head = '', body] = seen.received.split('\r\n\r\n');
		const [line, ...headers] = head.split('\r\n');
		// A service without TLS is its own proxy, so that no other gets the token.
		expect(line).toBe(`POST ${seen.origin}/v1/x?limit=1 HTTP/1.1`);
		expect(body).toBe(BODY);
		expect(headers.map((header) => header.toLowerCase()).sort(byName)).toEqual([
			// The two helpers differ.
			expect.stringMatching(/^accept: .*\*\/\*$/),
			'accept-encoding: gzip, compress, deflate, br',
			'connection: close',
			`content-length: ${BODY.length}`,
			'content-type: application/json',
			`host: ${new URL(seen.origin).host}`,
			'proxy-connection: close',
			'user-agent: n8n',
			'x-auth-token: secret-token',
		]);
		expect(seen.connections).toBe(1);
	});

	it.each(BOTH)('by %s keeps a signature valid', async (_name, own) => {
		const signed: Array<Parameters<SignatureCheck['verify']>[0]> = [];
		const server = createHttpServer((incoming, response) => {
			const { method = '', headers } = incoming;
			const url = pathOf(incoming);
			const chunks: Buffer[] = [];
			incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
			incoming.on('end', () => {
				signed.push({ method, url, headers, body: Buffer.concat(chunks) });
				response.end('{}');
			});
		});
		const { origin } = await start(() => undefined, { server });
		const requests: Array<['GET' | 'POST', string]> = [
			['POST', '/v1/p/x'],
			['GET', `/v1/p/x?name=${encodeURIComponent("a b+c~d'(e)*ü%|")}&limit=1&name=2`],
			['GET', '/v1/p%2Fq/%C3%BC'],
		];
		for (const [method, path] of requests) {
			const body = method === 'POST' ? BODY : '';
			const url = new URL(path, origin);
			const headers = signedHeaders({ method, url, headers: REQUEST.headers, body }, accessKey, new Date());
			await exchange(own, { method, origin, path, headers, body: body || undefined }, false, LIMITS);
		}
		const check = new SignatureCheck(() => Date.now());
		for (const one of signed) expect(() => check.verify(one)).not.toThrow();
		expect(signed.map(({ method, body }) => [method, String(body)])).toEqual([
			['POST', BODY],
			['GET', ''],
			['GET', ''],
		]);
		const [first] = signed;
		expect(() => check.verify({ ...first, body: Buffer.from('{}') } as (typeof signed)[0])).toThrow();
	});
});

describe('the response', () => {
	const stream = (...chunks: Uint8Array[]) => Readable.from(chunks, { objectMode: false });

	it.each<[string, () => unknown, string]>([
		['a stream', () => stream(Buffer.from('{"a'), Buffer.from('":1}')), '{"a":1}'],
		['a stream that cuts a character in two', () => stream(Buffer.of(0xc3), Buffer.of(0xa4)), 'ä'],
		['an empty stream', () => stream(), ''],
		['text', () => '{"a":1}', '{"a":1}'],
		['an object', () => ({ a: 1 }), '{"a":1}'],
		['a number', () => 1, '1'],
	])('may come as %s', async (_kind, body, text) => {
		const headers = { 'x-request-id': '7', 'set-cookie': ['a', 'b'] };
		const response = await withHelper(() => ({ statusCode: 202, headers, body: body() }));
		expect(response).toEqual({ status: 202, headers, text });
		expect(response.headers).not.toBe(headers);
	});

	it.each([
		['nothing', undefined, '{}'],
		['null', null, '{}'],
	])('may come as %s', async (_kind, body, text) => {
		expect((await withHelper(() => ({ statusCode: 200, headers: {}, body }))).text).toBe(text);
	});

	it('may come without headers', async () => {
		const response = await withHelper(() => ({ statusCode: 200, body: stream(Buffer.from('{}')) }));
		expect(response).toEqual({ status: 200, headers: {}, text: '{}' });
	});

	it.each([
		['no response', () => undefined],
		['an object that refers to itself', () => ({ statusCode: 200, headers: {}, body: loop() })],
		['a stream that fails', () => ({ statusCode: 200, headers: {}, body: failing() })],
	])('may have acted where it is %s', async (_kind, helper) => {
		expect(await failureOf(withHelper(helper))).toMatchObject({ sent: true, stopped: undefined });
	});
	function loop() {
		const one: { self?: object } = {};
		return Object.assign(one, { self: one });
	}
	function failing() {
		return new Readable({ read: (): never => fail('read') });
	}
	function fail(what: string): never {
		throw new Error(what);
	}

	it('may have acted where there is no helper', async () => {
		expect(await failureOf(call({}, 'https://x'))).toMatchObject({ sent: true });
	});

	it.each(BOTH)('by %s of every final status is handed through', async (_name, own) => {
		let status = 200;
		const seen = await start((socket) => {
			const length = status === 204 || status === 304 ? '' : 'Content-Length: 2\r\n';
			socket.end(`HTTP/1.1 ${status} X\r\nX-Status: ${status}\r\n${length}\r\n${length && '{}'}`);
		});
		for (status = 200; status < 600; status++) {
			expect(await call(own, seen.origin)).toMatchObject({ status, headers: { 'x-status': `${status}` } });
		}
		expect(seen.connections).toBe(400);
	});

	it.each(BOTH)('by %s of an interim status is waited for', async (_name, own) => {
		const seen = await start((socket) => {
			socket.end(`HTTP/1.1 100 X\r\n\r\nHTTP/1.1 103 X\r\nLink: x\r\n\r\n${String(GOOD)}`);
		});
		expect(await call(own, seen.origin)).toMatchObject({ status: 200, text: '{}' });
	});

	describe.each(BOTH)('by %s that is a redirect', (_name, own) => {
		it.each([300, 301, 302, 303, 304, 305, 307, 308])('with status %d is not followed', async (status) => {
			const other = await start((socket) => socket.end(GOOD));
			const seen = await start((socket) => {
				const length = status === 304 ? '' : 'Content-Length: 0\r\n';
				socket.end(`HTTP/1.1 ${status} X\r\nLocation: ${other.origin}/y\r\n${length}\r\n`);
			});
			const headers = { location: `${other.origin}/y` };
			expect(await call(own, seen.origin)).toMatchObject({ status, headers, text: '' });
			await sleep(20);
			expect([seen.connections, other.connections]).toEqual([1, 0]);
		});
	});

	it.each(BOTH)('by %s keeps headers that are repeated', async (_name, own) => {
		const repeated = ['X-A: 1', 'x-a: 2', 'Set-Cookie: a', 'Set-Cookie: b'];
		// These are methods of the helper's own headers.
		const odd = ['normalize: x', 'get: y', '__proto__: z'];
		const seen = await start((socket) => socket.end(withBody('{}', ...repeated, ...odd)));
		const { headers } = await call(own, seen.origin);
		expect(headers).toMatchObject({ 'x-a': '1, 2', 'set-cookie': ['a', 'b'], 'content-length': '2' });
	});

	it.each(BOTH)('by %s may be no text', async (_name, own) => {
		const seen = await start((socket) => socket.end(withBody(Uint8Array.of(0x7b, 0xff, 0x00, 0xfe))));
		expect((await call(own, seen.origin)).text).toBe('{\ufffd\0\ufffd');
	});

	describe.each(BOTH)('by %s that is compressed', (_name, own) => {
		it.each<[string, (text: string) => Uint8Array]>([
			['gzip', gzipSync],
			['X-Gzip', gzipSync],
			['deflate', deflateSync],
			['br', brotliCompressSync],
		])('with %s is decompressed', async (encoding, compress) => {
			const seen = await start((socket) =>
				socket.end(withBody(compress('{"ä":1}'), `Content-Encoding: ${encoding}`)),
			);
			expect((await call(own, seen.origin)).text).toBe('{"ä":1}');
		});

		it('in an unknown way is read as it is', async () => {
			const seen = await start((socket) => socket.end(withBody('{}', 'Content-Encoding: own')));
			expect((await call(own, seen.origin)).text).toBe('{}');
		});

		it.each([
			['204 No Content', 'X: y'],
			['304 Not Modified', 'X: y'],
			['200 OK', 'Content-Length: 0'],
		])('may be empty: %s', async (status, header) => {
			const seen = await start((socket) =>
				socket.end(`HTTP/1.1 ${status}\r\nContent-Encoding: gzip\r\n${header}\r\n\r\n`),
			);
			expect((await call(own, seen.origin)).text).toBe('');
		});

		it('in another way than it says is no text, and has its status', async () => {
			const seen = await start((socket) => socket.end(withBody('{}', 'Content-Encoding: gzip')));
			expect(await call(own, seen.origin)).toMatchObject({ status: 200, text: '' });
		});
	});

	it('that the helper has not decompressed is decompressed here', async () => {
		const headers = { 'content-encoding': 'gzip' };
		const response = await withHelper(() => ({ statusCode: 200, headers, body: stream(gzipSync('{}')) }));
		expect(response.text).toBe('{}');
	});
});

describe('the size of a response', () => {
	const TOO_LARGE = { sent: true, stopped: 'tooLarge', limit: MAX_BODY_SIZE };
	const most = Buffer.alloc(MAX_BODY_SIZE, ' ');

	describe.each(BOTH)('by %s', (_name, own) => {
		it.each<[string, (body: Uint8Array) => Uint8Array]>([
			['as it is', (body) => withBody(body)],
			['compressed', (body) => withBody(gzipSync(body), 'Content-Encoding: gzip')],
		])('may be 1 MiB and no byte more, %s', async (_how, respond) => {
			let body: Uint8Array = most;
			const seen = await start((socket) => socket.end(respond(body)));
			expect((await call(own, seen.origin)).text).toHaveLength(MAX_BODY_SIZE);
			body = Buffer.concat([most, Buffer.from(' ')]);
			expect(await failureOf(call(own, seen.origin))).toMatchObject(TOO_LARGE);
		});

		it('is cut off at 1 MiB when it is a compressed bomb', async () => {
			const bomb = gzipSync(Buffer.alloc(64 * MAX_BODY_SIZE));
			const seen = await start((socket) => socket.end(withBody(bomb, 'Content-Encoding: gzip')));
			expect(await failureOf(call(own, seen.origin))).toMatchObject(TOO_LARGE);
		});

		it('of the headers ends at the limit of Node.js', async () => {
			const seen = await start((socket) => socket.end(withBody('{}', `X: ${'x'.repeat(17 * 1024)}`)));
			const failure = await failureOf(call(own, seen.origin));
			expect(failure).toMatchObject({ sent: true, stopped: 'headersTooLarge', limit: undefined });
		});
	});

	// With httpRequest the helper's stream waits for the next chunk before it closes the connection.
	const endless = async (own: NetworkHelpers) => {
		const seen = await start((socket) => {
			socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${3 * MAX_BODY_SIZE}\r\n\r\n`);
			socket.write(most);
			socket.write(' ');
		});
		expect(await failureOf(call(own, seen.origin))).toMatchObject(TOO_LARGE);
		expect(await closes(seen)).toBe(true);
	};
	it('that is too large closes the connection by httpRequest', async () => {
		await endless({ httpRequest });
	});
	it('that is too large closes the connection by the older request', async () => {
		await endless({ request });
	});

	it('is tooLarge as well where the helper has not decompressed', async () => {
		const headers = { 'content-encoding': 'gzip' };
		const body = () => Readable.from([gzipSync(Buffer.alloc(MAX_BODY_SIZE + 1))]);
		const failure = withHelper(() => ({ statusCode: 200, headers, body: body() }));
		expect(await failureOf(failure)).toMatchObject(TOO_LARGE);
	});

	// Node.js says so to nobody who has the headers already.
	it('of chunk extensions ends at the limit of Node.js', async () => {
		const chunk = `1;${'x'.repeat(17 * 1024)}\r\n1\r\n`;
		const seen = await start((socket) =>
			socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`),
		);
		const failure = await failureOf(call({ httpRequest }, seen.origin));
		expect(failure).toMatchObject({ sent: true, stopped: undefined, cause: { code: 'ECONNRESET' } });
	});
});

describe('the end from this side', () => {
	const HANGS: Array<[string, (socket: Socket) => void]> = [
		['before the headers', () => undefined],
		['in the headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nX: y')],
		['while the headers drip', (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'X: y\r\n')],
		['after the headers', (socket) => socket.write(GOOD.subarray(0, -2))],
		['in the body', (socket) => socket.write(GOOD.subarray(0, -1))],
		[
			'while the body drips',
			(socket) => drip(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n', '{'),
		],
		[
			'in a compressed body',
			(socket) => socket.write(withBody(gzipSync('x'.repeat(999)), 'Content-Encoding: gzip').subarray(0, -9)),
		],
	];
	function drip(socket: Socket, first: string, next: string) {
		socket.write(first);
		const timer = setInterval(() => socket.write(next), 20);
		socket.on('close', () => clearInterval(timer));
	}

	describe.each(HANGS)('%s', (_when, hang) => {
		it('comes by httpRequest when the time is up, and closes the connection', async () => {
			const seen = await start(hang);
			const failure = await failureOf(call({ httpRequest }, seen.origin, undefined, 300));
			expect(failure).toMatchObject({ sent: true, stopped: 'timeout', limit: undefined });
			expect(await closes(seen)).toBe(true);
			expect([running(300), seen.connections]).toEqual([0, 1]);
		});

		it('comes by httpRequest when the execution is stopped, and closes the connection', async () => {
			const stop = new AbortController();
			const seen = await start((socket) => {
				hang(socket);
				// The headers have come by then, as far as they do.
				setTimeout(() => stop.abort(), 100);
			});
			const failure = await failureOf(call({ httpRequest }, seen.origin, stop.signal));
			expect(failure).toMatchObject({ sent: true, stopped: 'cancelled', limit: undefined });
			expect(await closes(seen)).toBe(true);
			expect([running(60_000), abortedBy(stop.signal).size]).toEqual([0, 0]);
		});

		it('comes by the older request at the same time, and one second later closes the connection', async () => {
			const seen = await start(hang);
			const failure = await failureOf(call({ request }, seen.origin, undefined, 300));
			expect(failure).toMatchObject({ sent: true, stopped: 'timeout' });
			await until(() => seen.open === 0);
			expect(seen.connections).toBe(1);
		});
	});

	it('asks no helper when it came before', async () => {
		const helper = jest.fn();
		const failure = await failureOf(withHelper(helper, AbortSignal.abort()));
		expect(failure).toMatchObject({ sent: false, stopped: 'cancelled' });
		expect(helper).not.toHaveBeenCalled();
	});

	it('changes nothing after the response', async () => {
		const stop = new AbortController();
		const seen = await start((socket) => socket.end(GOOD));
		const response = await call({ httpRequest }, seen.origin, stop.signal);
		stop.abort();
		await sleep(20);
		expect(response).toMatchObject({ status: 200, text: '{}' });
	});

	it.each(['timeout', 'cancelled'])('does not wait for a helper that goes on: %s', async (reason) => {
		const stop = new AbortController();
		let answer: (response: unknown) => void = () => undefined;
		let aborted: AbortSignal | undefined;
		const timeout = reason === 'timeout' ? 50 : 60_000;
		const helper = async ({ abortSignal }: IHttpRequestOptions) =>
			await new Promise((resolve) => {
				aborted = abortSignal as AbortSignal;
				answer = resolve;
				if (reason === 'cancelled') setTimeout(() => stop.abort(), 20);
			});
		const failure = await failureOf(call({ httpRequest: helper }, 'https://x', stop.signal, timeout));
		expect(failure).toMatchObject({ sent: true, stopped: reason });
		expect(aborted?.aborted).toBe(true);

		// A late response is not read, and its connection is closed.
		const body = new Readable({ read: () => undefined });
		answer({ statusCode: 200, headers: {}, body });
		await once(body, 'close');
		expect(body.destroyed).toBe(true);
	});

	it('ends the reading of a helper that does not react', async () => {
		const stop = new AbortController();
		const body = new Readable({ read: () => undefined });
		const failure = failureOf(withHelper(() => ({ statusCode: 200, headers: {}, body }), stop.signal));
		setTimeout(() => stop.abort(), 20);
		expect(await failure).toMatchObject({ sent: true, stopped: 'cancelled' });
		await until(() => body.destroyed);
	});

	it.each<[string, () => unknown]>([
		['with a response', () => ({ statusCode: 200, headers: {}, body: '{}' })],
		['without one', async () => await Promise.reject(new Error('x'))],
		[
			'with one that is too large',
			() => ({ statusCode: 200, headers: {}, body: Readable.from([Buffer.alloc(MAX_BODY_SIZE + 1)]) }),
		],
	])('leaves no timer and no listener behind: %s', async (_how, react) => {
		const stop = new AbortController();
		const listen = jest.spyOn(stop.signal, 'addEventListener');
		const TIMEOUT = 45_000;
		for (let i = 0; i < 3; i++) {
			const helper = async () => {
				expect([running(TIMEOUT), abortedBy(stop.signal).size]).toEqual([1, 1]);
				return await Promise.resolve(react());
			};
			await call({ httpRequest: helper }, 'https://x', stop.signal, TIMEOUT).catch(() => undefined);
			expect([running(TIMEOUT), abortedBy(stop.signal).size]).toEqual([0, 0]);
		}
		expect(listen).toHaveBeenCalledTimes(1);
	});
});

describe('whether a request was sent', () => {
	const coded = (code: string, more: object = {}) => Object.assign(new Error('secret'), { code, ...more });
	const within = (cause: unknown) => Object.assign(new Error('secret', { cause }), { name: 'AxiosError' });

	it.each<[string, unknown]>([
		['ECONNREFUSED', coded('ECONNREFUSED')],
		['ENOTFOUND', coded('ENOTFOUND', { syscall: 'getaddrinfo' })],
		['EAI_AGAIN', coded('EAI_AGAIN', { syscall: 'getaddrinfo' })],
		['ETIMEDOUT of connect', coded('ETIMEDOUT', { syscall: 'connect' })],
		['EHOSTUNREACH of connect', coded('EHOSTUNREACH', { syscall: 'connect' })],
		['EADDRNOTAVAIL of connect', coded('EADDRNOTAVAIL', { syscall: 'connect' })],
		['a code of what is no error', { code: 'ECONNREFUSED' }],
		['a code of a cause', within(within(coded('ECONNREFUSED')))],
		[
			'connect in a cause alone',
			Object.assign(within(coded('ETIMEDOUT', { syscall: 'connect' })), { code: 'ETIMEDOUT' }),
		],
		[
			'all of several addresses',
			coded('ETIMEDOUT', {
				errors: [coded('ETIMEDOUT', { syscall: 'connect' }), coded('EHOSTUNREACH', { syscall: 'connect' })],
			}),
		],
		[
			'a connection that was closed in the TLS handshake',
			Object.assign(
				new Error('Client network socket disconnected before secure TLS connection was established'),
				{ code: 'ECONNRESET' },
			),
		],
		...[
			'CERT_HAS_EXPIRED',
			'CERT_NOT_YET_VALID',
			'ERR_TLS_CERT_ALTNAME_INVALID',
			'DEPTH_ZERO_SELF_SIGNED_CERT',
			'SELF_SIGNED_CERT_IN_CHAIN',
			'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		].map((code): [string, unknown] => [code, within(coded(code))]),
	])('was not: %s', async (_what, error) => {
		expect(await withError(error)).toMatchObject({ sent: false, stopped: undefined });
	});

	it.each<[string, unknown]>([
		['ECONNRESET', coded('ECONNRESET', { syscall: 'read' })],
		['ETIMEDOUT of read', coded('ETIMEDOUT', { syscall: 'read' })],
		['EPIPE of write', coded('EPIPE', { syscall: 'write' })],
		['EHOSTUNREACH of read', coded('EHOSTUNREACH', { syscall: 'read' })],
		['ECONNABORTED', coded('ECONNABORTED')],
		[
			'another code with the words of Node.js',
			coded('EPROTO', { message: 'before secure TLS connection was established' }),
		],
		['no code', new Error('socket hang up')],
		['no error of an address', coded('ETIMEDOUT', { errors: [] })],
		[
			'one of several addresses of another call',
			coded('ETIMEDOUT', {
				errors: [coded('ETIMEDOUT', { syscall: 'connect' }), coded('ETIMEDOUT', { syscall: 'read' })],
			}),
		],
		['errors that are no objects', coded('X', { errors: [undefined] })],
		['a name that is no text', Object.assign(new Error('x'), { name: 7 })],
		['text', 'ECONNREFUSED'],
		['nothing', undefined],
		['null', null],
	])('may have been: %s', async (_what, error) => {
		const failure: unknown = await withHelper(failsWith(error)).catch((thrown: unknown) => thrown);
		// What nobody foresaw counts as sent as well (repeat.ts).
		expect(failure).toBeDefined();
		expect((failure as Partial<ExchangeError>).sent ?? true).toBe(true);
	});

	it('survives errors that refer to themselves', async () => {
		const error: Error = new Error('a');
		const other = within(error);
		error.cause = other;
		expect(await withError(error)).toMatchObject({ sent: true });
		other.cause = coded('ECONNREFUSED', { cause: error });
		expect(await withError(error)).toMatchObject({ sent: false, cause: { code: 'ECONNREFUSED' } });
	});

	it('takes the first code of an error and those that it came from', async () => {
		const { cause } = await withError(within(coded('ECONNRESET', { cause: coded('OTHER') })));
		expect(cause.code).toBe('ECONNRESET');
	});

	it.each(['SsrfBlockedIpError', 'SsrfBlockedHostnameError'])('was not: %s', async (name) => {
		const failure = await withError(within(Object.assign(coded('OTHER'), { name })));
		expect(failure).toMatchObject({ sent: false, untrusted: false, cause: { code: 'EGRESS_BLOCKED' } });
	});

	it.each([
		['notAnAddress', coded('ERR_INVALID_URL')],
		['loginNotEncoded', Object.assign(new Error('URI malformed'), { name: 'URIError' })],
		['loginNotEncoded', within(Object.assign(new Error('URI malformed'), { name: 'URIError' }))],
	])("was not where the environment's proxy cannot be used: %s", async (problem, error) => {
		const failure: unknown = await withHelper(failsWith(error)).catch((thrown: unknown) => thrown);
		expect(failure).toBeInstanceOf(UnusableProxy);
		expect(failure).toMatchObject({ problem });
	});

	describe.each(BOTH)('by %s', (_name, own) => {
		it.each<[string, (socket: Socket) => unknown]>([
			['reset', (socket) => socket.resetAndDestroy()],
			['closed', (socket) => socket.end()],
			['closed in the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\n')],
			['closed in the body', (socket) => socket.end(GOOD.subarray(0, -1))],
			['answered with no HTTP', (socket) => socket.end('SSH-2.0-x\r\n\r\n')],
		])('may have been where the connection was %s', async (_how, react) => {
			const seen = await start(react);
			expect(await failureOf(call(own, seen.origin))).toMatchObject({ sent: true, stopped: undefined });
			expect(seen.connections).toBe(1);
		});

		it('was not where the connection is refused, at one address or at all of a name', async () => {
			const seen = await start(() => undefined);
			servers[0]?.close();
			for (const origin of [seen.origin, seen.origin.replace('127.0.0.1', 'localhost')]) {
				expect(await failureOf(call(own, origin))).toMatchObject({
					sent: false,
					cause: { code: 'ECONNREFUSED' },
				});
			}
		});

		it('was not where the host name cannot be resolved', async () => {
			expect(await failureOf(call(own, 'https://unknown.invalid'))).toMatchObject({
				sent: false,
				cause: { code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as string },
			});
		});

		it('was not where the connection is closed before the TLS handshake', async () => {
			const seen = await start(() => undefined);
			servers[0]?.on('connection', (socket: Socket) => socket.end());
			const failure = await failureOf(call(own, seen.origin.replace('http:', 'https:')));
			expect(failure).toMatchObject({ sent: false, cause: { code: 'ECONNRESET' } });
		});

		it.each(['TLSv1.2', 'TLSv1.3'] as const)(
			'was not where the certificate is not trusted: %s',
			async (version) => {
				const options = { ...loopbackCertificate, minVersion: version, maxVersion: version };
				const seen = await startTls((socket) => socket.end(GOOD), options);
				const failure = await failureOf(call(own, seen.origin));
				expect(failure).toMatchObject({
					sent: false,
					untrusted: true,
					cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
				});
				await sleep(20);
				expect(seen.received).toBe('');
			},
		);

		it('is sent where the certificate is not to be checked', async () => {
			const seen = await startTls((socket) => socket.end(GOOD), expiredCertificate);
			expect(await callInsecurely(own, seen.origin)).toMatchObject({ status: 200 });
		});

		// A server may renegotiate TLS 1.2 after the request, and Node.js then checks the certificate again.
		it('may have been where the certificate changes after the request', async () => {
			const options = {
				...loopbackCertificate,
				maxVersion: 'TLSv1.2' as const,
				secureOptions: constants.SSL_OP_NO_TICKET,
			};
			const seen = await startTls((socket) => {
				const tls = socket as TLSSocket;
				tls.setKeyCert(createSecureContext(expiredCertificate));
				tls.renegotiate({}, () => undefined);
				tls.write('HTTP/1.1 100 Continue\r\n\r\n');
			}, options);
			const trusting = (helper?: (given: object) => Promise<unknown>) =>
				helper &&
				(async (given: { agentOptions?: object }) =>
					await helper({ ...given, agentOptions: { ...given.agentOptions, ca: loopbackCertificate.cert } }));
			const failure = await failureOf(
				call(
					{
						httpRequest: trusting(own.httpRequest as (given: object) => Promise<unknown>),
						request: trusting(own.request),
					},
					seen.origin,
				),
			);
			expect(seen.received).toContain(BODY);
			expect(failure).toMatchObject({ sent: true, untrusted: false });
		});

		it.each([
			['127.0.0.1', false],
			['localhost', 'localhost'],
		])('names the host %s in the TLS handshake as %s', async (host, servername) => {
			let named: unknown;
			const seen = await startTls(
				(socket) => {
					named = (socket as TLSSocket & { servername?: unknown }).servername;
					socket.end(GOOD);
				},
				loopbackCertificate,
				host,
			);
			await callInsecurely(own, seen.origin);
			expect(named).toBe(servername);
		});
	});

	it("was not where the instance's egress policy forbids the address", async () => {
		const seen = await start((socket) => socket.end(GOOD));
		const policed = Container.get(OutboundHttp).requests({ useDefaultSsrfPolicy: 'enforced' });
		const own: NetworkHelpers = { httpRequest: async (options) => await policed.request(options) };
		for (const origin of [seen.origin, seen.origin.replace('127.0.0.1', 'localhost')]) {
			const failure = await failureOf(call(own, origin));
			expect(failure).toMatchObject({ sent: false, cause: { code: 'EGRESS_BLOCKED' } });
		}
		expect(seen.connections).toBe(0);
	});
});

describe("what is thrown holds nothing of the helper's error", () => {
	/** All text that can be reached from a value, that of hidden fields and of fields named by symbols included. */
	function textIn(value: unknown, seen = new Set<unknown>()): string[] {
		if (typeof value === 'string') return [value];
		if (typeof value !== 'object' || value === null || seen.has(value)) return [];
		seen.add(value);
		const entries: unknown[] = value instanceof Map || value instanceof Set ? [...value] : [];
		return [
			...Reflect.ownKeys(value).map((key) => value[key as keyof typeof value] as unknown),
			...entries,
		].flatMap((one) => textIn(one, seen));
	}

	it.each<[string, (socket: Socket) => unknown]>([
		['reset', (socket) => socket.resetAndDestroy()],
		['too large headers', (socket) => socket.end(withBody('{}', `X: ${'x'.repeat(17 * 1024)}`))],
		['no HTTP', (socket) => socket.end('secret-token secret-password\r\n\r\n')],
		['nothing', () => undefined],
	])('after %s', async (_what, react) => {
		for (const [, own] of BOTH) {
			const seen = await start(react);
			const thrown = [
				await failureOf(call(own, seen.origin, undefined, 300)),
				await failureOf(call(own, 'http://127.0.0.1:9')),
			];
			const text = thrown.flatMap((error) => textIn(error)).join('\n');
			expect(text).toContain('No response');
			expect(text).not.toMatch(/secret-|limit=1|127\.0\.0\.1/);
		}
	});

	it('which does hold the token and the body, and so must not go on', async () => {
		const error: unknown = await httpRequest({ url: 'http://127.0.0.1:9', method: 'POST', body: BODY }).catch(
			(failed: unknown) => failed,
		);
		expect(textIn(error).join('\n')).toContain('secret-password');
	});
});

describe("a mock of n8n's evaluations", () => {
	const mocked = (statusCode: number, body: unknown): NetworkHelpers => ({
		httpRequest: async (options) =>
			await callEvalMockHandler(
				async () => await Promise.resolve({ statusCode, headers: { 'x-request-id': '7' }, body }),
				options,
				{} as INode,
				options.returnFullResponse,
			),
	});

	it('is a response', async () => {
		expect(await call(mocked(200, { is_success: true }), 'https://x')).toEqual({
			status: 200,
			headers: { 'x-request-id': '7' },
			text: '{"is_success":true}',
		});
	});

	it('of a refusal is a response', async () => {
		expect(await call(mocked(404, { error_code: 'X' }), 'https://x')).toEqual({
			status: 404,
			headers: { 'x-request-id': '7' },
			text: '{"error_code":"X"}',
		});
	});
});
