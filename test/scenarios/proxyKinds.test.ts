import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { loopbackCertificate } from '../support/cloud';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import {
	proxyPassword,
	proxySecrets,
	proxyUser,
	setProxies,
	startHttpProxy,
} from '../support/network/httpProxy';
import { type SocksProxy, startSocksProxy } from '../support/network/socksProxy';
import { useTlsService } from '../support/network/tlsService';
import { detailsOf, expectOneOutputEach, makeNames, verify } from '../support/engine/verify';

const names = makeNames(6);
const cleanUp: Array<() => Promise<void>> = [];
let service: CountingService;
useTlsService((started) => (service = started));
afterEach(async () => {
	for (const close of cleanUp.splice(0)) await close();
});

async function run(credentials: object = service.credentials) {
	const { items, run } = await verify(names, { credentials, options: { maxConcurrency: 2, maxRetries: 1 } });
	expectOneOutputEach(items, names);
	const produced = JSON.stringify([run, items]);
	for (const secret of proxySecrets) expect(produced).not.toContain(secret);
	return items;
}

const hostOf = ({ url }: CountingService) => new URL(url).host;
const login = `${encodeURIComponent(proxyUser)}:${encodeURIComponent(proxyPassword)}`;

describe('a SOCKS proxy', () => {
	async function startSocks(asksForLogin?: boolean): Promise<SocksProxy> {
		const proxy = await startSocksProxy(asksForLogin);
		cleanUp.push(proxy.close);
		return proxy;
	}

	it.each(['socks5', 'socks5h', 'socks'])(
		'given as %s:// carries all calls on few connections',
		async (scheme) => {
			const proxy = await startSocks();
			setProxies({ HTTPS_PROXY: `${scheme}://${proxy.host}` });
			expect(detailsOf(await run())).toEqual(names.map(() => undefined));
			expect(proxy.tunnels).toEqual([hostOf(service), hostOf(service)]);
		},
	);

	it('gets the name of the service, as it is the one to resolve it', async () => {
		const proxy = await startSocks();
		setProxies({ ALL_PROXY: `socks5://${proxy.host}` });
		const baseUrl = service.url.replace('127.0.0.1', 'localhost');
		await run({ ...service.credentials, baseUrl });
		expect(proxy.tunnels[0]).toBe(new URL(baseUrl).host);
	});

	it('that asks for a login gets it, decoded', async () => {
		const proxy = await startSocks(true);
		setProxies({ HTTPS_PROXY: `socks5://${login}@${proxy.host}` });
		expect(detailsOf(await run())).toEqual(names.map(() => undefined));
		expect(proxy.tunnels).toHaveLength(2);
	});

	it.each([
		['no login', ''],
		['a wrong login', `${encodeURIComponent(proxyUser)}:wrong@`],
	])('that refuses %s is told of, and asked once an item', async (_what, before) => {
		const proxy = await startSocks(true);
		setProxies({ HTTPS_PROXY: `socks5://${before}${proxy.host}` });
		const items = await run();
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
	])('that answers %d is told of in words', async (reply, words, attempts) => {
		const proxy = await startSocks();
		proxy.reply = reply;
		setProxies({ HTTPS_PROXY: `socks5://${proxy.host}` });
		for (const { json } of await run()) expect(json.error).toContain(words);
		expect(proxy.tunnels).toHaveLength(names.length * attempts);
		expect(service.connections).toBe(0);
	});
});

describe('an HTTP proxy', () => {
	/** Answers each CONNECT with this. */
	async function startRefusing(answer: string, secure = false) {
		const asked: Array<string | undefined> = [];
		const server: HttpServer = secure ? createTlsServer(loopbackCertificate) : createServer();
		server.on('connect', ({ headers }, socket) => {
			asked.push(headers['proxy-authorization']);
			socket.on('error', () => undefined);
			socket.end(answer);
		});
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		cleanUp.push(async () => {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		});
		return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
	}
	const page = `<h1>Sorry</h1>${'x'.repeat(4_000)}`;
	const saying = (status: string) =>
		`HTTP/1.1 ${status}\r\nServer: squid\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`;

	it.each([
		['503 Service Unavailable', 'could not reach the service and answered with HTTP status 503', 2],
		['403 Forbidden', 'refused it with HTTP status 403', 1],
		['407 Proxy Authentication Required', 'refused it with HTTP status 407', 1],
	])('that answers %s with a page of its own is told of in words', async (status, words, attempts) => {
		const { host, asked } = await startRefusing(saying(status));
		setProxies({ HTTPS_PROXY: `http://${host}` });
		const items = await run();
		for (const { json } of items) {
			expect(json.error).toBe(
				`No connection to ${hostOf(service)} through the proxy ${host}: the proxy ${words}`,
			);
		}
		expect(asked).toHaveLength(names.length * attempts);
		expect(service.connections).toBe(0);
	});

	it.each([
		['a user without a password', 'only-user', 'only-user:'],
		['a password without a user', ':only-password', ':only-password'],
	])('gets %s', async (_what, before, expected) => {
		const { host, asked } = await startRefusing(saying('403 Forbidden'));
		setProxies({ HTTPS_PROXY: `http://${before}@${host}` });
		await run();
		expect(asked[0]).toBe(`Basic ${Buffer.from(expected).toString('base64')}`);
	});

	it('whose own certificate nobody vouches for gets no login, even if the service may have any', async () => {
		const { host, asked } = await startRefusing(saying('403 Forbidden'), true);
		setProxies({ HTTPS_PROXY: `https://${login}@${host}` });
		for (const { json } of await run()) {
			expect(json.error).toContain('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
		}
		expect(asked).toEqual([]);
	});
});

describe.each(['::1', '[::1]', 'example.com,::1'])('NO_PROXY=%s', (noProxy) => {
	it('keeps calls to that address from the proxy', async () => {
		const proxy = await startHttpProxy();
		cleanUp.push(proxy.close);
		const local = await startCountingService({ tls: loopbackCertificate, host: '::1' });
		cleanUp.push(local.close);
		const credentials = {
			...local.credentials,
			baseUrl: local.url.replace('127.0.0.1', '[::1]'),
		};
		setProxies({ HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: noProxy });
		expect(detailsOf(await run(credentials))).toEqual(names.map(() => undefined));
		expect(proxy.tunnels).toEqual([]);
		setProxies({ HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: '::2' });
		await run(credentials);
		expect(proxy.tunnels.length).toBeGreaterThan(0);
	});
});
