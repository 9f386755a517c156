import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

import type { ICredentialsDecrypted } from 'n8n-workflow';

import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import { endpointServices, loopbackCertificate, startSimulator } from '../support/cloud';
import type { CountingService } from '../support/cloud/countingService';
import { proxyPassword, proxySecrets, proxyUser, setProxies } from '../support/network/httpProxy';
import { startTcpProxy } from '../support/network/tcpProxy';
import { built, OUR_NODE, pooled, testHelpers } from '../support/engine/built';
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
/** n8n's helper does not tell which proxy it takes. */
const through = (proxy: string) => (pooled ? ` through the proxy ${proxy}` : '');
/** How many tunnels a run needs. n8n's helper has a connection for each request. */
const tunnelsFor = (requests: number, inFlight: number) => (pooled ? inFlight : requests);
const expectAllGood = async (service: CountingService, maxConcurrency?: number) => {
	expect(detailsOf(await run(service, maxConcurrency))).toEqual(names.map(() => undefined));
	expect(postsOf(service, names)).toEqual(names.map(() => 1));
};

describe.each([1, 10])('with %d in flight', (maxConcurrency) => {
	it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])(
		'%s: requests go through CONNECT tunnels, one for each connection',
		async (name) => {
			const service = await startService();
			const proxy = await startProxy();
			setProxies({ [name]: `http://${proxy.host}` });
			await expectAllGood(service, maxConcurrency);
			const tunnels = tunnelsFor(names.length, maxConcurrency);
			expect(proxy.tunnels).toEqual(Array<string>(tunnels).fill(hostOf(service)));
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
		expect(proxy.tunnels).toHaveLength(tunnelsFor(names.length, maxConcurrency));
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
				`No connection to ${hostOf(service)}${through(host)}: the proxy refused it with HTTP status 407`,
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

	it('ECONNREFUSED of an HTTP proxy: Max Retries, and the error names the proxy if it is known', async () => {
		const service = await startService();
		const proxy = await startProxy();
		await proxy.close();
		setProxies({ HTTPS_PROXY: proxy.url });
		const items = await run(service, maxConcurrency);
		for (const { json } of items) {
			expect(json.error).toBe(`No connection to ${hostOf(service)}${through(proxy.host)}: it was refused`);
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
	expect(one.tunnels).toHaveLength(tunnelsFor(names.length, 10));
	expect(two.tunnels).toHaveLength(tunnelsFor(names.length, 10));
	expect(postsOf(service, names)).toEqual(names.map(() => 4));
});

it('HTTPS_PROXY that is no URL: the error does not show its login', async () => {
	const service = await startService();
	setProxies({ HTTPS_PROXY: `http://${proxyUser}:${encodeURIComponent(proxyPassword)}@` });
	const items = await run(service);
	expect(items[0]?.json.error).toBe("The proxy in n8n's environment is not a web address");
	expect(service.posts.size).toBe(0);
});

it.each(['HTTP_PROXY', 'ALL_PROXY'])('%s sees no login at IAM and no test of a credential', async (name) => {
	const simulator = await startSimulator();
	cleanUp.push(async () => await simulator.close());
	const proxy = await startProxy();
	setProxies({ [name]: proxy.url });
	const data = simulator.passwordCredentials;
	const { items } = await verify([endpointServices.webShop.name], { credential: data });
	expect(detailsOf(items)).toEqual([undefined]);
	const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
	const node = (await built).nodes[OUR_NODE] as DataArtsInsight;
	const result = await node.methods.credentialTest.dataArtsInsightApiTest.call(testHelpers, credential);
	expect(result.status).toBe('OK');
	expect([...proxy.tunnels, ...proxy.plain]).toEqual([]);
	for (const { headers } of simulator.requests) expect(headers).not.toHaveProperty('proxy-authorization');
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
			// Without a reader it would not notice that the caller closes it.
			socket.resume().end(answer);
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

	/**
	 * What each answer means. n8n's helper hands it out as if the service had given it: only 407 is surely a proxy's. After
	 * the others the request counts as one that the service got, though nothing was sent.
	 */
	const answers: Array<[status: string, pooled: string, n8n: string]> = [
		['407 Proxy Authentication Required', 'refused', 'refused'],
		['403 Forbidden', 'refused', 'the service refused'],
		['502 Bad Gateway', 'unreachable', 'the service may have acted'],
		['503 Service Unavailable', 'unreachable', 'the service may have acted'],
		['504 Gateway Timeout', 'unreachable', 'the service may have acted'],
	];

	describe.each([
		['a page of its own', saying],
		['no page', (status: string) => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`],
	])('that answers with %s', (_what, answerOf) => {
		it.each(answers)('and %s: no request is sent to the service', async (status, ofPooled, ofN8n) => {
			const { host, requests } = await startRefusing(answerOf(status));
			setProxies({ HTTPS_PROXY: `http://${host}` });
			const code = status.slice(0, 3);
			const noConnection = `No connection to ${hostOf(service)}${through(host)}: the proxy`;
			const meaning = pooled ? ofPooled : ofN8n;
			const attempts = meaning === 'unreachable' ? 3 : 1;
			const error = {
				refused: `${noConnection} refused it with HTTP status ${code}`,
				unreachable: `${noConnection} could not reach the service and answered with HTTP status ${code}`,
			}[meaning];
			for (const { json } of await run(service)) {
				expect(json.error).toBe(error ?? `The service answered with HTTP status ${code} and no reason`);
				expect(json.details).toMatchObject({
					code: error ? 'CONNECTION_FAILED' : `HTTP_${code}`,
					outcomeUnknown: meaning === 'the service may have acted',
				});
			}
			expect(requests).toHaveLength(names.length * attempts);
			expect(service.connections).toBe(0);
		});
	});

	it('that answers in the place of the service, without TLS, gets no request', async () => {
		const endpoint = JSON.stringify({ id: '1', vpc_ep_server_name: names[0] });
		const forged = `HTTP/1.1 201 Created\r\nContent-Length: ${endpoint.length}\r\n\r\n${endpoint}`;
		const { host } = await startRefusing(forged);
		setProxies({ HTTPS_PROXY: `http://${host}` });
		const { items } = await verify(names.slice(0, 1), { credential: service.credentials });
		// n8n's helper hands out the response to CONNECT, so there whoever runs the proxy can make answers up.
		if (pooled) expect(items[0]?.json.details).toMatchObject({ code: 'CONNECTION_FAILED' });
		else expect(items[0]?.json).toMatchObject({ vpc_ep_server_name: names[0] });
		expect(service.connections).toBe(0);
	});

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

	it('with a login that is not encoded: the error names HTTPS_PROXY and no secret', async () => {
		// n8n's helper connects before it reads the login, and then nobody hears how that connection ends: a refused or a
		// reset one would be an uncaught error. So the proxy is there, and ends the connection properly.
		let bytes = 0;
		const proxy = createTcpServer((socket) => {
			socket.unref().on('data', (chunk) => (bytes += chunk.length));
		}).listen(0, '127.0.0.1');
		await once(proxy, 'listening');
		const { port } = proxy.address() as AddressInfo;
		const connected = pooled ? undefined : once(proxy, 'connection');
		setProxies({ HTTPS_PROXY: `http://user:se%cret@127.0.0.1:${port}` });
		const { items } = await verify(names.slice(0, 1), { credential: service.credentials });
		const [socket] = ((await connected) ?? []) as Socket[];
		socket?.end();
		proxy.close();
		expect(items[0]?.json.error).toBe("The login of the proxy in n8n's environment is not percent-encoded");
		expect(items[0]?.json.details).toMatchObject({
			outcomeUnknown: false,
			description: expect.stringContaining('HTTPS_PROXY') as string,
		});
		expect(JSON.stringify(items)).not.toContain('cret');
		expect(bytes).toBe(0);
	});

	it('of a kind that is unknown: the error names no secret', async () => {
		const { host, requests } = await startRefusing(saying('407 Proxy Authentication Required'));
		setProxies({ HTTPS_PROXY: `ftp://user:secret@${host}` });
		for (const { json } of await run(service)) {
			// n8n's helper takes every proxy for an HTTP proxy.
			expect(json.error).toBe(
				pooled
					? "The proxy in n8n's environment is of a kind that cannot be used"
					: `No connection to ${hostOf(service)}: the proxy refused it with HTTP status 407`,
			);
			expect(JSON.stringify(json)).not.toContain('secret');
			expect(json.details).toMatchObject({
				outcomeUnknown: false,
				description: expect.stringContaining('HTTPS_PROXY') as string,
			});
		}
		expect(requests).toHaveLength(pooled ? 0 : names.length);
	});

	it.each(['cut', 'reset'] as const)(
		'that breaks the connection before its response (%s): Max Retries',
		async (end) => {
			const proxy = await startTcpProxy(service.url);
			cleanUp.unshift(proxy.close);
			proxy.behaviour = () => ({ onRequest: end });
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
			const items = await run(service);
			expect(proxy.used).toBe(names.length * 3);
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('Tried 3 times');
			}
			expect(service.posts.size).toBe(0);
		},
	);
});
