import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { loopbackCertificate } from '../support/cloud';
import { startCountingService } from '../support/cloud/countingService';
import { startSeparateService } from '../support/cloud/separateService';
import { pooled } from '../support/engine/built';
import { connectTo } from '../support/cloud/tokenCredential';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';

/** n8n's helper has a connection for each request and keeps none. */
const pooledIt = pooled ? it : it.skip;

describe('keep-alive', () => {
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
		const callService = connectTo(url, { timeout: 2_000 });
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

	it('an idle connection that a firewall drops is not used again', async () => {
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

	pooledIt(
		'of two idle connections the one used last is used first, so that the other is closed soon',
		async () => {
			handle = (socket) => void setTimeout(() => good(socket), 20);
			await Promise.all([outcome(), outcome()]);
			expect(sockets.size).toBe(2);
			for (let round = 0; round < 7; round++) {
				await sleep(100);
				expect(await outcome()).toBe('good');
			}
			expect([connections, sockets.size]).toEqual([2, 1]);
		},
	);

	it('a server that closes a used connection instead of responding costs one request; then each has its own connection', async () => {
		handle = (socket, request) => {
			if (request < 3) good(socket);
			else socket.destroy();
		};
		const outcomes: string[] = [];
		for (let round = 0; round < 10; round++) outcomes.push(await outcome());
		// What is not used again cannot be closed by the server in between.
		const third = pooled ? 'CONNECTION_LOST' : 'good';
		expect(outcomes).toEqual(['good', 'good', third, ...Array<string>(7).fill('good')]);
		expect(connections).toBe(pooled ? 1 + 7 : 10);
	});

	it('a reset before a request is written costs nothing', async () => {
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

	it('a second response right behind the first closes the connection', async () => {
		handle = (socket, request) => {
			good(socket);
			if (request === 1) setTimeout(() => good(socket), 3);
		};
		for (let round = 0; round < 5; round++) expect(await outcome()).toBe('good');
		expect(connections).toBe(5);
	});

	it('a reset that is seen only with the next request costs nothing, as nothing was written', async () => {
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
});

it('keep-alive connections that a server closes soon cost no item, even with a blocked event loop', async () => {
	const service = await startSeparateService({ keepAliveTimeout: 20, announceKeepAlive: false });
	try {
		for (let round = 0; round < 10; round++) {
			const { items } = await verify(
				makeNames(10).map((name) => `${name}.${round}`),
				{ credential: service.credentials, options: { maxRetries: 0 } },
			);
			expect(detailsOf(items)).toEqual(Array(10).fill(undefined));
			// As a Code node would: the close arrives, and nobody hears of it.
			const end = performance.now() + 60;
			while (performance.now() < end);
		}
	} finally {
		await service.close();
	}
});

describe.each([1, 20])('keep-alive with %d in flight', (maxConcurrency) => {
	it.each([
		['closes', 'end', undefined],
		['destroys', 'destroy', loopbackCertificate],
	] as const)(
		'a server that %s each connection after its response, without Connection: close, costs hardly an item',
		async (_how, closeAfterResponse, tls) => {
			const names = makeNames(400);
			let fewest = names.length;
			// Again if need be: on a busy machine the server's end may come much later than its answer.
			for (let tries = 0; tries < 4 && fewest >= names.length / 100; tries++) {
				const service = await startSeparateService({ closeAfterResponse, tls, announceKeepAlive: false });
				const { items } = await verify(names, {
					credential: service.credentials,
					options: { maxConcurrency, maxRetries: 0 },
				});
				const seen = await service.seen();
				await service.close();
				expectOneOutputEach(items, names);
				expect(Math.max(...postsOf(seen, names))).toBe(1);
				const failed = detailsOf(items).filter((details) => details !== undefined);
				for (const { outcomeUnknown } of failed) expect(outcomeUnknown).toBe(true);
				fewest = Math.min(fewest, failed.length);
			}
			expect(fewest).toBeLessThan(names.length / 100);
		},
	);
});

it.each([5, 20])(
	'keep-alive: a gateway with %d requests per connection (Connection: close) costs no item',
	async (requestsPerConnection) => {
		const names = makeNames(100);
		const service = await startCountingService({ requestsPerConnection, latency: 5 });
		const { items } = await verify(names, {
			credential: service.credentials,
			options: { maxConcurrency: 10, maxRetries: 0 },
		});
		await service.close();
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
		if (!pooled) expect(service.connections).toBe(names.length);
		else {
			const needed = names.length / requestsPerConnection;
			expect(service.connections).toBeLessThanOrEqual(needed * 1.3 + 10);
		}
		expect(service.mostInFlight).toBe(10);
	},
);

it.each([1_000, 2_000])(
	'Keep-Alive: timeout of %d ms: the connection is used again if connections are kept',
	async (keepAliveTimeout) => {
		const names = makeNames(20);
		const service = await startCountingService({ keepAliveTimeout });
		const { items } = await verify(names, {
			credential: service.credentials,
			options: { maxConcurrency: 1, maxRetries: 0 },
		});
		await service.close();
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		if (pooled) expect(service.connections).toBeLessThanOrEqual(2);
		else expect(service.connections).toBe(names.length);
	},
);
