import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';

import { Connection } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connection';
import { ExchangeError } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { exchange } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/exchange';

let server: Server;
let socket: Socket;
/** The server's end. */
let other: Socket;
let connection: Connection;
let onEnd: jest.Mock<void, [Connection]>;
let onClose: jest.Mock<void, [Connection]>;
/** Resolves when our end is gone. */
let closed: Promise<void>;

beforeEach(async () => {
	server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const accepted = once(server, 'connection') as Promise<[Socket]>;
	const { port } = server.address() as AddressInfo;
	socket = connectTcp(port, '127.0.0.1');
	await once(socket, 'connect');
	[other] = await accepted;
	other.on('error', () => undefined);
	other.on('data', () => other.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
	onEnd = jest.fn<void, [Connection]>();
	onClose = jest.fn<void, [Connection]>();
	connection = new Connection(socket, `http://127.0.0.1:${port}`, 60_000, onEnd, onClose);
	closed = new Promise((done) => socket.once('close', () => done()));
});
afterEach(() => {
	socket.destroy();
	other.destroy();
	server.close();
});

const get = async () => await exchange(connection, { method: 'GET', path: '/', headers: {} }, 5_000);

it('a connection that the server ends is told of, and then closed', async () => {
	await get();
	expect(connection.open).toBe(true);
	other.end();
	await closed;
	expect(onEnd.mock.calls).toEqual([[connection]]);
	expect(onClose.mock.calls).toEqual([[connection]]);
	expect(connection.open).toBe(false);
});

it.each([
	['ECONNRESET', 1],
	[undefined, 1],
	['UND_ERR_SOCKET', 0],
	['UND_ERR_ABORTED', 0],
])('an error with the code %s: times that the other side counts as its cause are %d', async (code, times) => {
	socket.destroy(Object.assign(new Error('gone'), code && { code }));
	await closed;
	expect(onEnd).toHaveBeenCalledTimes(times);
	expect(onClose).toHaveBeenCalledTimes(1);
	if (times > 0) expect(onEnd).toHaveBeenCalledWith(connection);
});

it('a connection that is thrown away was not ended by the other side', async () => {
	await get();
	connection.discard();
	expect(connection.open).toBe(false);
	await closed;
	expect(onEnd).not.toHaveBeenCalled();
	expect(onClose.mock.calls).toEqual([[connection]]);
});

it.each<[string, () => unknown]>([
	['socket', () => socket.destroy()],
	['client', async () => await connection.client.destroy()],
])('a connection whose %s is destroyed is not open', (_part, destroy) => {
	expect(connection.open).toBe(true);
	void destroy();
	expect(connection.open).toBe(false);
});

it('bytes are told of as they arrive, with how many there were so far', async () => {
	const first = new Promise<number>((tell) => (connection.onBytes = () => tell(connection.bytesRead)));
	other.write('abc');
	expect(await first).toBe(3);
	// Whoever has had the answer no longer asks.
	connection.onBytes = undefined;
	const arrived = once(socket, 'readable');
	socket.read();
	other.write('de');
	await arrived;
	expect(connection.bytesRead).toBe(5);
});

it('a connection that has ended makes no other: a later request fails with ECONNRESET, and nothing was sent', async () => {
	await get();
	other.end();
	await closed;
	const error = await get().catch((failure: unknown) => failure);
	expect(error).toBeInstanceOf(ExchangeError);
	expect(error).toMatchObject({ sent: false, cause: { code: 'ECONNRESET' } });
	expect((error as ExchangeError).stopped).toBeUndefined();
});

it('a connection that was never used is closed when it is thrown away', async () => {
	connection.discard();
	await closed;
	expect(socket.destroyed).toBe(true);
	expect(connection.open).toBe(false);
});

it('only the time that was set ends an exchange, whatever else the HTTP client would wait for', () => {
	const { client } = connection;
	const limits = Object.getOwnPropertySymbols(client)
		.filter(({ description = '' }) => /^(headers|body) ?timeout$/i.test(description))
		.map((key) => Reflect.get(client, key) as unknown);
	expect(limits).toEqual([0, 0]);
});
