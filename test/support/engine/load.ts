import { type Reply, startCountingService } from '../cloud/countingService';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from './runNode';
import { fixBackOff } from '../network/backOff';

/** What one item in a hundred meets, and how many of its calls meet it. */
const mixed: Array<{ reply: Reply; times: number; posts: number; fails: boolean }> = [
	{ reply: 'throttled', times: 1, posts: 2, fails: false },
	{ reply: 'throttled', times: 3, posts: 4, fails: false },
	{ reply: 'throttled', times: 9, posts: 4, fails: true },
	{ reply: 'unavailable', times: 2, posts: 3, fails: false },
	{ reply: '500', times: 1, posts: 1, fails: true },
	{ reply: '502', times: 1, posts: 1, fails: true },
	{ reply: '400', times: 1, posts: 1, fails: true },
	{ reply: 'html', times: 1, posts: 1, fails: true },
	{ reply: 'reset', times: 1, posts: 1, fails: true },
	{ reply: 'cut', times: 1, posts: 1, fails: true },
	{ reply: 'truncated', times: 1, posts: 1, fails: true },
];

/** Numbers from 0 to 1 that are the same for the same seed. Source: Mulberry32 by Tommy Ettinger, public domain. */
function seeded(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixture = Math.imul(state ^ (state >>> 15), 1 | state);
		mixture = (mixture + Math.imul(mixture ^ (mixture >>> 7), 61 | mixture)) ^ mixture;
		return ((mixture ^ (mixture >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
 * Verifies so many endpoint services, 50 at a time, while one in a hundred meets a fault, and finds that nothing
 * is lost, nothing is doubled and the order is kept.
 *
 * @throws what the expectations throw
 */
export async function expectToBearLoad(count: number, seed: number) {
	// Waits of a few milliseconds at most: how long they are is tested elsewhere.
	fixBackOff(0.002);
	const random = seeded(seed);
	const names = makeNames(count);
	const plan = names.map(() => (random() < 0.01 ? mixed[Math.floor(random() * mixed.length)] : undefined));
	const faults = new Map(names.map((name, index) => [name, plan[index]]));

	const service = await startCountingService();
	service.reply = (name, attempt) => {
		const fault = faults.get(name);
		return fault && attempt <= fault.times ? fault.reply : 'good';
	};
	const { items, error } = await verify(names, {
		credential: service.credentials,
		options: { maxConcurrency: 50, maxRetries: 3 },
	});
	await service.close();
	jest.restoreAllMocks();

	expect(error).toBeUndefined();
	expect(plan.filter(Boolean).length).toBeGreaterThan(count / 200);
	expectOneOutputEach(items, names);
	expect(service.posts.size).toBe(count);
	// Compared as text: where they differ, the first difference is what matters, not 50,000 lines.
	expect(postsOf(service, names).join('')).toBe(plan.map((fault) => fault?.posts ?? 1).join(''));
	expect(detailsOf(items).map(Boolean).join()).toBe(plan.map((fault) => fault?.fails ?? false).join());
	const wrong = detailsOf(items).filter((details, index) => {
		const reply = plan[index]?.reply;
		return details && details.outcomeUnknown !== (reply !== 'throttled' && reply !== '400');
	});
	expect(wrong).toEqual([]);
}
