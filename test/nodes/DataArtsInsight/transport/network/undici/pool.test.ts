import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';

import type { Connection } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connection';
import { ExchangeError } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { exchange } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/exchange';
import { Pool } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/pool';

let server: Server;
/** The server's ends of the connections, in the order in which they were made. */
let accepted: Socket[];
/** Ours. */
let sockets: Socket[];
let pool: Pool;
/** What the clock shows; it goes only by hand. */
let now: number;
let timers: jest.SpyInstance<NodeJS.Timeout, Parameters<typeof setTimeout>>;

beforeEach(async () => {
	now = 1_000_000;
	accepted = [];
	sockets = [];
	server = createServer((socket) => {
		accepted.push(socket);
		socket.on('error', () => undefined);
		socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	pool = new Pool(`http://127.0.0.1:${port}`, async () => {
		const socket = connectTcp(port, '127.0.0.1');
		sockets.push(socket);
		await once(socket, 'connect');
		return socket;
	});
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	timers = jest.spyOn(globalThis, 'setTimeout');
});
afterEach(() => {
	jest.restoreAllMocks();
	for (const socket of [...sockets, ...accepted]) socket.destroy();
	server.close();
});

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const itself = async (connection: Connection) => await Promise.resolve(connection);
const get = async (connection: Connection) => {
	await exchange(connection, { method: 'GET', path: '/', headers: {} }, 5_000);
	return connection;
};

/** Has a connection used as often as it takes to be trusted. */
async function warmUp(): Promise<Connection> {
	await pool.lend(itself);
	return await pool.lend(itself);
}

/** Resolves when our end of a connection is gone, whatever went wrong with it. */
const gone = async (socket?: Socket) =>
	await new Promise<void>((done) => socket?.once('close', () => done()));

/** Has a connection ended by the server, until that was heard. */
async function endByServer(index: number) {
	const closed = gone(sockets[index]);
	accepted[index]?.end();
	await closed;
}

/** The waits since the last look, in milliseconds. */
function waits(): unknown[] {
	const delays = timers.mock.calls.map(([, delay]) => delay);
	timers.mockClear();
	return delays;
}

/** Whether an idle connection is used again after so many milliseconds. */
async function isKeptFor(idle: number): Promise<boolean> {
	const connection = await warmUp();
	now += idle;
	return (await pool.lend(itself)) === connection;
}

describe('a connection', () => {
	it('is used again, once it was left alone after its first response', async () => {
		const first = await pool.lend(itself);
		expect(waits()).toEqual([]);
		expect(await pool.lend(itself)).toBe(first);
		expect(waits()).toEqual([5]);
		expect(await pool.lend(itself)).toBe(first);
		expect(waits()).toEqual([]);
		expect(first.responses).toBe(3);
		expect(sockets).toHaveLength(1);
	});

	it.each([
		[0, []],
		[5, []],
		[6, [0]],
		[500, [0]],
	])(
		'that was idle for %d ms is used after a turn of the event loop if it may have been closed',
		async (idle, turns) => {
			const connection = await warmUp();
			now += idle;
			waits();
			expect(await pool.lend(itself)).toBe(connection);
			expect(waits()).toEqual(turns);
		},
	);

	it('that was idle for more than 500 ms is closed instead', async () => {
		const connection = await warmUp();
		now += 501;
		expect(await pool.lend(itself)).not.toBe(connection);
		expect(connection.open).toBe(false);
		expect(sockets).toHaveLength(2);
	});

	it('carries one request at a time, and the one used last goes out first', async () => {
		const [first, second] = await Promise.all([pool.lend(itself), pool.lend(itself)]);
		expect(first).not.toBe(second);
		expect(await pool.lend(itself)).toBe(second);
		expect(await Promise.all([pool.lend(itself), pool.lend(itself)])).toEqual(
			expect.arrayContaining([first, second]),
		);
		expect(sockets).toHaveLength(2);
	});

	it('is not idle while it is used', async () => {
		const connection = await pool.lend(itself);
		expect(connection.idleSince).toBe(now);
		await pool.lend(async ({ idleSince }) => {
			expect(idleSince).toBeUndefined();
			await Promise.resolve();
		});
	});

	it('that closes while it is left alone is not used', async () => {
		const connection = await pool.lend(itself);
		const next = pool.lend(itself);
		sockets[0]?.destroy();
		expect(await next).not.toBe(connection);
	});

	it.each([
		['while it is used', true],
		['while it is idle', false],
	])('that closes %s is forgotten at once', async (_when, used) => {
		const close = async (connection: Connection) => {
			const closed = gone(sockets[0]);
			sockets[0]?.destroy();
			await closed;
			return connection;
		};
		const connection = await pool.lend(used ? close : itself);
		if (!used) await close(connection);
		waits();
		expect(await pool.lend(itself)).not.toBe(connection);
		// There was none to be left alone.
		expect(waits()).toEqual([]);
	});

	it('that closes while it is used takes no other along', async () => {
		const [idle] = await Promise.all([pool.lend(itself), pool.lend(itself)]);
		const used = await pool.lend(async (connection) => {
			const closed = sockets.map(gone);
			connection.discard();
			await Promise.race(closed);
			return connection;
		});
		expect(used).not.toBe(idle);
		expect(await pool.lend(itself)).toBe(idle);
	});
});

describe('a request that fails', () => {
	const cause = new Error('reset');
	/** Fails the first time. */
	const failing = (error: Error) => {
		const used: Connection[] = [];
		const use = async (connection: Connection) => {
			used.push(connection);
			return used.length > 1 ? await Promise.resolve('done') : await Promise.reject(error);
		};
		return { used, use };
	};

	it.each([
		['with nothing sent', new ExchangeError(cause, false)],
		['when it was sent', new ExchangeError(cause, true)],
		['when it was stopped', new ExchangeError(cause, true, 'cancelled')],
	])('%s on a new connection is not sent again, and closes it', async (_when, error) => {
		const { used, use } = failing(error);
		expect(await failureOf(pool.lend(use))).toBe(error);
		expect(used.map(({ open }) => open)).toEqual([false]);
		// Nothing is learned from it.
		expect(await isKeptFor(500)).toBe(true);
	});

	it('on a connection that was used before, with nothing sent, is sent on another', async () => {
		const connection = await warmUp();
		const { used, use } = failing(new ExchangeError(cause, false));
		expect(await pool.lend(use)).toBe('done');
		expect(used).toHaveLength(2);
		expect(used[0]).toBe(connection);
		expect(used.map(({ open }) => open)).toEqual([false, true]);
		expect(await isKeptFor(500)).toBe(true);
	});

	it('on a connection that was used before, when it may have been sent, is never sent again, and each has its own for a minute', async () => {
		await warmUp();
		const error = new ExchangeError(cause, true);
		const { used, use } = failing(error);
		expect(await failureOf(pool.lend(use))).toBe(error);
		expect(used).toHaveLength(1);
		for (const later of [0, 59_999]) {
			now += later;
			const connection = await pool.lend(itself);
			expect(connection.open).toBe(false);
		}
		now += 1;
		expect((await pool.lend(itself)).open).toBe(true);
		expect(await isKeptFor(500)).toBe(true);
	});

	it.each([false, true])(
		'on a connection that was used before, as it was stopped, is not sent again (sent: %j)',
		async (sent) => {
			await warmUp();
			const error = new ExchangeError(cause, sent, 'timeout');
			const { used, use } = failing(error);
			expect(await failureOf(pool.lend(use))).toBe(error);
			expect(used.map(({ open }) => open)).toEqual([false]);
			expect(await isKeptFor(500)).toBe(true);
		},
	);

	it('by a response that refuses it leaves the connection as it is', async () => {
		const connection = await warmUp();
		const error = new Error('refused');
		const { used, use } = failing(error);
		expect(await failureOf(pool.lend(use))).toBe(error);
		expect(used).toEqual([connection]);
		expect(await pool.lend(itself)).toBe(connection);
	});

	it('is not even begun once the execution was stopped', async () => {
		const { used, use } = failing(cause);
		expect(await failureOf(pool.lend(use, AbortSignal.abort()))).toMatchObject({ stopped: 'cancelled' });
		expect([used, sockets]).toEqual([[], []]);
	});
});

describe('a server that ends an idle connection', () => {
	it.each([
		[0, [0]],
		[9, [0]],
		[10, [5, 6]],
		[100, [50, 51]],
	])('after %d ms teaches how long one may be idle', async (idle, [kept = 0, tooLong]) => {
		await pool.lend(get);
		now += idle;
		await endByServer(0);
		if (tooLong === undefined) {
			expect((await pool.lend(itself)).open).toBe(false);
		} else {
			expect(await isKeptFor(kept)).toBe(true);
			expect(await isKeptFor(tooLong)).toBe(false);
		}
	});

	it('later than another one did does not lengthen that time', async () => {
		await Promise.all([pool.lend(get), pool.lend(get)]);
		now += 100;
		await endByServer(0);
		now += 100;
		await endByServer(1);
		expect(await isKeptFor(50)).toBe(true);
		expect(await isKeptFor(51)).toBe(false);
	});

	it('while it is used teaches nothing', async () => {
		await pool.lend(async (connection) => {
			await get(connection);
			await endByServer(0);
		});
		expect(await isKeptFor(500)).toBe(true);
	});
});
