import { setTimeout as sleep } from 'node:timers/promises';

import { helpers, transport } from '../support/engine/built';
import { startCountingService } from '../support/cloud/countingService';
import { type Seen, type SeparateService, startSeparateService } from '../support/cloud/separateService';
import { startTcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, verify } from '../support/engine/runNode';

const { createClient, readCredential } = transport;

/**
 * Milliseconds for the close to arrive. What is closed at the very moment of a call is nobody's fault, and a
 * server in the same thread as the caller makes such moments often.
 */
const MARGIN = 50;
const ROUNDS = 5;

// On a busy machine a close may arrive at the moment of a call all the same.
jest.retryTimes(1);

/** Keeps this thread busy, as a Code node does, so that it hears nothing of the network meanwhile. */
function block(milliseconds: number) {
	const end = performance.now() + milliseconds;
	while (performance.now() < end);
}

/** Runs the node many times, with pauses in which its connections may be closed, and finds that no item is lost. */
async function runRepeatedly(
	credential: object,
	maxConcurrency: number,
	pause: (round: number) => Promise<unknown> | void,
) {
	for (let round = 0; round < ROUNDS; round++) {
		const names = makeNames(maxConcurrency).map((name) => `${name}.${maxConcurrency}-${round}`);
		const { items } = await verify(names, { credential, options: { maxConcurrency, maxRetries: 0 } });
		expectOneOutputEach(items, names);
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		await pause(round);
	}
}

/** Each call was made once, and most of them needed a connection of their own: else none had been closed. */
function expectOnceEach({ posts, connections }: Seen, calls: number) {
	expect([...posts.values()]).toEqual(Array(calls).fill(1));
	expect(connections).toBeGreaterThan(calls / 2);
}

describe.each([20, 100])('keep-alive connections that are closed after %d idle milliseconds', (idle) => {
	// In turns: just closed, closed for some time and, where it is surely not the moment of closing, still open.
	const pauses = [idle + MARGIN, idle * 2 + MARGIN, idle === 100 ? 0 : idle + MARGIN];
	const pause = (round: number) => sleep(pauses[round % pauses.length]);

	it.each([
		['which announces it (Keep-Alive: timeout)', true],
		['which does not announce it', false],
	])('by the server, %s, cost no item', async (_what, announceKeepAlive) => {
		const service = await startCountingService({ keepAliveTimeout: idle, announceKeepAlive });
		const other = await startCountingService({ keepAliveTimeout: idle, announceKeepAlive });
		await Promise.all([
			runRepeatedly(service.credentials, 1, pause),
			runRepeatedly(other.credentials, 10, pause),
		]);
		expectOnceEach(service, ROUNDS);
		expectOnceEach(other, ROUNDS * 10);
		await service.close();
		await other.close();
	});

	it('by a firewall, while the server announces more, cost no item', async () => {
		const service = await startCountingService();
		const [proxy, other] = [await startTcpProxy(service.url), await startTcpProxy(service.url)];
		proxy.behaviour = other.behaviour = () => ({ idle });
		const through = ({ port }: { port: number }) => ({
			...service.credentials,
			baseUrl: `http://127.0.0.1:${port}`,
		});
		await Promise.all([runRepeatedly(through(proxy), 1, pause), runRepeatedly(through(other), 10, pause)]);
		expectOnceEach(service, ROUNDS * 11);
		await proxy.close();
		await other.close();
		await service.close();
	});
});

describe.each([true, false])(
	'while the event loop is blocked (Keep-Alive: timeout announced: %s)',
	(announceKeepAlive) => {
		let service: SeparateService;
		beforeAll(
			async () => (service = await startSeparateService({ keepAliveTimeout: 60, announceKeepAlive })),
		);
		afterAll(async () => await service.close());

		it('keep-alive connections that are closed meanwhile cost no item', async () => {
			for (const maxConcurrency of [1, 10]) {
				await runRepeatedly(service.credentials, maxConcurrency, () => block(60 + MARGIN));
			}
			expectOnceEach(await service.seen(), ROUNDS * 11);
		});

		it('keep-alive connections that are closed meanwhile cost no request, even if the next one comes at once', async () => {
			const call = createClient(readCredential(service.credentials), {
				helpers,
				timeout: 5_000,
				maxRetries: 0,
			});
			for (const vpc_ep_server_name of makeNames(10).map((name) => `${name}.direct`)) {
				await call({ method: 'POST', doubt: 'It may have acted', path: '/x', body: { vpc_ep_server_name } });
				// n8n's engine has to wait for this and that between two runs. Here nothing comes between.
				block(60 + MARGIN);
			}
			expectOnceEach(await service.seen(), ROUNDS * 11 + 10);
		});
	},
);
