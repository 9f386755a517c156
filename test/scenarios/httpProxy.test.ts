import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { loopbackCertificate } from '../support/cloud';
import type { CountingService } from '../support/cloud/countingService';
import { proxyPassword, proxySecrets, proxyUser, setProxies } from '../support/network/httpProxy';
import { startTcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';
import { useProxies } from '../support/network/useProxies';

const names = makeNames(20);
useNoBackOff();
const { cleanUp, startProxy, startService } = useProxies();

async function run(service: CountingService, maxConcurrency = 10, change: object = {}) {
	const { items, run } = await verify(names, {
		credential: { ...service.credentials, ...change },
		options: { maxConcurrency, maxRetries: 2 },
	});
	expectOneOutputEach(items, names);
	const produced = JSON.stringify([run, items]);
	for (const secret of proxySecrets) expect(produced).not.toContain(secret);
	return items;
}

const login = `${encodeURIComponent(proxyUser)}:${encodeURIComponent(proxyPassword)}`;
const hostOf = ({ url }: CountingService) => new URL(url).host;
const expectAllGood = async (service: CountingService, maxConcurrency?: number) => {
	expect(detailsOf(await run(service, maxConcurrency))).toEqual(names.map(() => undefined));
	expect(postsOf(service, names)).toEqual(names.map(() => 1));
};

describe.each([1, 10])('with %d in flight', (maxConcurrency) => {
	it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])(
		'%s: requests go through CONNECT tunnels, and keep-alive connections are used again',
		async (name) => {
			const service = await startService();
			const proxy = await startProxy();
			setProxies({ [name]: `http://${proxy.host}` });
			await expectAllGood(service, maxConcurrency);
			expect(proxy.tunnels).toEqual(Array<string>(maxConcurrency).fill(hostOf(service)));
			expect(proxy.plain).toEqual([]);
		},
	);

	it.each(['HTTP_PROXY', 'ALL_PROXY'])(
		'%s is not used for http://, where the proxy would see the token',
		async (name) => {
			const service = await startService(false);
			const proxy = await startProxy();
			setProxies({ [name]: `http://${proxy.host}` });
			await expectAllGood(service, maxConcurrency);
			expect([...proxy.tunnels, ...proxy.plain]).toEqual([]);
		},
	);

	it('HTTP proxy with a login gets it', async () => {
		const service = await startService();
		const proxy = await startProxy(true);
		setProxies({ HTTPS_PROXY: proxy.url });
		await expectAllGood(service, maxConcurrency);
		expect(proxy.tunnels).toHaveLength(maxConcurrency);
	});

	it.each([
		['without a login', (host: string) => `http://${host}`],
		[
			'with a wrong one',
			(host: string) => `http://${proxyUser}:${encodeURIComponent(`${proxyPassword}x`)}@${host}`,
		],
	])('HTTP proxy with a login answers 407 %s: no retry', async (_what, url) => {
		const service = await startService();
		const proxy = await startProxy(true);
		const network = await startTcpProxy(`http://${proxy.host}`);
		cleanUp.unshift(network.close);
		const host = `127.0.0.1:${network.port}`;
		setProxies({ HTTPS_PROXY: url(host) });
		const items = await run(service, maxConcurrency);
		for (const { json } of items) {
			expect(json.error).toBe(
				`No connection to ${hostOf(service)} through the proxy ${host}: the proxy refused it with HTTP status 407`,
			);
		}
		for (const details of detailsOf(items)) {
			expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
			expect(details?.description).toContain('the login in them');
			expect(details?.description).not.toContain('Tried');
		}
		expect(network.used).toBe(names.length);
		expect(service.posts.size).toBe(0);
	});

	it('ECONNREFUSED of an HTTP proxy: Max Retries, and the error names the proxy', async () => {
		const service = await startService();
		const proxy = await startProxy();
		await proxy.close();
		setProxies({ HTTPS_PROXY: proxy.url });
		const items = await run(service, maxConcurrency);
		for (const { json } of items) {
			expect(json.error).toBe(
				`No connection to ${hostOf(service)} through the proxy ${proxy.host}: it was refused`,
			);
		}
		for (const details of detailsOf(items)) {
			expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
			expect(details?.description).toContain('Tried 3 times');
		}
		expect(service.posts.size).toBe(0);
	});

	it('the TLS certificate is checked behind an HTTP proxy, too', async () => {
		const service = await startService();
		const proxy = await startProxy(true);
		setProxies({ HTTPS_PROXY: proxy.url });
		const items = await run(service, maxConcurrency, { allowUnauthorizedCerts: false });
		for (const { json } of items) {
			expect(json.error).toContain('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
		}
		expect(proxy.tunnels).toHaveLength(names.length);
		expect(service.posts.size).toBe(0);
	});

	it('a reset behind an HTTP proxy: no retry, and an endpoint may exist', async () => {
		const service = await startService();
		const proxy = await startProxy(true);
		setProxies({ HTTPS_PROXY: proxy.url });
		service.reply = (name) => (Number(name.split('-').at(-1)) % 2 ? 'reset' : 'good');
		const details = detailsOf(await run(service, maxConcurrency));
		expect(details.map((one) => one?.outcomeUnknown)).toEqual(
			names.map((_, index) => (index % 2 ? true : undefined)),
		);
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
	});
});

it('keep-alive connections with and without an HTTP proxy are not mixed up', async () => {
	const service = await startService();
	const [one, two] = [await startProxy(), await startProxy(true)];
	await run(service);
	setProxies({ HTTPS_PROXY: one.url });
	await run(service);
	setProxies({ HTTPS_PROXY: two.url });
	await run(service);
	setProxies();
	await run(service);
	expect(one.tunnels).toHaveLength(10);
	expect(two.tunnels).toHaveLength(10);
	expect(postsOf(service, names)).toEqual(names.map(() => 4));
});

it('HTTPS_PROXY that is no URL: the error does not show its login', async () => {
	const service = await startService();
	setProxies({ HTTPS_PROXY: `http://${proxyUser}:${encodeURIComponent(proxyPassword)}@` });
	const items = await run(service);
	expect(items[0]?.json.error).toBe("The proxy in n8n's environment is not a web address");
	expect(service.posts.size).toBe(0);
});

describe('an HTTP proxy', () => {
	let service: CountingService;
	beforeEach(async () => (service = await startService()));

	/** Answers each CONNECT with this. */
	async function startRefusing(answer: string, secure = false) {
		const requests: Array<string | undefined> = [];
		const server: HttpServer = secure ? createTlsServer(loopbackCertificate) : createServer();
		server.on('connect', ({ headers }, socket) => {
			requests.push(headers['proxy-authorization']);
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
		return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
	}
	const page = `<h1>Sorry</h1>${'x'.repeat(4_000)}`;
	const saying = (status: string) =>
		`HTTP/1.1 ${status}\r\nServer: squid\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`;

	it.each([
		['503 Service Unavailable', 'could not reach the service and answered with HTTP status 503', 3],
		['403 Forbidden', 'refused it with HTTP status 403', 1],
		['407 Proxy Authentication Required', 'refused it with HTTP status 407', 1],
	])(
		'that answers %s with a page of its own: the error says what that means',
		async (status, words, attempts) => {
			const { host, requests } = await startRefusing(saying(status));
			setProxies({ HTTPS_PROXY: `http://${host}` });
			const items = await run(service);
			for (const { json } of items) {
				expect(json.error).toBe(
					`No connection to ${hostOf(service)} through the proxy ${host}: the proxy ${words}`,
				);
			}
			expect(requests).toHaveLength(names.length * attempts);
			expect(service.connections).toBe(0);
		},
	);

	it.each([
		['a user without a password', 'only-user', 'only-user:'],
		['a password without a user', ':only-password', ':only-password'],
	])('gets a login of %s', async (_what, before, expected) => {
		const { host, requests } = await startRefusing(saying('403 Forbidden'));
		setProxies({ HTTPS_PROXY: `http://${before}@${host}` });
		await run(service);
		expect(requests[0]).toBe(`Basic ${Buffer.from(expected).toString('base64')}`);
	});

	it('with an untrusted TLS certificate gets no login, even with Ignore SSL Issues', async () => {
		const { host, requests } = await startRefusing(saying('403 Forbidden'), true);
		setProxies({ HTTPS_PROXY: `https://${login}@${host}` });
		for (const { json } of await run(service)) {
			expect(json.error).toContain('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
		}
		expect(requests).toEqual([]);
	});

	it.each([
		['of a kind that cannot be used', 'ftp://user:secret@127.0.0.1:1080'],
		['with a login that is not encoded', 'http://user:se%cret@127.0.0.1:1'],
	])('%s: the error names HTTPS_PROXY and no secret', async (_what, url) => {
		setProxies({ HTTPS_PROXY: url });
		for (const { json } of await run(service)) {
			expect(json.error).toContain('proxy');
			expect(json.error).not.toContain('secret');
			expect(json.details).toMatchObject({
				outcomeUnknown: false,
				description: expect.stringContaining('HTTPS_PROXY') as string,
			});
		}
	});

	it.each(['cut', 'reset'] as const)(
		'that breaks the connection before its response (%s): Max Retries',
		async (end) => {
			const proxy = await startTcpProxy(service.url);
			proxy.behaviour = () => ({ onRequest: end });
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
			const running = run(service);
			const ended = await Promise.race([running.then(() => true), sleep(1_000, false)]);
			const { used } = proxy;
			// Whatever goes on for ever is ended, lest it outlive the test.
			proxy.behaviour = () => ({ onRequest: 'reset' });
			const items = await running;
			await proxy.close();
			expect([ended, used]).toEqual([true, names.length * 3]);
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('Tried 3 times');
			}
		},
	);

	it.each([502, 503, 504])(
		'that answers %d because it cannot reach the service: Max Retries',
		async (status) => {
			let requests = 0;
			const proxy = createServer().on('connect', (_request, socket) => {
				requests++;
				socket.end(`HTTP/1.1 ${status} Bad Luck\r\nContent-Length: 0\r\n\r\n`);
			});
			proxy.listen(0, '127.0.0.1');
			await once(proxy, 'listening');
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
			const items = await run(service);
			proxy.close();
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('Tried 3 times');
			}
			expect(requests).toBe(names.length * 3);
		},
	);
});
