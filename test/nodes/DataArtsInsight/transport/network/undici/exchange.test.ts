import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import type { Dispatcher } from 'undici';

import {
	Connection,
	MAX_HEADERS_SIZE,
} from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connection';
import { deadlineAfter, abortedBy } from '../../../../../../nodes/DataArtsInsight/transport/network/deadline';
import { ExchangeError } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { MAX_BODY_SIZE } from '../../../../../../nodes/DataArtsInsight/transport/network/network';
import { exchange } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/exchange';

const REQUEST = { method: 'POST', path: '/x', headers: {}, body: '{}' } as const;

let server: Server;
let received: string;
let connection: Connection;
let respond: (socket: Socket) => unknown;
const sockets: Socket[] = [];

beforeEach(async () => {
	received = '';
	server = createServer((socket) => {
		sockets.push(socket);
		socket.on('error', () => undefined);
		socket.on('data', (chunk) => {
			received += String(chunk);
			// The whole request has come.
			if (received.endsWith('{}')) respond(socket);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	const socket = connectTcp(port, '127.0.0.1');
	sockets.push(socket);
	await once(socket, 'connect');
	const nothing = () => undefined;
	connection = new Connection(socket, `http://127.0.0.1:${port}`, 60_000, nothing, nothing);
});
afterEach(() => {
	jest.restoreAllMocks();
	for (const socket of sockets.splice(0)) socket.destroy();
	server.close();
});

const call = async (signal?: AbortSignal, timeout = 60_000) =>
	await exchange(connection, REQUEST, timeout, signal);
const failureOf = async (promise: Promise<unknown>) => {
	const error = await promise.then(
		() => undefined,
		(failure: unknown) => failure,
	);
	expect(error).toBeInstanceOf(ExchangeError);
	return error as ExchangeError;
};

/** A response with a body. */
const withBody = (body: Uint8Array, ...headers: string[]) =>
	Buffer.concat([
		Buffer.from(['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers].join('\r\n') + '\r\n\r\n'),
		body,
	]);

const good = withBody(Buffer.from('{}'));

/** How many exchanges would still be ended when such a time is up. */
const running = (timeout: number) =>
	(deadlineAfter(timeout) as unknown as { running: Map<unknown, number> }).running.size;

/** Rings the timers by hand, and sets the clock. */
function fakeTime() {
	let ahead = 0;
	const timers: AbortController[] = [];
	const now = performance.now.bind(performance);
	jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
	jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
		const timer = new AbortController();
		timers.push(timer);
		return timer.signal;
	});
	return {
		pass: (milliseconds: number) => {
			ahead += milliseconds;
			for (const timer of timers.splice(0)) timer.abort();
		},
	};
}

it('brings status, headers and text', async () => {
	respond = (socket) => socket.write(withBody(Buffer.from('{"ä":1}'), 'X-Request-Id: 7'));
	expect(await call()).toMatchObject({ status: 200, headers: { 'x-request-id': '7' }, text: '{"ä":1}' });
	expect(received).toMatch(/^POST \/x HTTP\/1\.1\r\n/);
});

it('decompresses a response with Content-Encoding: gzip', async () => {
	respond = (socket) => socket.write(withBody(gzipSync('{"a":1}'), 'Content-Encoding: gzip'));
	expect(await call()).toMatchObject({
		status: 200,
		headers: { 'content-encoding': 'gzip' },
		text: '{"a":1}',
	});
});

it('stops at a response that is too large once it is decompressed', async () => {
	const bomb = gzipSync(Buffer.alloc(MAX_BODY_SIZE + 1));
	respond = (socket) => socket.write(withBody(bomb, 'Content-Encoding: gzip'));
	expect(await failureOf(call())).toMatchObject({ sent: true, stopped: 'tooLarge', limit: MAX_BODY_SIZE });
});

it('reads headers within a limit (headersTooLarge)', async () => {
	respond = (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MAX_HEADERS_SIZE)}\r\n\r\n`);
	expect(await failureOf(call())).toMatchObject({
		sent: true,
		stopped: 'headersTooLarge',
		limit: MAX_HEADERS_SIZE,
	});
});

it('tells that a connection was reset, for no reason of ours', async () => {
	respond = (socket) => socket.resetAndDestroy();
	const error = await failureOf(call());
	expect(error).toMatchObject({ sent: true, cause: { code: 'ECONNRESET' } });
	expect([error.stopped, error.limit]).toEqual([undefined, undefined]);
});

it('that is stopped before its request is written sends nothing', async () => {
	respond = (socket) => socket.write(good);
	const stop = new AbortController();
	const failure = failureOf(call(stop.signal));
	stop.abort();
	expect(await failure).toMatchObject({ sent: false, stopped: 'cancelled' });
	await sleep(20);
	expect(received).toBe('');
});

it('that was stopped before it began sends nothing', async () => {
	respond = (socket) => socket.write(good);
	expect(await failureOf(call(AbortSignal.abort()))).toMatchObject({ sent: false, stopped: 'cancelled' });
	await sleep(20);
	expect(received).toBe('');
});

describe('an exchange leaves nothing behind', () => {
	const TIMEOUT = 5_000;
	it.each<[string, (socket: Socket, stop: AbortController) => void, object]>([
		['with a response', (socket) => socket.write(good), { status: 200 }],
		['whose response is cut short', (socket) => socket.end(good.subarray(0, -1)), { sent: true }],
		['whose connection is reset', (socket) => socket.resetAndDestroy(), { sent: true }],
		[
			'whose response is too large',
			(socket) =>
				socket.write(`${String(good).replace('Length: 2', 'Length: 9999999')}${' '.repeat(MAX_BODY_SIZE)}`),
			{ sent: true, stopped: 'tooLarge', limit: MAX_BODY_SIZE },
		],
		[
			'that is stopped',
			(_socket, stop) => stop.abort(),
			{ sent: true, stopped: 'cancelled', limit: undefined },
		],
	])('%s', async (_how, react, outcome) => {
		const stop = new AbortController();
		respond = (socket) => {
			expect([running(TIMEOUT), abortedBy(stop.signal).size]).toEqual([1, 1]);
			react(socket, stop);
		};
		expect(await call(stop.signal, TIMEOUT).catch((error: unknown) => error)).toMatchObject(outcome);
		expect([running(TIMEOUT), abortedBy(stop.signal).size]).toEqual([0, 0]);
		expect(connection.onBytes).toBeUndefined();
	});

	it('once its time is up', async () => {
		const time = fakeTime();
		const stop = new AbortController();
		respond = () => time.pass(6_001);
		const error = await failureOf(call(stop.signal, 6_000));
		expect(error).toMatchObject({ sent: true, stopped: 'timeout', limit: undefined });
		expect([running(6_000), abortedBy(stop.signal).size]).toEqual([0, 0]);
	});

	it('that could end the next one on its connection', async () => {
		const time = fakeTime();
		const stop = new AbortController();
		respond = (socket) => socket.write(good);
		await call(stop.signal, 7_000);
		received = '';
		respond = (socket) => {
			stop.abort();
			time.pass(7_001);
			setTimeout(() => socket.write(good), 20);
		};
		// The first one's time is up now, and its execution was stopped; the second one's is not.
		expect(await call(undefined, 30_000)).toMatchObject({ status: 200 });
	});
});

describe('the bytes that are read for one response, framing included', () => {
	const MOST = 2 * MAX_BODY_SIZE + MAX_HEADERS_SIZE;
	/** A small response in chunks, as many bytes long with its framing. */
	function inFraming(size: number): Buffer {
		const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
		const last = '0\r\n\r\n';
		const room = size - head.length - last.length;
		// 16 bytes of framing for each byte of the response, or a few more.
		const unit = `1;${'x'.repeat(11)}\r\n1\r\n`;
		const units = Math.floor(room / unit.length) - 1;
		const rest = `1;${'x'.repeat(11 + room - (units + 1) * unit.length)}\r\n1\r\n`;
		return Buffer.from(head + unit.repeat(units) + rest + last);
	}

	it('may be twice those of the largest one, and its headers', async () => {
		const bytes = inFraming(MOST);
		expect(bytes).toHaveLength(MOST);
		respond = (socket) => socket.write(bytes);
		expect((await call()).text).toMatch(/^1+$/);
		// The next one may have as many.
		received = '';
		expect((await call()).status).toBe(200);
	});

	it('may not be more', async () => {
		respond = (socket) => socket.write(inFraming(MOST + 1));
		expect(await failureOf(call())).toMatchObject({ sent: true, stopped: 'tooLarge' });
	});
});

describe('the buffer for a response', () => {
	/** Takes in parts of a response as the HTTP client passes them on, and tells which buffers that took. */
	async function collect(sizes: number[]) {
		let handler: Dispatcher.DispatchHandler | undefined;
		jest.spyOn(connection.client, 'dispatch').mockImplementation((_options, given) => {
			handler = given;
			return true;
		});
		const buffers = jest.spyOn(Buffer, 'allocUnsafe');
		const outcome = call().catch((error: ExchangeError) => error);
		const aborted: unknown[] = [];
		const controller = { abort: (reason: Error) => aborted.push(reason.message) };
		const control = controller as unknown as Dispatcher.DispatchController;
		handler?.onRequestStart?.(control, {});
		handler?.onResponseStart?.(control, 200, {}, 'OK');
		const parts = sizes.map((size, i) => Buffer.alloc(size, `${i % 10}`));
		for (const part of parts) handler?.onResponseData?.(control, part);
		const requested = buffers.mock.calls.map(([size]) => size);
		buffers.mockRestore();
		if (aborted.length > 0) handler?.onResponseError?.(control, new Error('aborted'));
		else handler?.onResponseEnd?.(control, {});
		const result = await outcome;
		if (!(result instanceof Error)) expect(result.text === String(Buffer.concat(parts))).toBe(true);
		return { requested, aborted, result };
	}

	it('is not made for a response that is too large', async () => {
		const { requested, aborted, result } = await collect([MAX_BODY_SIZE, 1]);
		expect(requested).toEqual([2_048, MAX_BODY_SIZE]);
		expect(aborted).toEqual(['tooLarge']);
		expect(result).toMatchObject({ sent: true, stopped: 'tooLarge' });
	});
});
