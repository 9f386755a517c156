import { isObject } from '../../nodes/DataArtsInsight/transport/errors/answer';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';

const names = makeNames(12);
const retry = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
/** The items that fail at first. n8n looks at the first item alone to see whether a node that continues has failed. */
const bad = ['cn-north-4.item-0', 'cn-north-4.item-7'];

let service: CountingService;
beforeEach(async () => (service = await startCountingService()));
afterEach(async () => await service.close());

/** Every key path in what an execution stores, with the numbers of list entries left out. */
function keysOf(value: unknown, path = ''): Set<string> {
	const keys = new Set([path]);
	if (!isObject(value) && !Array.isArray(value)) return keys;
	for (const [key, inner] of Object.entries(value)) {
		for (const inside of keysOf(inner, `${path}/${Array.isArray(value) ? '' : key}`)) keys.add(inside);
	}
	return keys;
}

describe.each(['continueRegularOutput', 'continueErrorOutput', 'stopWorkflow'] as const)(
	'Retry On Fail with %s',
	(onError) => {
		describe.each([1, 10])('and %d in flight', (maxConcurrency) => {
			const run = async (settings: object = retry, runs: 1 | 2 = 1) =>
				await verify(names, {
					credential: service.credentials,
					options: { maxConcurrency },
					onError,
					settings,
					runs,
				});

			it('sends again what failed, and never what succeeded', async () => {
				// Where the first error ends a try, each bad item may take one: two of the three, and the last is good.
				service.reply = (name, attempt) => (bad.includes(name) && attempt === 1 ? '500' : 'good');
				const { items, error } = await run();
				expect(error).toBeUndefined();
				expectOneOutputEach(items, names);
				expect(items.every(({ json }) => json.id)).toBe(true);
				expect(postsOf(service, names)).toEqual(names.map((name) => (bad.includes(name) ? 2 : 1)));
			});

			it('gives up after its tries: failed items are sent Max Tries times, successful ones once', async () => {
				service.reply = (name) => (bad.includes(name) ? '500' : 'good');
				const { items, error } = await run();
				const posts = postsOf(service, names);
				posts.forEach((count, index) =>
					expect(count).toBeLessThanOrEqual(bad.includes(names[index] ?? '') ? 3 : 1),
				);
				expect(posts[0]).toBe(3);
				if (onError === 'stopWorkflow') expect(error).toMatchObject({ httpCode: '500' });
				if (onError === 'continueRegularOutput') expectOneOutputEach(items, names);
			});

			it('sends all again in a new execution, and in the next run of the same one', async () => {
				service.reply = (name, attempt) => (bad.includes(name) && attempt === 1 ? '500' : 'good');
				await run();
				const once = postsOf(service, names);
				await run();
				expect(postsOf(service, names)).toEqual(once.map((count) => count + 1));
				await run(retry, 2);
				expect(postsOf(service, names)).toEqual(once.map((count) => count + 3));
			});

			it('leaves nothing behind in what the execution stores', async () => {
				const plain = await run({});
				service.posts.clear();
				service.reply = (name, attempt) => (bad.includes(name) && attempt === 1 ? '500' : 'good');
				const retried = await run();
				expect(postsOf(service, names)[0]).toBe(2);
				expect([...keysOf(retried.run.data)].sort()).toEqual([...keysOf(plain.run.data)].sort());
			});
		});
	},
);
