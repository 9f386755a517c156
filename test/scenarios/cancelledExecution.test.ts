import { setTimeout as sleep } from 'node:timers/promises';

import { loopbackCertificate } from '../support/cloud';
import { type CountingService, type Reply, startCountingService } from '../support/cloud/countingService';
import { connectTo } from '../support/cloud/tokenCredential';
import { pooled } from '../support/engine/built';
import { fixBackOff } from '../support/network/backOff';
import { setProxies } from '../support/network/httpProxy';
import { type ScriptedServer, startScriptedServer } from '../support/network/scriptedServer';
import { type End, startTcpProxy } from '../support/network/tcpProxy';
import { makeNames, verify, type VerifyRun } from '../support/engine/runNode';

const names = makeNames(30);
const total = ({ posts }: CountingService) => [...posts.values()].reduce((sum, count) => sum + count, 0);

/** Longer than the waits for a retry when an execution is stopped here, so that the next call would be seen. */
const QUIET = 1_050;

const cleanUp: Array<() => Promise<void>> = [];
afterEach(async () => {
	jest.restoreAllMocks();
	setProxies();
	for (const close of cleanUp.splice(0)) await close();
});

async function start(options?: Parameters<typeof startCountingService>[0]) {
	const service = await startCountingService(options);
	cleanUp.push(service.close);
	return service;
}

/** Runs a workflow, stops it soon after something has come true, and tells how many milliseconds it took to end. */
async function stopOnce(reached: () => boolean, options: VerifyRun) {
	const stop = new AbortController();
	const running = verify(names, { signal: stop.signal, ...options });
	while (!reached()) await sleep(5);
	await sleep(20);
	stop.abort();
	const stopped = performance.now();
	const { run } = await running;
	expect(run.status).toBe('canceled');
	return performance.now() - stopped;
}

describe.each<[string, Partial<VerifyRun>]>([
	['without Retry On Fail', {}],
	['with Retry On Fail', { settings: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 } }],
	[
		'with Retry On Fail, without Continue On Fail',
		{ settings: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 }, onError: 'stopWorkflow' },
	],
])('cancel, %s:', (_setting, settings) => {
	it.each<[string, Reply, number, number]>([
		['while requests wait after 429', 'throttled', 10, 900],
		['while a request waits after 503', 'unavailable', 1, 900],
		['while requests are in flight', 'hang', 10, 5_000],
	])('%s the execution ends at once and sends nothing more', async (_when, reply, maxConcurrency, limit) => {
		// The first wait is nearly a second.
		fixBackOff(0.999);
		const service = await start();
		service.reply = () => reply;
		const took = await stopOnce(() => total(service) >= maxConcurrency, {
			credential: service.credentials,
			options: { maxConcurrency, maxRetries: 10 },
			...settings,
		});
		const sent = total(service);
		expect(sent).toBe(maxConcurrency);
		expect(took).toBeLessThan(limit);
		await sleep(QUIET);
		expect(total(service)).toBe(sent);
	});

	it('between successful responses the execution sends nothing more', async () => {
		const service = await start({ latency: 40 });
		await stopOnce(() => total(service) >= 10, {
			credential: service.credentials,
			options: { maxConcurrency: 5 },
			...settings,
		});
		const sent = total(service);
		expect(sent).toBeLessThan(names.length);
		await sleep(150);
		expect(total(service)).toBe(sent);
	});
});

/** How a connection ends before it is established, where the request is sent again: n8n's helper does not tell of a reset when it came. */
const ends: End[] = pooled ? ['cut', 'reset'] : ['cut'];

it.each(ends)('cancel: an execution whose connections end by %s opens no further one', async (end) => {
	fixBackOff(0.999);
	const service = await start({ tls: loopbackCertificate });
	const proxy = await startTcpProxy(service.url);
	cleanUp.push(proxy.close);
	proxy.behaviour = () => ({ onAccept: end });
	const took = await stopOnce(() => proxy.connections >= 5, {
		credential: { ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` },
		options: { maxConcurrency: 5, maxRetries: 10 },
	});
	expect(took).toBeLessThan(900);
	const { connections } = proxy;
	await sleep(QUIET);
	expect(proxy.connections).toBe(connections);
	expect(total(service)).toBe(0);
});

it.each(['server', 'proxy'])(
	'cancel: a connection being established is given up at once, even if the %s does not answer',
	async (who) => {
		const service = await start({ tls: loopbackCertificate });
		const mute = await startTcpProxy(service.url);
		mute.behaviour = () => ({ onRequest: 'hang' });
		const address = `127.0.0.1:${mute.port}`;
		if (who === 'proxy') setProxies({ HTTPS_PROXY: `http://${address}` });
		const baseUrl = who === 'server' ? `https://${address}` : service.url;
		const stop = new AbortController();
		const running = verify(names, { credential: { ...service.credentials, baseUrl }, signal: stop.signal });
		// No more connections at once than Max Concurrency allows by default.
		while (mute.used < 10) await sleep(5);
		stop.abort();
		const ended = await Promise.race([running.then(() => true), sleep(3_000, false)]);
		// What still hangs is ended, lest it outlive the test.
		await mute.close();
		await running;
		expect(ended).toBe(true);
		expect(service.posts.size).toBe(0);
	},
);

describe('below n8n, an execution that is cancelled', () => {
	const CANCELLED = { details: { code: 'CANCELLED', outcomeUnknown: false } };

	async function startServer(reply: ScriptedServer['reply']) {
		const server = await startScriptedServer(reply);
		cleanUp.push(server.close);
		return server;
	}

	it('during its login (IAM) sends nothing with the token', async () => {
		const stop = new AbortController();
		const server = await startServer(() => {
			stop.abort();
			return { status: 201, headers: { 'X-Subject-Token': 'MIIother' } };
		});
		const login = { domainName: 'account', username: 'user', password: 'MIIpassword', iamUrl: server.url };
		const credential = { authentication: 'password', ...login };
		const call = connectTo(server.url, { maxRetries: 2, signal: stop.signal }, credential);
		await expect(call({ method: 'POST', path: '/x', body: {} })).rejects.toMatchObject(CANCELLED);
		await sleep(50);
		expect(server.seen.map(({ path }) => path.slice(0, 4))).toEqual(['/v3/']);
	});

	it.each([1, 2])('while it takes a connection after %d responses sends nothing', async (before) => {
		const stop = new AbortController();
		const server = await startServer(() => ({ body: { id: '1' } }));
		const call = connectTo(server.url, { maxRetries: 2, signal: stop.signal });
		const post = async (path: string) => await call({ method: 'POST', path, body: {} });
		for (let i = 0; i < before; i++) await post('/before');
		// Long enough not to be taken for fresh.
		await sleep(20);
		const stopped = post('/stopped').catch((error: unknown) => error);
		await Promise.resolve();
		process.nextTick(() => stop.abort());
		// n8n's helper does not tell whether it has written anything yet.
		expect(await stopped).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: !pooled } });
		await sleep(50);
		expect(server.seen.map(({ path }) => path)).not.toContain('/stopped');
	});
});
