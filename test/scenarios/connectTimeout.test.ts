import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeEgressFilter } from 'n8n-workflow';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { transport } from '../support/engine/built';
import { futureCertificate } from '../support/network/certificates';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { setProxies } from '../support/network/httpProxy';
import { startTcpProxy } from '../support/network/tcpProxy';
import { useTlsService } from '../support/network/tlsService';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/verify';

const { createClient, readCredential } = transport;

const names = makeNames(10);
let service: CountingService;
useTlsService((started) => (service = started));

const run = async () => {
	const { items } = await verify(names, { credentials: service.credentials, options: { maxRetries: 2 } });
	expectOneOutputEach(items, names);
	return items;
};

describe('an execution that is stopped while a connection is being established', () => {
	it.each(['server', 'proxy'])('ends at once, even if the %s says nothing', async (who) => {
		const mute = await startTcpProxy(service.url);
		mute.weather = () => ({ onRequest: 'hang' });
		const address = `127.0.0.1:${mute.port}`;
		if (who === 'proxy') setProxies({ HTTPS_PROXY: `http://${address}` });
		const baseUrl = who === 'server' ? `https://${address}` : service.url;
		const stop = new AbortController();
		const running = verify(names, { credentials: { ...service.credentials, baseUrl }, signal: stop.signal });
		while (mute.used < names.length) await sleep(5);
		stop.abort();
		const ended = await Promise.race([running.then(() => true), sleep(1_000, false)]);
		// What still hangs is ended, lest it outlive the test.
		await mute.close();
		await running;
		expect(ended).toBe(true);
		expect(service.posts.size).toBe(0);
	});
});

const took = async <Result>(running: Promise<Result>) => {
	const begin = performance.now();
	const result = await running;
	return { result, milliseconds: performance.now() - begin };
};

describe('after 10 seconds', () => {
	// All at once, as it takes its time.
	it('a call is given up to which server, proxy or name resolution said nothing, and no other', async () => {
		const mute = await startTcpProxy(service.url);
		mute.weather = () => ({ onRequest: 'hang' });
		const slow = await startCountingService({ latency: 11_000 });
		const address = `127.0.0.1:${mute.port}`;
		const start = (credentials: object) => verify(names, { credentials, options: { maxRetries: 0 } });

		setProxies({ HTTPS_PROXY: `http://${address}` });
		const throughProxy = took(start(service.credentials));
		while (mute.used < names.length) await sleep(5);
		setProxies({ HTTPS_PROXY: `socks5://${address}` });
		const throughSocks = took(start(service.credentials));
		while (mute.used < 2 * names.length) await sleep(5);
		setProxies();
		const direct = took(start({ ...service.credentials, baseUrl: `https://${address}` }));
		const egress: NodeEgressFilter = {
			validateUrl: async () => await new Promise<never>(() => undefined),
			validateConnectionHost: () => ({ ok: true, result: undefined }),
			createSecureLookup: () => () => undefined,
			validateRedirectSync: () => undefined,
		};
		const call = await createClient(readCredential(service.credentials), {
			timeout: 1_000,
			maxRetries: 0,
			egress,
		});
		const unresolved = took(
			call({ method: 'POST', path: '/x' }).catch((error: RequestError) => ({ details: error.details })),
		);
		const patient = start(slow.credentials);

		for (const { result, milliseconds } of await Promise.all([throughProxy, throughSocks, direct])) {
			for (const details of detailsOf(result.items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
			}
			for (const { json } of result.items) expect(json.error).toContain('the host did not answer');
			expect(milliseconds).toBeGreaterThan(9_900);
			expect(milliseconds).toBeLessThan(13_000);
		}
		const { result, milliseconds } = await unresolved;
		expect(result).toEqual({ details: { code: 'CONNECTION_FAILED', outcomeUnknown: false } });
		expect(milliseconds).toBeLessThan(13_000);
		// Once the connection stands, only the node's own limit counts.
		const { items } = await patient;
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(postsOf(slow, names)).toEqual(names.map(() => 1));
		expect(service.posts.size).toBe(0);
		await mute.close();
		await slow.close();
	}, 25_000);
});

it('a call whose connection fails holds back no other', async () => {
	const proxy = await startTcpProxy(service.url);
	proxy.weather = (connection) => (connection === 1 ? { onAccept: 'reset' } : {});
	jest.spyOn(Math, 'random').mockReturnValue(0.999);
	const session = readCredential({ ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` });
	const call = await createClient(session, { timeout: 5_000, maxRetries: 1 });
	const ask = (name: string) =>
		took(call({ method: 'POST', path: '/x', body: { vpc_ep_server_name: name } }));
	const first = ask('first');
	while (proxy.connections === 0) await sleep(5);
	await sleep(50);
	expect((await ask('second')).milliseconds).toBeLessThan(500);
	expect((await first).milliseconds).toBeGreaterThan(900);
	await proxy.close();
});

describe('a proxy', () => {
	it.each([
		['of a kind that cannot be used', 'ftp://user:secret@127.0.0.1:1080'],
		['with a login that is not encoded', 'http://user:se%cret@127.0.0.1:1'],
	])('%s is told of in words that help', async (_what, url) => {
		setProxies({ HTTPS_PROXY: url });
		for (const { json } of await run()) {
			expect(json.error).toContain('proxy');
			expect(json.error).not.toContain('secret');
			expect(json.details).toMatchObject({
				outcomeUnknown: false,
				description: expect.stringContaining('HTTPS_PROXY') as string,
			});
		}
	});

	it.each(['cut', 'reset'] as const)(
		'that ends the connection (%s) instead of an answer is tried as often as allowed',
		async (end) => {
			const proxy = await startTcpProxy(service.url);
			proxy.weather = () => ({ onRequest: end });
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
			const running = run();
			const ended = await Promise.race([running.then(() => true), sleep(1_000, false)]);
			const { used } = proxy;
			// Whatever goes on for ever is ended, lest it outlive the test.
			proxy.weather = () => ({ onRequest: 'reset' });
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
		'that answers %d because it cannot reach the service is tried as often as allowed',
		async (status) => {
			let asked = 0;
			const proxy = createServer().on('connect', (_request, socket) => {
				asked++;
				socket.end(`HTTP/1.1 ${status} Bad Luck\r\nContent-Length: 0\r\n\r\n`);
			});
			proxy.listen(0, '127.0.0.1');
			await once(proxy, 'listening');
			setProxies({ HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
			const items = await run();
			proxy.close();
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('Tried 3 times');
			}
			expect(asked).toBe(names.length * 3);
		},
	);
});

it('a name that the policy cannot resolve is told of as everywhere else, and repeated', async () => {
	// What n8n's own policy does with such a name: its promise is rejected with the error of the name resolution.
	let asked = 0;
	const egress: NodeEgressFilter = {
		validateUrl: () => {
			asked++;
			return Promise.reject(
				Object.assign(new Error('getaddrinfo ENOTFOUND insight.invalid'), { code: 'ENOTFOUND' }),
			);
		},
		validateConnectionHost: () => ({ ok: true, result: undefined }),
		createSecureLookup: () => () => undefined,
		validateRedirectSync: () => undefined,
	};
	const session = readCredential({ ...service.credentials, baseUrl: 'https://insight.invalid' });
	const call = await createClient(session, { timeout: 1_000, maxRetries: 2, egress });
	const error: unknown = await call({ method: 'POST', path: '/x' }).catch((reason: unknown) => reason);
	expect(error).toMatchObject({
		message: 'No connection to insight.invalid: the host name could not be resolved',
		details: { code: 'CONNECTION_FAILED', outcomeUnknown: false },
	});
	// As often as without a policy.
	expect(asked).toBe(3);
});

it('a certificate that is not valid yet is told of like one that is not valid any more', async () => {
	const secure = await startCountingService({ tls: futureCertificate });
	const proxy = await startTcpProxy(secure.url);
	const { items } = await verify(names, {
		credentials: {
			...secure.credentials,
			baseUrl: `https://127.0.0.1:${proxy.port}`,
			allowUnauthorizedCerts: false,
		},
		options: { maxRetries: 2 },
	});
	await proxy.close();
	await secure.close();
	for (const { json } of items) {
		expect(json.error).toContain('its certificate is not valid yet (CERT_NOT_YET_VALID)');
	}
	expect(proxy.connections).toBe(names.length);
	expect(secure.posts.size).toBe(0);
});
