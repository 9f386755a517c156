import { setTimeout as sleep } from 'node:timers/promises';

import { loopbackCertificate } from '../support/cloud';
import { type CountingService, type Reply, startCountingService } from '../support/cloud/countingService';
import { startTcpProxy } from '../support/network/tcpProxy';
import { makeNames, verify, type VerifyOptions } from '../support/engine/verify';

const names = makeNames(30);
const total = ({ posts }: CountingService) => [...posts.values()].reduce((sum, count) => sum + count, 0);

/** Longer than the waits that are under way when an execution is stopped here, so that the next call would be seen. */
const QUIET = 650;

const cleanUp: Array<() => Promise<void>> = [];
afterEach(async () => {
	jest.restoreAllMocks();
	for (const close of cleanUp.splice(0)) await close();
});

async function start(options?: Parameters<typeof startCountingService>[0]) {
	const service = await startCountingService(options);
	cleanUp.push(service.close);
	return service;
}

/** Runs a workflow, stops it soon after something has come true, and tells how many milliseconds it took to end. */
async function stopOnce(reached: () => boolean, options: VerifyOptions) {
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

describe.each<[string, Partial<VerifyOptions>]>([
	['on its own', {}],
	['with Retry On Fail', { node: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 } }],
	[
		'with Retry On Fail and no Continue',
		{ node: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 }, onError: 'stopWorkflow' },
	],
])('an execution that is stopped, %s,', (_setting, settings) => {
	it.each<[string, Reply, number]>([
		['while calls wait until the service takes them again', 'throttled', 10],
		['while one call at a time waits', 'unavailable', 1],
		['while calls are under way', 'silence', 10],
	])('%s, ends at once and sends nothing more', async (_when, reply, maxConcurrency) => {
		// The first wait is six tenths of its limit, which makes 0.6 s.
		jest.spyOn(Math, 'random').mockReturnValue(0.6);
		const service = await start();
		service.reply = () => reply;
		const took = await stopOnce(() => total(service) >= maxConcurrency, {
			credentials: service.credentials,
			options: { maxConcurrency, maxRetries: 10 },
			...settings,
		});
		const sent = total(service);
		expect(sent).toBe(maxConcurrency);
		expect(took).toBeLessThan(500);
		await sleep(QUIET);
		expect(total(service)).toBe(sent);
	});

	it('in the midst of good answers sends nothing more', async () => {
		const service = await start({ latency: 40 });
		await stopOnce(() => total(service) >= 10, {
			credentials: service.credentials,
			options: { maxConcurrency: 5 },
			...settings,
		});
		const sent = total(service);
		expect(sent).toBeLessThan(names.length);
		await sleep(150);
		expect(total(service)).toBe(sent);
	});
});

it('an execution that is stopped while connections fail makes no further attempt', async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.6);
	const service = await start({ tls: loopbackCertificate });
	const proxy = await startTcpProxy(service.url);
	cleanUp.push(proxy.close);
	proxy.weather = () => ({ onAccept: 'reset' });
	const took = await stopOnce(() => proxy.connections >= 5, {
		credentials: { ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` },
		options: { maxConcurrency: 5, maxRetries: 10 },
	});
	expect(took).toBeLessThan(500);
	const { connections } = proxy;
	await sleep(QUIET);
	expect(proxy.connections).toBe(connections);
	expect(total(service)).toBe(0);
});
