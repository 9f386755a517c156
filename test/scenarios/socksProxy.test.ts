import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';

import { createServer } from '@pondwader/socks5-server';

import type { CountingService } from '../support/cloud/countingService';
import { proxyPassword, proxySecrets, proxyUser, setProxies } from '../support/network/httpProxy';
import { type SocksProxy, startSocksProxy } from '../support/network/socksProxy';
import { useTlsService } from '../support/network/tlsService';
import { pooled } from '../support/engine/built';
import { detailsOf, makeNames, postsOf, verify } from '../support/engine/runNode';

const names = makeNames(12);
const login = `${encodeURIComponent(proxyUser)}:${encodeURIComponent(proxyPassword)}@`;

let service: CountingService;
let proxy: Server | undefined;
let tunnels: string[];
let port: number;

useTlsService((started) => (service = started));
afterEach(() => void proxy?.close());

/** Starts a SOCKS5 server that we did not write. */
async function startSocks(auth?: { username: string; password: string }) {
	tunnels = [];
	const server = createServer(auth ? { auth } : {});
	server.setRulesetValidator((connection) => {
		tunnels.push(`${connection.destAddress}:${connection.destPort}`);
		return true;
	});
	server.listen(0, '127.0.0.1');
	proxy = (server as unknown as { server: Server }).server;
	await once(proxy, 'listening');
	port = (proxy.address() as AddressInfo).port;
}

async function run(options: object = {}, change: object = {}) {
	const { items, run } = await verify(names, {
		credential: { ...service.credentials, ...change },
		options: { maxConcurrency: 3, maxRetries: 0, ...options },
	});
	for (const secret of proxySecrets) expect(JSON.stringify([run, items])).not.toContain(secret);
	return items;
}

it('SOCKS proxy: a server that does not speak SOCKS is an error', async () => {
	proxy = createTcpServer((socket) => {
		socket.on('error', () => undefined);
		socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
	}).listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	setProxies({ HTTPS_PROXY: `socks5://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
	const [item] = await run();
	// n8n's helper takes it for an HTTP proxy, and its answer for one of the service.
	const code = pooled ? 'CONNECTION_FAILED' : 'HTTP_400';
	expect(item?.json.details).toMatchObject({ code, outcomeUnknown: false });
	expect(service.posts.size).toBe(0);
});

/** n8n's helper knows no SOCKS: it asks every proxy in the words of HTTP, and a SOCKS proxy does not answer them. */
(pooled ? describe.skip : describe)("a SOCKS proxy for n8n's helper", () => {
	it.each(['socks4', 'socks4a', 'socks5', 'socks5h', 'socks'])(
		'%s:// leads nowhere, and no request is sent',
		async (scheme) => {
			await startSocks({ username: proxyUser, password: proxyPassword });
			setProxies({ HTTPS_PROXY: `${scheme}://${login}127.0.0.1:${port}` });
			for (const details of detailsOf(await run({ timeout: 2_000, maxConcurrency: 12 }))) {
				// A proxy that resets the connection is seen at once, one that only closes it at the timeout.
				expect(['CONNECTION_FAILED', 'TIMEOUT']).toContain(details?.code);
				expect(details?.outcomeUnknown).toBe(details?.code === 'TIMEOUT');
			}
			expect(tunnels).toEqual([]);
			expect(service.connections).toBe(0);
		},
	);
});

(pooled ? describe : describe.skip)('a SOCKS proxy for the pooled build', () => {
	it.each(['socks5', 'socks5h', 'socks'])(
		'%s:// is a SOCKS proxy that leads to the service, on as few connections as ever',
		async (scheme) => {
			await startSocks();
			setProxies({ HTTPS_PROXY: `${scheme}://127.0.0.1:${port}` });
			expect(detailsOf(await run())).toEqual(names.map(() => undefined));
			expect(postsOf(service, names)).toEqual(names.map(() => 1));
			expect(tunnels).toEqual(Array(3).fill(new URL(service.url).host));
		},
	);

	it('SOCKS proxy: a percent-encoded login is decoded', async () => {
		await startSocks({ username: proxyUser, password: proxyPassword });
		setProxies({ ALL_PROXY: `socks5://${login}127.0.0.1:${port}` });
		expect(detailsOf(await run())).toEqual(names.map(() => undefined));
		expect(tunnels).toHaveLength(3);
	});

	it('SOCKS proxy: the error says that the login was refused', async () => {
		await startSocks({ username: proxyUser, password: 'another' });
		setProxies({ HTTPS_PROXY: `socks5://${login}127.0.0.1:${port}` });
		const [item] = await run();
		expect(item?.json.error).toMatch(
			/through the proxy 127\.0\.0\.1:\d+: the proxy refused it with 'the login/,
		);
		expect(item?.json.details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
		expect(service.posts.size).toBe(0);
	});

	it('SOCKS proxy: the error says that the proxy could not reach the service', async () => {
		await startSocks();
		const closed = createTcpServer().listen(0, '127.0.0.1');
		await once(closed, 'listening');
		const { port: nobody } = closed.address() as AddressInfo;
		closed.close();
		setProxies({ HTTPS_PROXY: `socks5://127.0.0.1:${port}` });
		const { items } = await verify(names.slice(0, 1), {
			credential: { ...service.credentials, baseUrl: `https://127.0.0.1:${nobody}` },
			options: { maxRetries: 0 },
		});
		expect(items[0]?.json.error).toContain('the proxy could not reach the service');
		expect(items[0]?.json.details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	});

	describe('a SOCKS proxy of our own, which can refuse', () => {
		const cleanUp: Array<() => Promise<void>> = [];
		afterEach(async () => {
			for (const close of cleanUp.splice(0)) await close();
		});
		const hostOf = ({ url }: CountingService) => new URL(url).host;

		async function startSocks(requiresLogin?: boolean): Promise<SocksProxy> {
			const proxy = await startSocksProxy(requiresLogin);
			cleanUp.push(proxy.close);
			return proxy;
		}

		it('gets the host name and does the DNS lookup', async () => {
			const proxy = await startSocks();
			setProxies({ ALL_PROXY: `socks5://${proxy.host}` });
			const baseUrl = service.url.replace('127.0.0.1', 'localhost');
			await run({}, { baseUrl });
			expect(proxy.tunnels[0]).toBe(new URL(baseUrl).host);
		});

		it.each([
			['no login', ''],
			['a wrong login', `${encodeURIComponent(proxyUser)}:wrong@`],
		])('that refuses %s: no retry, and the error says so', async (_what, before) => {
			const proxy = await startSocks(true);
			setProxies({ HTTPS_PROXY: `socks5://${before}${proxy.host}` });
			const items = await run({ maxRetries: 1 });
			for (const { json } of items) {
				expect(json.error).toBe(
					`No connection to ${hostOf(service)} through the proxy ${proxy.host}: the proxy refused it with 'the login is not accepted'`,
				);
			}
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('the login in them');
				expect(details?.description).not.toContain('Tried');
			}
			expect(service.connections).toBe(0);
		});

		it.each([
			[4, "the proxy could not reach the service and answered with 'HostUnreachable'", 2],
			[2, "the proxy refused it with 'NotAllowed'", 1],
		])('that answers %d: the error says what that means', async (reply, words, attempts) => {
			const proxy = await startSocks();
			proxy.reply = reply;
			setProxies({ HTTPS_PROXY: `socks5://${proxy.host}` });
			for (const { json } of await run({ maxRetries: 1 })) expect(json.error).toContain(words);
			expect(proxy.tunnels).toHaveLength(names.length * attempts);
			expect(service.connections).toBe(0);
		});
	});
});
