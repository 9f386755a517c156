import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { connectTo } from '../support/cloud/tokenCredential';

let server: Server;
let connections: number;
const sockets = new Set<Socket>();
/** What the server does with the n-th request on a connection, counted from 1. */
let handle: (socket: Socket, request: number) => void;
let call: () => Promise<unknown>;

const good = (socket: Socket, ...headers: string[]) =>
	socket.write(`${['HTTP/1.1 200 OK', 'Content-Length: 10', ...headers].join('\r\n')}\r\n\r\n{"id":"1"}`);

beforeEach(async () => {
	connections = 0;
	// Another one for each test: what is learned of an origin is remembered.
	server = createServer((socket) => {
		connections++;
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => undefined);
		let requests = 0;
		socket.on('data', () => handle(socket, ++requests));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const callService = await connectTo(url, { timeout: 2_000 });
	// Without a body it comes in one piece, and so counts once.
	call = async () => await callService({ method: 'POST', path: '/x' });
});
afterEach(() => {
	for (const socket of sockets) socket.destroy();
	server.close();
});

const outcome = async () =>
	await call().then(
		() => 'good',
		({ details }: RequestError) => details.code,
	);

it('a connection that a firewall forgets while it is idle is not used again', async () => {
	const forgotten = new WeakSet<Socket>();
	const timers = new WeakMap<Socket, NodeJS.Timeout>();
	handle = (socket) => {
		clearTimeout(timers.get(socket));
		if (forgotten.has(socket)) return;
		good(socket, 'Keep-Alive: timeout=60');
		timers.set(
			socket,
			setTimeout(() => forgotten.add(socket), 900),
		);
	};
	for (let round = 0; round < 3; round++) {
		expect(await outcome()).toBe('good');
		await sleep(1_000);
	}
	expect(connections).toBe(3);
});

it('of two idle connections the one used last goes out first, so that the other is closed soon', async () => {
	handle = (socket) => void setTimeout(() => good(socket), 20);
	await Promise.all([outcome(), outcome()]);
	expect(sockets.size).toBe(2);
	for (let round = 0; round < 7; round++) {
		await sleep(100);
		expect(await outcome()).toBe('good');
	}
	expect([connections, sockets.size]).toEqual([2, 1]);
});

it('a server that ends a connection instead of a later answer costs one call; then each has its own for a while', async () => {
	handle = (socket, request) => {
		if (request < 3) good(socket);
		else socket.destroy();
	};
	const outcomes: string[] = [];
	for (let round = 0; round < 10; round++) outcomes.push(await outcome());
	expect(outcomes).toEqual(['good', 'good', 'CONNECTION_LOST', ...Array<string>(7).fill('good')]);
	expect(connections).toBe(1 + 7);
});

it('a connection that is ended before a request was written costs nothing, and is not told of', async () => {
	let ended = 0;
	handle = (socket) => {
		good(socket);
		// Within the time that a connection is left alone after its first answer.
		setTimeout(() => {
			ended++;
			socket.resetAndDestroy();
		}, 1);
	};
	for (let round = 0; round < 5; round++) expect(await outcome()).toBe('good');
	expect(connections).toBe(5);
	expect(ended).toBeGreaterThan(0);
});

it('a second answer right behind the first ends the connection', async () => {
	handle = (socket, request) => {
		good(socket);
		if (request === 1) setTimeout(() => good(socket), 3);
	};
	for (let round = 0; round < 5; round++) expect(await outcome()).toBe('good');
	expect(connections).toBe(5);
});

it('a connection whose end is heard only when the next request is at hand costs nothing, as nothing was written', async () => {
	let last: Socket | undefined;
	handle = (socket) => {
		last = socket;
		good(socket);
	};
	expect(await outcome()).toBe('good');
	const second = await new Promise<string>((resolve) => {
		setImmediate(() => {
			last?.resetAndDestroy();
			resolve(outcome());
			void blockOnceTheCallWaits();
		});
	});
	expect([second, connections]).toEqual(['good', 2]);
});

/** So that the call goes on with its timer, before the event loop looks at the network again. */
async function blockOnceTheCallWaits() {
	for (let step = 0; step < 100; step++) await Promise.resolve();
	const end = performance.now() + 15;
	while (performance.now() < end);
}
