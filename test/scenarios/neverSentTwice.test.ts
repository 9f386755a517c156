import fc from 'fast-check';

import { loopbackCertificate } from '../support/cloud';
import {
	ambiguous,
	type CountingService,
	refused,
	repeatable,
	type Reply,
	startCountingService,
} from '../support/cloud/countingService';
import { startTcpProxy, type TcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/verify';

// No waits between repetitions. fast-check draws its numbers elsewhere.
beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => jest.restoreAllMocks());

const isRepeatable = (reply: unknown) => repeatable.some((one) => one === reply);
const isAmbiguous = (reply: unknown) => ambiguous.some((one) => one === reply);

const reply = fc.oneof(
	{ weight: 3, arbitrary: fc.constantFrom<Reply>(...repeatable) },
	{ weight: 2, arbitrary: fc.constantFrom<Reply>(...ambiguous) },
	{ weight: 1, arbitrary: fc.constantFrom<Reply>('good', ...refused) },
);
const maxRetries = fc.integer({ min: 0, max: 3 });

describe('for any answers of the service', () => {
	let service: CountingService;
	beforeAll(async () => (service = await startCountingService()));
	afterAll(async () => await service.close());

	it('an item is asked for until an answer says more than "not now", and 1 + maxRetries times at most', async () => {
		await fc.assert(
			fc.asyncProperty(
				// What the service says to each item, call by call, and good answers from then on.
				fc.array(fc.array(reply, { maxLength: 5 }), { minLength: 1, maxLength: 25 }),
				maxRetries,
				fc.constantFrom(1, 3, 10),
				async (scripts, maxRetries, maxConcurrency) => {
					service.posts.clear();
					const names = makeNames(scripts.length);
					const saidTo = (index: number, knock: number) => scripts[index]?.[knock - 1] ?? 'good';
					service.reply = (name, knock) => saidTo(names.indexOf(name), knock);
					const { items } = await verify(names, {
						credentials: service.credentials,
						options: { maxConcurrency, maxRetries },
					});

					expectOneOutputEach(items, names);
					const details = detailsOf(items);
					postsOf(service, names).forEach((posts, index) => {
						const said = Array.from({ length: posts }, (_, knock) => saidTo(index, knock + 1));
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

describe('for any network and any answers', () => {
	let service: CountingService;
	let proxy: TcpProxy;
	beforeAll(async () => {
		// Each call has a connection of its own, so that what comes next befalls the next call.
		service = await startCountingService({ tls: loopbackCertificate, closeEach: true });
		proxy = await startTcpProxy(service.url);
	});
	afterAll(async () => {
		await proxy.close();
		await service.close();
	});

	it('one item after the other meets just what it would have to', async () => {
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
					proxy.weather = () => {
						const event = events[at];
						if (event === 'no connection') return (at++, { onAccept: 'reset' });
						if (event === 'no handshake') return (at++, { onAnswer: { after: 100, end: 'cut' } });
						return {};
					};
					service.reply = () => (events[at++] ?? 'good') as Reply;
					const { items } = await verify(names, {
						credentials: { ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` },
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
