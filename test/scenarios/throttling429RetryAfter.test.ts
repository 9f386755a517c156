import { type CountingService, type Reply, startCountingService } from '../support/cloud/countingService';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';
import { fixBackOff } from '../support/network/backOff';

const names = makeNames(20);
let service: CountingService;
beforeEach(async () => (service = await startCountingService()));
afterEach(async () => {
	jest.restoreAllMocks();
	await service.close();
});

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

/** Answers the first calls in this way, whomever they are for, and all others well. */
function first(count: number, reply: () => Reply) {
	let calls = 0;
	service.reply = () => (++calls <= count ? reply() : 'good');
}

async function run(maxConcurrency: number, maxRetries: number, list = names) {
	const { items } = await verify(list, {
		credential: service.credentials,
		options: { maxConcurrency, maxRetries },
	});
	expectOneOutputEach(items, list);
	return items;
}

describe.each([1, 10])('with %d in flight,', (maxConcurrency) => {
	it.each<[string, number, () => Reply]>([
		['429', 10, () => 'throttled'],
		['429 with Retry-After: 0', 10, () => ({ retryAfter: '0' })],
		['429 with a Retry-After date that has passed', 10, () => ({ retryAfter: inSeconds(-60) })],
		['429 with an invalid Retry-After', 10, () => ({ retryAfter: 'soon' })],
		['503 of the gateway', 10, () => 'unavailable'],
	])('%s is retried until each item succeeds', async (_what, count, reply) => {
		fixBackOff(0);
		first(count, reply);
		const items = await run(maxConcurrency, 10);
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(sum(postsOf(service, names))).toBe(names.length + count);
	});

	it.each<[string, () => Reply]>([
		['seconds', () => ({ retryAfter: '61' })],
		['a date', () => ({ retryAfter: inSeconds(65) })],
	])('Retry-After over 60 s (%s) is not waited for, and nothing more is sent', async (_what, reply) => {
		service.reply = reply;
		const started = performance.now();
		const items = await run(maxConcurrency, 3);
		expect(performance.now() - started).toBeLessThan(10_000);
		// Only those that were in flight together were sent.
		expect(postsOf(service, names)).toEqual(names.map((_name, index) => (index < maxConcurrency ? 1 : 0)));
		const unsent = items[19]?.json;
		expect(unsent?.error).toMatch(/^Not sent: the service asked for no requests for another 6\d seconds$/);
		for (const details of detailsOf(items)) {
			expect(details).toMatchObject({ code: 'APIGW.0308', httpStatus: 429, outcomeUnknown: false });
		}
	});

	it('429 without end is retried Max Retries times', async () => {
		fixBackOff(0);
		service.reply = () => 'throttled';
		const items = await run(maxConcurrency, 2);
		expect(postsOf(service, names)).toEqual(names.map(() => 3));
		for (const details of detailsOf(items)) expect(details?.description).toContain('Tried 3 times');
	});

	it('503 that is not from the gateway gets no retry, as it may have acted', async () => {
		service.reply = () => '503';
		const items = await run(maxConcurrency, 3);
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
		for (const details of detailsOf(items)) {
			expect(details).toMatchObject({ httpStatus: 503, outcomeUnknown: true });
		}
	});
});

it.each<[string, number, () => Reply]>([
	['seconds', 1, () => ({ retryAfter: '1' })],
	['a date', 10, () => ({ retryAfter: inSeconds(1.999) })],
])('Retry-After in %s is waited for by all items, %d in flight', async (_what, maxConcurrency, reply) => {
	// Nothing comes on top of Retry-After.
	fixBackOff(0);
	first(maxConcurrency, reply);
	const items = await run(maxConcurrency, 2);
	expect(detailsOf(items)).toEqual(names.map(() => undefined));
	const throttled = service.times.slice(0, maxConcurrency);
	const next = service.times.slice(maxConcurrency);
	// A date has no milliseconds, so up to one second of its two is cut away.
	expect(Math.min(...next) - Math.max(...throttled)).toBeGreaterThan(980);
	expect(sum(postsOf(service, names))).toBe(names.length + maxConcurrency);
});

it('429: retries of requests that were throttled together are spread (jitter)', async () => {
	first(10, () => ({ retryAfter: '1' }));
	await run(10, 3, makeNames(10));
	const back = service.times.slice(10).map((time) => time - (service.times[9] ?? 0));
	expect(Math.min(...back)).toBeGreaterThan(980);
	// Ten times that are drawn from one second lie within a tenth of it once in a hundred million runs.
	expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(100);
});
