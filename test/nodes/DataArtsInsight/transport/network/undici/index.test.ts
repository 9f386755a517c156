import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeEgressFilter } from 'n8n-workflow';

import {
	ExchangeError,
	UnusableProxy,
} from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import type {
	HttpRequest,
	HttpResponse,
} from '../../../../../../nodes/DataArtsInsight/transport/network/network';
import { findRoute } from '../../../../../../nodes/DataArtsInsight/transport/network/undici';
import { setProxies } from '../../../../../support/network/httpProxy';

let server: Server;
let origin: string;
let connections: number;
let received: string;
/** What the server answers with; nothing if it is empty. */
let answer: string;
const sockets: Socket[] = [];

beforeEach(async () => {
	setProxies();
	connections = 0;
	received = '';
	answer = 'HTTP/1.1 200 OK\r\nX-Request-Id: 7\r\nContent-Length: 2\r\n\r\n{}';
	server = createServer((socket) => {
		connections++;
		sockets.push(socket.on('error', () => undefined));
		socket.on('data', (chunk) => {
			received += String(chunk);
			if (answer) socket.write(answer);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
	setProxies();
	for (const socket of sockets.splice(0)) socket.destroy();
	server.close();
});

const request = (): HttpRequest => ({
	method: 'POST',
	origin,
	path: '/v1/x?limit=1',
	headers: { 'X-Auth-Token': 'token' },
	body: '{"a":1}',
});
const LIMITS = { timeout: 60_000 };
const itself = <Value>(value: Value) => value;
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

describe('the route on connections that are kept', () => {
	it('names the host, and no proxy where there is none', () => {
		expect(findRoute('https://example.com:8443', false, {})).toMatchObject({
			host: 'example.com:8443',
			proxyHost: undefined,
		});
	});

	it('names the proxy of the environment without its login', () => {
		setProxies({ HTTPS_PROXY: 'http://user:password@proxy.example.com:3128' });
		expect(findRoute('https://example.com', false, {}).proxyHost).toBe('proxy.example.com:3128');
	});

	it('is not found through a proxy that cannot be used', () => {
		setProxies({ HTTPS_PROXY: 'ftp://proxy.example.com' });
		expect(() => findRoute('https://example.com', false, {})).toThrow(UnusableProxy);
	});

	it('sends method, path, headers and body, and returns what the response was read as', async () => {
		const read = jest.fn(({ status, headers, text }: HttpResponse) => [
			status,
			headers['x-request-id'],
			text,
		]);
		expect(await findRoute(origin, false, {}).send(request(), LIMITS, read)).toEqual([200, '7', '{}']);
		expect(read).toHaveBeenCalledTimes(1);
		expect(received).toMatch(/^POST \/v1\/x\?limit=1 HTTP\/1\.1\r\n/);
		expect(received).toMatch(/\r\nX-Auth-Token: token\r\n/i);
		expect(received).toMatch(/\r\n\r\n\{"a":1\}$/);
	});

	it('lends the connection to the next request, of another route to the same host as well', async () => {
		for (let i = 0; i < 3; i++) await findRoute(origin, false, {}).send(request(), LIMITS, itself);
		expect(connections).toBe(1);
	});

	it('closes the connection when the response was read as none of this request', async () => {
		const route = findRoute(origin, false, {});
		await route.send(request(), LIMITS, (_response, closeConnection) => closeConnection());
		await route.send(request(), LIMITS, itself);
		expect(connections).toBe(2);
	});

	it('passes on what reading throws, and keeps the connection', async () => {
		const route = findRoute(origin, false, {});
		const unreadable = new Error('Not what was asked for');
		const failure = failureOf(
			route.send(request(), LIMITS, () => {
				throw unreadable;
			}),
		);
		expect(await failure).toBe(unreadable);
		await route.send(request(), LIMITS, itself);
		expect(connections).toBe(1);
	});

	it('ends a request when its time is up, and reads nothing', async () => {
		answer = '';
		const read = jest.fn();
		const failure = await failureOf(findRoute(origin, false, {}).send(request(), { timeout: 50 }, read));
		expect(failure).toBeInstanceOf(ExchangeError);
		expect(failure).toMatchObject({ sent: true, stopped: 'timeout' });
		expect(read).not.toHaveBeenCalled();
	});

	it('ends a request when it is stopped', async () => {
		answer = '';
		const stop = new AbortController();
		const failure = failureOf(
			findRoute(origin, false, {}).send(request(), { ...LIMITS, signal: stop.signal }, itself),
		);
		while (!received) await sleep(5);
		stop.abort();
		expect(await failure).toMatchObject({ sent: true, stopped: 'cancelled' });
	});

	it('opens no connection for a request that was stopped before', async () => {
		const limits = { ...LIMITS, signal: AbortSignal.abort() };
		const failure = await failureOf(findRoute(origin, false, {}).send(request(), limits, itself));
		expect(failure).toMatchObject({ sent: false, stopped: 'cancelled' });
		expect(connections).toBe(0);
	});

	it("asks the instance's egress policy, where there is one", async () => {
		const policy: Partial<NodeEgressFilter> = {
			validateUrl: async () => await Promise.resolve({ ok: false, error: new Error('No') }),
			createSecureLookup: () => () => undefined,
		};
		const getSecureEgressFilter = () => policy as NodeEgressFilter;
		const failure = await failureOf(
			findRoute(origin, false, { getSecureEgressFilter }).send(request(), LIMITS, itself),
		);
		expect(failure).toMatchObject({ sent: false, cause: { code: 'EGRESS_BLOCKED' } });
		expect(connections).toBe(0);
	});
});
