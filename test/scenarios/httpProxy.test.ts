import { loopbackCertificate } from '../support/cloud';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import {
	type HttpProxy,
	proxyPassword,
	proxySecrets,
	proxyUser,
	setProxies,
	startHttpProxy,
} from '../support/network/httpProxy';
import { startTcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/verify';

const names = makeNames(20);
const cleanUp: Array<() => Promise<void>> = [];

beforeEach(() => {
	setProxies();
	// No waits between repetitions.
	jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(async () => {
	jest.restoreAllMocks();
	setProxies();
	for (const close of cleanUp.splice(0)) await close();
});

async function startProxy(asksForLogin = false): Promise<HttpProxy> {
	const proxy = await startHttpProxy(asksForLogin);
	cleanUp.push(proxy.close);
	return proxy;
}

async function startService(secure = true): Promise<CountingService> {
	const service = await startCountingService(secure ? { tls: loopbackCertificate } : {});
	cleanUp.unshift(service.close);
	return service;
}

async function run(service: CountingService, maxConcurrency = 10, change: object = {}) {
	const { items, run } = await verify(names, {
		credentials: { ...service.credentials, ...change },
		options: { maxConcurrency, maxRetries: 2 },
	});
	expectOneOutputEach(items, names);
	const produced = JSON.stringify([run, items]);
	for (const secret of proxySecrets) expect(produced).not.toContain(secret);
	return items;
}

const hostOf = ({ url }: CountingService) => new URL(url).host;
const expectAllGood = async (service: CountingService, maxConcurrency?: number) => {
	expect(detailsOf(await run(service, maxConcurrency))).toEqual(names.map(() => undefined));
	expect(postsOf(service, names)).toEqual(names.map(() => 1));
};

describe.each([1, 10])('with %d under way', (maxConcurrency) => {
	it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])(
		'%s is used by CONNECT, on as few connections as ever',
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
		'%s is not used where the token would reach the proxy without TLS',
		async (name) => {
			const service = await startService(false);
			const proxy = await startProxy();
			setProxies({ [name]: `http://${proxy.host}` });
			await expectAllGood(service, maxConcurrency);
			expect([...proxy.tunnels, ...proxy.plain]).toEqual([]);
		},
	);

	it('a proxy that asks for a login gets it', async () => {
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
	])('a proxy that asks for a login refuses calls %s, once each', async (_what, url) => {
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

	it('a proxy that cannot be reached is named, and tried as often as allowed', async () => {
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

	it('a certificate is checked behind a proxy, too', async () => {
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

	it('what is lost behind a proxy was sent once, and an endpoint may exist', async () => {
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

it.each(['127.0.0.1', '*', 'example.com, 127.0.0.1'])('NO_PROXY=%s is honoured', async (noProxy) => {
	const service = await startService();
	const proxy = await startProxy();
	setProxies({ HTTPS_PROXY: proxy.url, ALL_PROXY: proxy.url, NO_PROXY: noProxy });
	await expectAllGood(service);
	expect(proxy.tunnels).toEqual([]);
});

it('NO_PROXY leaves other hosts to the proxy', async () => {
	const service = await startService();
	const proxy = await startProxy();
	setProxies({ HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com,127.0.0.1:1' });
	await expectAllGood(service);
	expect(proxy.tunnels.length).toBeGreaterThan(0);
});

it('connections to the same host with and without a proxy are not mixed up', async () => {
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

it('a proxy that is not a web address is told of without its login', async () => {
	const service = await startService();
	setProxies({ HTTPS_PROXY: `http://${proxyUser}:${encodeURIComponent(proxyPassword)}@` });
	const items = await run(service);
	expect(items[0]?.json.error).toBe("The proxy in n8n's environment is not a web address");
	expect(service.posts.size).toBe(0);
});
