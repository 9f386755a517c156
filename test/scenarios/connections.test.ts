import { setTimeout as sleep } from 'node:timers/promises';

import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

import { connectTo } from '../support/cloud/tokenCredential';

let server: Server;
let url: string;
let answer: RequestListener;
let seen: Array<{ path: string; socket: Socket }>;

beforeEach(async () => {
	seen = [];
	server = createServer((request, response) => {
		seen.push({ path: request.url ?? '', socket: request.socket });
		request.resume().on('end', () => answer(request, response));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
	jest.restoreAllMocks();
	server.closeAllConnections();
	server.close();
});

async function open(signal?: AbortSignal, credential: object = {}) {
	const call = await connectTo(
		url,
		{ timeout: 30_000, maxRetries: 2, signal },
		{ iamUrl: url, ...credential },
	);
	return async (path: string) => await call({ method: 'POST', path, body: {} });
}
const CANCELLED = { details: { code: 'CANCELLED', outcomeUnknown: false } };

it('a call may take longer than its connection was allowed to', async () => {
	const now = performance.now.bind(performance);
	let ahead = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
	const timers: AbortController[] = [];
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
		const timer = new AbortController();
		if (delay <= 10_000) timers.push(timer);
		return timer.signal;
	});
	answer = (_request, response) => {
		// Eleven seconds later.
		ahead = 11_000;
		for (const timer of timers) timer.abort();
		setTimeout(() => response.end('{"id":"1"}'), 20);
	};
	const call = await open();
	expect(await call('/x')).toEqual({ id: '1' });
	expect(timers.length).toBeGreaterThan(0);
	expect(seen).toHaveLength(1);
});

it('the connection that was used last goes out first', async () => {
	const waits: Record<string, number> = { '/first': 0, '/second': 60, '/third': 120 };
	answer = ({ url: path = '' }, response) => setTimeout(() => response.end('{"id":"1"}'), waits[path] ?? 0);
	const call = await open();
	await Promise.all(['/first', '/second', '/third'].map(call));
	const warmest = seen.find(({ path }) => path === '/third')?.socket;
	for (const path of ['/fourth', '/fifth', '/sixth']) await call(path);
	expect(new Set(seen.map(({ socket }) => socket)).size).toBe(3);
	expect(seen.slice(3).map(({ socket }) => socket === warmest)).toEqual([true, true, true]);
});

describe('an execution that is stopped sends nothing more', () => {
	it('while its login is under way', async () => {
		const stop = new AbortController();
		answer = (_request, response) => {
			stop.abort();
			response.writeHead(201, { 'X-Subject-Token': 'MIIother' }).end('{}');
		};
		const login = { domainName: 'account', username: 'user', password: 'MIIpassword' };
		const call = await open(stop.signal, { authentication: 'password', ...login });
		await expect(call('/x')).rejects.toMatchObject(CANCELLED);
		await sleep(50);
		expect(seen.map(({ path }) => path.slice(0, 4))).toEqual(['/v3/']);
	});

	it.each([1, 2])('while it takes a connection that has brought %d answers', async (answers) => {
		const stop = new AbortController();
		answer = (_request, response) => response.end('{"id":"1"}');
		const call = await open(stop.signal);
		for (let i = 0; i < answers; i++) await call('/before');
		// Long enough not to be taken for fresh.
		await sleep(20);
		const stopped = call('/stopped').catch((error: unknown) => error);
		await Promise.resolve();
		process.nextTick(() => stop.abort());
		expect(await stopped).toMatchObject(CANCELLED);
		await sleep(50);
		expect(seen.map(({ path }) => path)).not.toContain('/stopped');
	});
});
