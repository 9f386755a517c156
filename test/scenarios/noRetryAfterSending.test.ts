import fc from 'fast-check';

import { loopbackCertificate, startSimulator } from '../support/cloud';
import {
	ambiguous,
	type CountingService,
	refused,
	repeatable,
	type Reply,
	startCountingService,
} from '../support/cloud/countingService';
import { startTcpProxy, type TcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

// No waits between repetitions. fast-check draws its numbers elsewhere.
useNoBackOff();

const isRepeatable = (reply: unknown) => repeatable.some((one) => one === reply);
const isAmbiguous = (reply: unknown) => ambiguous.some((one) => one === reply);

const reply = fc.oneof(
	{ weight: 3, arbitrary: fc.constantFrom<Reply>(...repeatable) },
	{ weight: 2, arbitrary: fc.constantFrom<Reply>(...ambiguous) },
	{ weight: 1, arbitrary: fc.constantFrom<Reply>('good', ...refused) },
);
const maxRetries = fc.integer({ min: 0, max: 3 });

describe('property: for any responses of the service', () => {
	let service: CountingService;
	beforeAll(async () => (service = await startCountingService()));
	afterAll(async () => await service.close());

	it('only 429 and 503 of the gateway get a retry, and Max Retries at most', async () => {
		await fc.assert(
			fc.asyncProperty(
				// What the service says to each item, call by call, and good answers from then on.
				fc.array(fc.array(reply, { maxLength: 5 }), { minLength: 1, maxLength: 25 }),
				maxRetries,
				fc.constantFrom(1, 3, 10),
				async (scripts, maxRetries, maxConcurrency) => {
					service.posts.clear();
					const names = makeNames(scripts.length);
					const saidTo = (index: number, attempt: number) => scripts[index]?.[attempt - 1] ?? 'good';
					service.reply = (name, attempt) => saidTo(names.indexOf(name), attempt);
					const { items } = await verify(names, {
						credential: service.credentials,
						options: { maxConcurrency, maxRetries },
					});

					expectOneOutputEach(items, names);
					const details = detailsOf(items);
					postsOf(service, names).forEach((posts, index) => {
						const said = Array.from({ length: posts }, (_, attempt) => saidTo(index, attempt + 1));
						const last = said.at(-1);
						// Nothing but "not now" may stand before the last call, and it has to be the last for a reason.
						expect(said.slice(0, -1).every(isRepeatable)).toBe(true);
						expect(posts).toBeGreaterThanOrEqual(1);
						expect(posts).toBeLessThanOrEqual(1 + maxRetries);
						if (isRepeatable(last)) expect(posts).toBe(1 + maxRetries);
						expect(details[index]?.outcomeUnknown).toBe(last === 'good' ? undefined : isAmbiguous(last));
					});
				},
			),
			{ numRuns: 60 },
		);
	});
});

describe('property: for any network and any responses', () => {
	let service: CountingService;
	let proxy: TcpProxy;
	beforeAll(async () => {
		// Each call has a connection of its own, so that what comes next befalls the next call.
		service = await startCountingService({ tls: loopbackCertificate, connectionPerRequest: true });
		proxy = await startTcpProxy(service.url);
	});
	afterAll(async () => {
		await proxy.close();
		await service.close();
	});

	it('a retry comes only after 429, 503 of the gateway, or without a connection', async () => {
		const event = fc.oneof(reply, fc.constantFrom('no connection', 'no handshake'));
		await fc.assert(
			fc.asyncProperty(
				fc.array(event, { maxLength: 30 }),
				fc.integer({ min: 1, max: 10 }),
				maxRetries,
				async (events, count, maxRetries) => {
					service.posts.clear();
					const names = makeNames(count);

					// What has to come of it: each attempt takes one event; good ones follow the last.
					let next = 0;
					const wanted = names.map(() => {
						let posts = 0;
						for (let attempt = 0; ; attempt++) {
							const event = events[next++] ?? 'good';
							const connected = event !== 'no connection' && event !== 'no handshake';
							if (connected) posts++;
							if ((!connected || isRepeatable(event)) && attempt < maxRetries) continue;
							return { posts, outcomeUnknown: event === 'good' ? undefined : isAmbiguous(event) };
						}
					});

					let at = 0;
					proxy.behaviour = () => {
						const event = events[at];
						if (event === 'no connection') return (at++, { onAccept: 'reset' });
						if (event === 'no handshake') return (at++, { onResponse: { after: 100, end: 'cut' } });
						return {};
					};
					service.reply = () => (events[at++] ?? 'good') as Reply;
					const { items } = await verify(names, {
						credential: { ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` },
						options: { maxConcurrency: 1, maxRetries },
					});

					expectOneOutputEach(items, names);
					const details = detailsOf(items);
					const posts = postsOf(service, names);
					expect(
						names.map((_, index) => ({
							posts: posts[index],
							outcomeUnknown: details[index]?.outcomeUnknown,
						})),
					).toEqual(wanted);
				},
			),
			{ numRuns: 60 },
		);
	});
});

it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const)(
	'no retry of what may have acted, with any login: %s',
	async (mode) => {
		const [service, simulator] = [await startCountingService(), await startSimulator()];
		const names = makeNames(ambiguous.length * 2);
		service.reply = (name) => ambiguous[names.indexOf(name) % ambiguous.length] ?? 'good';
		const { items } = await verify(names, {
			credential: { ...simulator[mode], baseUrl: service.url },
			options: { maxRetries: 3 },
		});
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
		expect(detailsOf(items).map((details) => details?.outcomeUnknown)).toEqual(names.map(() => true));
		await Promise.all([service.close(), simulator.close()]);
	},
);
