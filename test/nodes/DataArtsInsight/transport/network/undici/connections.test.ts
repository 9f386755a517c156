import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import type { NodeEgressFilter } from 'n8n-workflow';

import type { Connection } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connection';
import { UnusableProxy } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import {
	type ConnectionRoute,
	findConnections,
} from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connections';
import { setProxies } from '../../../../../support/network/httpProxy';
import { loopbackCertificate } from '../../../../../support/cloud';

const servers: Server[] = [];
const sockets: Socket[] = [];
beforeEach(() => {
	setProxies();
	// No connection gets too old while the machine is busy.
	jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
});
afterEach(() => {
	setProxies();
	jest.restoreAllMocks();
	for (const socket of sockets.splice(0)) socket.destroy();
	for (const server of servers.splice(0)) server.close();
});

/** Starts a server that counts its connections. */
async function start(server: Server = createServer()) {
	const started = { port: 0, connections: 0 };
	servers.push(server);
	server.on('connection', (socket) => {
		started.connections++;
		sockets.push(socket.on('error', () => undefined));
	});
	await once(server.listen(0, '127.0.0.1'), 'listening');
	started.port = (server.address() as AddressInfo).port;
	return started;
}

const refusingProxy = async () =>
	await start(createServer((socket) => socket.once('data', () => socket.write('HTTP/1.1 403 No\r\n\r\n'))));

const itself = async (connection: Connection) => await Promise.resolve(connection);
const lendOn = async (route: ConnectionRoute) => await route.withConnection(itself);
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const OK = { ok: true as const, result: undefined };
const NO = { ok: false as const, error: new Error('Not allowed') };

/** An egress policy that lets everything pass, but for what the test says, and keeps what it was asked. */
function policy(change: Partial<NodeEgressFilter> = {}) {
	const asked: string[] = [];
	const egress: NodeEgressFilter = {
		validateUrl: async (url) => {
			asked.push(String(url));
			return await Promise.resolve(OK);
		},
		validateConnectionHost: (host) => {
			asked.push(host);
			return OK;
		},
		createSecureLookup: () => (_hostname, _options, callback) =>
			callback(null, [{ address: '127.0.0.1', family: 4 }]),
		validateRedirectSync: () => undefined,
		...change,
	};
	return { asked, egress };
}

describe('the connections of a route', () => {
	it('are shared by all runs that take it', async () => {
		const { port } = await start();
		const origin = `http://127.0.0.1:${port}`;
		const first = await lendOn(findConnections(origin, false));
		expect(await lendOn(findConnections(origin, false))).toBe(first);
		const { egress } = policy();
		const policed = await lendOn(findConnections(origin, false, egress));
		expect(await lendOn(findConnections(origin, false, egress))).toBe(policed);
		expect(policed).not.toBe(first);
		expect(await lendOn(findConnections(origin, false, policy().egress))).not.toBe(policed);
	});

	it('to one service do not serve another', async () => {
		const [one, other] = [await start(), await start()];
		for (const { port } of [one, other]) await lendOn(findConnections(`http://127.0.0.1:${port}`, false));
		expect([one.connections, other.connections]).toEqual([1, 1]);
	});

	it('whose certificate was not checked do not serve who wants it checked', async () => {
		const { port } = await start(createTlsServer(loopbackCertificate));
		const origin = `https://127.0.0.1:${port}`;
		await lendOn(findConnections(origin, true));
		expect(await failureOf(lendOn(findConnections(origin, false)))).toMatchObject({
			sent: false,
			cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
		});
	});

	it('go through the proxy that the environment names at the time', async () => {
		const proxies = [await refusingProxy(), await refusingProxy()];
		for (const { port } of proxies) {
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
			const error = await failureOf(lendOn(findConnections('https://example.com', false)));
			expect(error).toMatchObject({ sent: false, cause: { code: 'PROXY_REFUSED' } });
		}
		expect(proxies.map(({ connections }) => connections)).toEqual([1, 1]);
	});
});

describe('the proxy', () => {
	it('and the host are told without the login', () => {
		setProxies({ HTTPS_PROXY: 'http://user:secret@proxy.example:3128' });
		const route = findConnections('https://example.com:8443', false);
		expect(route).toMatchObject({ host: 'example.com:8443', proxyHost: 'proxy.example:3128' });
		expect(JSON.stringify(route)).not.toContain('secret');
	});

	it('is none where the environment exempts the host', () => {
		setProxies({ HTTPS_PROXY: 'http://proxy.example', NO_PROXY: 'example.com' });
		expect(findConnections('https://example.com', false).proxyHost).toBeUndefined();
	});

	it('that cannot be used is said at once', () => {
		setProxies({ HTTPS_PROXY: 'ftp://proxy.example' });
		expect(() => findConnections('https://example.com', false)).toThrow(UnusableProxy);
	});
});

describe('the egress policy', () => {
	it('is asked for the service once, before the first connection', async () => {
		const service = await start();
		const origin = `http://127.0.0.1:${service.port}`;
		const { asked, egress } = policy();
		const route = findConnections(origin, false, egress);
		expect(asked).toEqual([]);
		await Promise.all([route.withConnection(itself), route.withConnection(itself)]);
		await route.withConnection(itself);
		expect(asked).toEqual([origin]);
	});

	it('is asked for the proxy as well', async () => {
		const { port } = await refusingProxy();
		setProxies({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
		const { asked, egress } = policy();
		const error = await failureOf(lendOn(findConnections('https://example.com', false, egress)));
		expect(error).toMatchObject({ cause: { code: 'PROXY_REFUSED' } });
		expect(asked).toEqual(['https://example.com', '127.0.0.1']);
	});

	it.each<[string, Partial<NodeEgressFilter>]>([
		['the service', { validateUrl: () => Promise.resolve(NO) }],
		['the proxy', { validateConnectionHost: () => NO }],
	])(
		'that forbids %s keeps all away from it, and is asked again for the next request',
		async (_what, change) => {
			const proxy = await refusingProxy();
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
			const { egress } = policy(change);
			const asked = jest.spyOn(egress, 'validateUrl');
			const route = findConnections('https://example.com', false, egress);
			for (const times of [1, 2]) {
				const error = await failureOf(route.withConnection(itself));
				expect(error).toMatchObject({ sent: false, cause: { code: 'EGRESS_BLOCKED' } });
				expect(asked).toHaveBeenCalledTimes(times);
			}
			expect(proxy.connections).toBe(0);
		},
	);

	it('that does not answer is not waited for once the execution is stopped', async () => {
		const { egress } = policy({ validateUrl: async () => await new Promise<never>(() => undefined) });
		const route = findConnections('http://127.0.0.1:1', false, egress);
		const stop = new AbortController();
		const waiting = failureOf(route.withConnection(itself, stop.signal));
		stop.abort();
		expect(await waiting).toMatchObject({ sent: false, stopped: 'cancelled' });
	});

	it.each([
		['refuses an address', undefined, 'EGRESS_BLOCKED'],
		['does not resolve the name', 'ENOTFOUND', 'ENOTFOUND'],
	])('whose lookup %s keeps all away from it', async (_what, code, expected) => {
		const error = Object.assign(new Error('no'), code && { code });
		const { egress } = policy({
			createSecureLookup: () => (_hostname, _options, callback) => callback(error, []),
		});
		expect(await failureOf(lendOn(findConnections('http://service.example', false, egress)))).toMatchObject({
			sent: false,
			cause: { code: expected },
		});
	});

	it("resolves the service's name while connecting", async () => {
		const { port } = await start();
		const connection = await lendOn(
			findConnections(`http://service.example:${port}`, false, policy().egress),
		);
		expect(connection.open).toBe(true);
	});
});

it('a route that is no longer waited for makes no connection', async () => {
	const service = await start();
	const route = findConnections(`http://127.0.0.1:${service.port}`, false);
	expect(await failureOf(route.withConnection(itself, AbortSignal.abort()))).toMatchObject({
		stopped: 'cancelled',
	});
	expect(service.connections).toBe(0);
});
