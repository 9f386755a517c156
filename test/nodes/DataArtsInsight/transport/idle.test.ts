import { setTimeout as sleep } from 'node:timers/promises';

import { startCountingService } from '../../../network/countingService';
import { startSeparateService } from '../../../network/separateService';
import { startTcpProxy } from '../../../network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, verify } from '../../../network/verify';

/**
 * Milliseconds for the close to arrive. What is closed at the very moment of a call is nobody's fault, and a
 * server in the same thread as the caller makes such moments often.
 */
const MARGIN = 12;
const ROUNDS = 7;

/** Keeps this thread busy, as a Code node does, so that it hears nothing of the network meanwhile. */
function block(milliseconds: number) {
	const end = performance.now() + milliseconds;
	while (performance.now() < end);
}

/** Runs the node many times, with pauses in which its connections may be closed, and finds that no item is lost. */
async function runRepeatedly(
	credentials: object,
	maxConcurrency: number,
	pause: (round: number) => Promise<unknown> | void,
) {
	for (let round = 0; round < ROUNDS; round++) {
		const names = makeNames(maxConcurrency).map((name) => `${name}.${maxConcurrency}-${round}`);
		const { items } = await verify(names, { credentials, options: { maxConcurrency, maxRetries: 0 } });
		expectOneOutputEach(items, names);
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		await pause(round);
	}
}

/** Every item of these runs was sent once. */
const expectOnceEach = (posts: Map<string, number>, concurrencies: number[]) => {
	const calls = concurrencies.reduce((sum, maxConcurrency) => sum + maxConcurrency * ROUNDS, 0);
	expect([...posts.values()]).toEqual(Array(calls).fill(1));
};

describe.each([20, 50, 100])('connections that are closed after %d idle milliseconds', (idle) => {
	// In turns: still open, just closed, closed for some time.
	const pause = (round: number) => sleep([0, idle + MARGIN, idle * 2][round % 3]);

	it.each([
		['which says so in its answers', true],
		['which does not say so', false],
	])('by the server, %s, cost no item', async (_what, hint) => {
		const service = await startCountingService({ keepAliveTimeout: idle, hint });
		const other = await startCountingService({ keepAliveTimeout: idle, hint });
		await Promise.all([
			runRepeatedly(service.credentials, 1, pause),
			runRepeatedly(other.credentials, 10, pause),
		]);
		expectOnceEach(service.posts, [1]);
		expectOnceEach(other.posts, [10]);
		await service.close();
		await other.close();
	});

	it('by something in between, while the server promises more, cost no item', async () => {
		const service = await startCountingService();
		const [proxy, other] = [await startTcpProxy(service.url), await startTcpProxy(service.url)];
		proxy.weather = other.weather = () => ({ idle });
		const through = ({ port }: { port: number }) => ({
			...service.credentials,
			baseUrl: `http://127.0.0.1:${port}`,
		});
		await Promise.all([runRepeatedly(through(proxy), 1, pause), runRepeatedly(through(other), 10, pause)]);
		expectOnceEach(service.posts, [1, 10]);
		await proxy.close();
		await other.close();
		await service.close();
	});
});

describe.each([true, false])(
	'while n8n is busy and hears nothing (the server names its time: %s)',
	(hint) => {
		it('connections that are closed meanwhile cost no item', async () => {
			const service = await startSeparateService({ keepAliveTimeout: 60, hint });
			try {
				for (const maxConcurrency of [1, 10]) {
					await runRepeatedly(service.credentials, maxConcurrency, () => block(60 + MARGIN));
				}
				expectOnceEach(await service.posts(), [1, 10]);
			} finally {
				await service.close();
			}
		});
	},
);
