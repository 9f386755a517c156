import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';

import { createServer } from '@pondwader/socks5-server';

import type { CountingService } from '../support/cloud/countingService';
import { proxyPassword, proxySecrets, proxyUser, setProxies } from '../support/network/httpProxy';
import { useTlsService } from '../support/network/tlsService';
import { detailsOf, makeNames, postsOf, verify } from '../support/engine/verify';

const names = makeNames(12);
const login = `${encodeURIComponent(proxyUser)}:${encodeURIComponent(proxyPassword)}@`;

let service: CountingService;
let proxy: Server;
let tunnels: string[];
let port: number;

useTlsService((started) => (service = started));
afterEach(() => void proxy.close());

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

async function run(options: object = {}) {
	const { items, run } = await verify(names, {
		credentials: service.credentials,
		options: { maxConcurrency: 3, maxRetries: 0, ...options },
	});
	for (const secret of proxySecrets) expect(JSON.stringify([run, items])).not.toContain(secret);
	return items;
}

it.each(['socks5', 'socks5h', 'socks'])(
	'%s:// leads to the service, on as few connections as ever',
	async (scheme) => {
		await startSocks();
		setProxies({ HTTPS_PROXY: `${scheme}://127.0.0.1:${port}` });
		expect(detailsOf(await run())).toEqual(names.map(() => undefined));
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
		expect(tunnels).toEqual(Array(3).fill(new URL(service.url).host));
	},
);

it('a login that is percent-encoded is given as it is meant', async () => {
	await startSocks({ username: proxyUser, password: proxyPassword });
	setProxies({ ALL_PROXY: `socks5://${login}127.0.0.1:${port}` });
	expect(detailsOf(await run())).toEqual(names.map(() => undefined));
	expect(tunnels).toHaveLength(3);
});

it('a login that is not accepted is told as such', async () => {
	await startSocks({ username: proxyUser, password: 'another' });
	setProxies({ HTTPS_PROXY: `socks5://${login}127.0.0.1:${port}` });
	const [item] = await run();
	expect(item?.json.error).toMatch(
		/through the proxy 127\.0\.0\.1:\d+: the proxy refused it with 'the login/,
	);
	expect(item?.json.details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	expect(service.posts.size).toBe(0);
});

it('what the proxy cannot reach is told as such', async () => {
	await startSocks();
	const closed = createTcpServer().listen(0, '127.0.0.1');
	await once(closed, 'listening');
	const { port: nobody } = closed.address() as AddressInfo;
	closed.close();
	setProxies({ HTTPS_PROXY: `socks5://127.0.0.1:${port}` });
	const { items } = await verify(names.slice(0, 1), {
		credentials: { ...service.credentials, baseUrl: `https://127.0.0.1:${nobody}` },
		options: { maxRetries: 0 },
	});
	expect(items[0]?.json.error).toContain('the proxy could not reach the service');
	expect(items[0]?.json.details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
});

it('a proxy that is no SOCKS server is given up', async () => {
	proxy = createTcpServer((socket) => {
		socket.on('error', () => undefined);
		socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
	}).listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	setProxies({ HTTPS_PROXY: `socks5://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
	const [item] = await run();
	expect(item?.json.details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	expect(service.posts.size).toBe(0);
});
