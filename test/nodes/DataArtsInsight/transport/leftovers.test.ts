import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Connection } from '../../../../nodes/DataArtsInsight/transport/connection';
import {
	beforeSending,
	CONNECT_TIMEOUT,
	deadlineAfter,
	endedBy,
} from '../../../../nodes/DataArtsInsight/transport/deadline';
import type { RequestError } from '../../../../nodes/DataArtsInsight/transport/errors';
import {
	exchange,
	ExchangeError,
	MAX_ANSWER_SIZE,
} from '../../../../nodes/DataArtsInsight/transport/exchange';
import { sendRequest } from '../../../../nodes/DataArtsInsight/transport/request';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';
const REQUEST = { method: 'POST', path: '/x', headers: {}, body: '{}' } as const;

let server: Server;
let origin: string;
let received: string;
let answer: (socket: Socket) => void;
const opened: Socket[] = [];

beforeEach(async () => {
	received = '';
	server = createServer((socket) => {
		socket.on('error', () => undefined);
		socket.on('data', (chunk) => {
			received += String(chunk);
			answer(socket);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
	for (const socket of opened.splice(0)) socket.destroy();
	server.close();
	jest.restoreAllMocks();
});

async function open(): Promise<Connection> {
	const socket = connectTcp(Number(new URL(origin).port), '127.0.0.1');
	opened.push(socket);
	await once(socket, 'connect');
	const nothing = () => undefined;
	return new Connection(socket, origin, 500, nothing, nothing);
}

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

/** How many exchanges, or attempts to connect, would still be ended when such a time is up. */
const running = (timeout: number) =>
	(deadlineAfter(timeout) as unknown as { running: Map<unknown, number> }).running.size;

/** Rings the timers by hand, and sets the clock. */
function fakeTime() {
	let ahead = 0;
	const timers: Array<{ delay: number; end: AbortController }> = [];
	const now = performance.now.bind(performance);
	jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
		const end = new AbortController();
		timers.push({ delay, end });
		return end.signal;
	});
	return {
		pass: (milliseconds: number) => {
			ahead += milliseconds;
			for (const { end } of timers.splice(0)) end.abort();
		},
	};
}

it('a connection that was never used is closed when it is thrown away', async () => {
	const connection = await open();
	const [socket] = opened;
	connection.discard();
	expect(socket?.destroyed).toBe(true);
	expect(connection.open).toBe(false);
});

describe('an exchange leaves nothing behind', () => {
	const TIMEOUT = 5_000;
	it.each<[string, (socket: Socket, stop: AbortController) => void, object]>([
		['with an answer', (socket) => socket.write(GOOD), { status: 200 }],
		['whose answer is cut short', (socket) => socket.end(GOOD.slice(0, -1)), { sent: true }],
		['whose connection is reset', (socket) => socket.resetAndDestroy(), { sent: true }],
		[
			'whose answer is too large',
			(socket) =>
				socket.write(`${GOOD.replace('Length: 2', 'Length: 9999999')}${' '.repeat(MAX_ANSWER_SIZE)}`),
			{ sent: true, stopped: 'tooLarge' },
		],
		['that is stopped', (_socket, stop) => stop.abort(), { sent: true, stopped: 'cancelled' }],
	])('%s', async (_how, react, outcome) => {
		const stop = new AbortController();
		answer = (socket) => {
			expect([running(TIMEOUT), endedBy(stop.signal).size]).toEqual([1, 1]);
			react(socket, stop);
		};
		const connection = await open();
		const call = exchange(connection, REQUEST, TIMEOUT, stop.signal);
		expect(await call.catch((error: unknown) => error)).toMatchObject(outcome);
		expect([running(TIMEOUT), endedBy(stop.signal).size]).toEqual([0, 0]);
		expect(connection.onBytes).toBeUndefined();
	});

	it('once its time is up', async () => {
		const time = fakeTime();
		const stop = new AbortController();
		answer = () => time.pass(6_001);
		const error = await failureOf(exchange(await open(), REQUEST, 6_000, stop.signal));
		expect(error).toMatchObject({ sent: true, stopped: 'timeout' });
		expect([running(6_000), endedBy(stop.signal).size]).toEqual([0, 0]);
	});

	it('that could end the next one on its connection', async () => {
		const time = fakeTime();
		const connection = await open();
		const stop = new AbortController();
		answer = (socket) => socket.write(GOOD);
		await exchange(connection, REQUEST, 7_000, stop.signal);
		answer = (socket) => {
			stop.abort();
			time.pass(7_001);
			setTimeout(() => socket.write(GOOD), 20);
		};
		// The first one's time is up now, and its execution was stopped; the second one's is not.
		expect(await exchange(connection, REQUEST, 30_000)).toMatchObject({ status: 200 });
	});
});

it('an exchange that was stopped before it began sends nothing', async () => {
	answer = (socket) => socket.write(GOOD);
	const error = await failureOf(exchange(await open(), REQUEST, 5_000, AbortSignal.abort()));
	expect(error).toMatchObject({ sent: false, stopped: 'cancelled' });
	await sleep(30);
	expect(received).toBe('');
});

it('only the time that was set ends an exchange, whatever else the HTTP client would wait for', async () => {
	const { client } = await open();
	const limits = Object.getOwnPropertySymbols(client)
		.filter(({ description = '' }) => /^(headers|body) ?timeout$/i.test(description))
		.map((key) => Reflect.get(client, key) as unknown);
	expect(limits).toEqual([0, 0]);
});

describe('what has to be done before sending', () => {
	it('is no longer ended once it is done', async () => {
		const time = fakeTime();
		const stop = new AbortController();
		let abandoned: AbortSignal | undefined;
		await beforeSending(stop.signal, async (signal) => {
			abandoned = signal;
			await Promise.resolve();
		});
		expect([running(CONNECT_TIMEOUT), endedBy(stop.signal).size]).toEqual([0, 0]);
		stop.abort();
		time.pass(CONNECT_TIMEOUT + 1);
		expect(abandoned?.aborted).toBe(false);
	});

	it('is ended when its time is up, and not before', async () => {
		const time = fakeTime();
		let abandoned: AbortSignal | undefined;
		const waiting = failureOf(
			beforeSending(undefined, async (signal) => {
				abandoned = signal;
				await once(signal, 'abort');
			}),
		);
		await sleep(0);
		time.pass(CONNECT_TIMEOUT - 1_000);
		expect(abandoned?.aborted).toBe(false);
		time.pass(1_000);
		expect(abandoned?.aborted).toBe(true);
		expect(await waiting).toMatchObject({ sent: false, cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } });
		expect(running(CONNECT_TIMEOUT)).toBe(0);
	});
});

describe('an error that nobody foresaw', () => {
	const limits = { timeout: 5_000, maxRetries: 0 };
	const context = { creates: true, secrets: [], unauthorized: () => '' };
	const request = { ...REQUEST, origin: 'https://example.com' };

	it.each([
		['before there was a connection: nothing was sent', false],
		['once there was one: it may have been sent', true],
	])('%s', async (_when, handedOver) => {
		const connection = await open();
		jest.spyOn(connection.client, 'dispatch').mockImplementation(() => {
			throw new TypeError('Unforeseen');
		});
		const route = {
			host: 'example.com',
			withConnection: async <Result>(use: (connection: Connection) => Promise<Result>) => {
				if (handedOver) return await use(connection);
				throw new TypeError('Unforeseen');
			},
		};
		const error = await failureOf(sendRequest(route, request, limits, context));
		expect(error).not.toBeInstanceOf(ExchangeError);
		expect((error as RequestError).details.outcomeUnknown).toBe(handedOver);
	});
});
