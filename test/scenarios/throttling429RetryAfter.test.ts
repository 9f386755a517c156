import { type CountingService, type Reply, startCountingService } from '../support/cloud/countingService';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/verify';

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
		credentials: service.credentials,
		options: { maxConcurrency, maxRetries },
	});
	expectOneOutputEach(items, list);
	return items;
}

describe.each([1, 10])('with %d under way, a service that', (maxConcurrency) => {
	it.each<[string, number, () => Reply]>([
		['throttles', 10, () => 'throttled'],
		['throttles and asks to wait for no time at all', 10, () => ({ retryAfter: '0' })],
		['throttles until a date that has passed', 10, () => ({ retryAfter: inSeconds(-60) })],
		['throttles and says something strange', 10, () => ({ retryAfter: 'soon' })],
		['is not available behind the gateway', 10, () => 'unavailable'],
	])('%s at first gets each item done in the end', async (_what, count, reply) => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		first(count, reply);
		const items = await run(maxConcurrency, 10);
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(sum(postsOf(service, names))).toBe(names.length + count);
	});

	it.each<[string, () => Reply]>([
		['seconds', () => ({ retryAfter: '61' })],
		['a date', () => ({ retryAfter: inSeconds(65) })],
	])(
		'wants to be left alone for over a minute, in %s, is not waited for, and left alone',
		async (_what, reply) => {
			service.reply = reply;
			const started = performance.now();
			const items = await run(maxConcurrency, 3);
			expect(performance.now() - started).toBeLessThan(10_000);
			// Those that were under way together knock once; nobody else does.
			expect(postsOf(service, names)).toEqual(names.map((_name, index) => (index < maxConcurrency ? 1 : 0)));
			const unsent = items[19]?.json;
			expect(unsent?.error).toMatch(/^Not sent: the service asked for no calls for another 6\d seconds$/);
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'APIGW.0308', httpStatus: 429, outcomeUnknown: false });
			}
		},
	);

	it('throttles for good is asked as often as allowed and no more', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		service.reply = () => 'throttled';
		const items = await run(maxConcurrency, 2);
		expect(postsOf(service, names)).toEqual(names.map(() => 3));
		for (const details of detailsOf(items)) expect(details?.description).toContain('Tried 3 times');
	});

	it('answers 503 without saying that it is the gateway may have acted: it is asked once', async () => {
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
])(
	'a wait that the service names in %s is kept by all items, %d under way',
	async (_what, maxConcurrency, reply) => {
		// What comes on top of the wait that the service asks for is pinned to nothing.
		jest.spyOn(Math, 'random').mockReturnValue(0);
		first(maxConcurrency, reply);
		const items = await run(maxConcurrency, 2);
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		const knocks = service.times.slice(0, maxConcurrency);
		const next = service.times.slice(maxConcurrency);
		// A date has no milliseconds, so up to one second of its two is cut away.
		expect(Math.min(...next) - Math.max(...knocks)).toBeGreaterThan(980);
		expect(sum(postsOf(service, names))).toBe(names.length + maxConcurrency);
	},
);

it('calls that were throttled together do not come back together', async () => {
	first(10, () => ({ retryAfter: '1' }));
	await run(10, 3, makeNames(10));
	const back = service.times.slice(10).map((time) => time - (service.times[9] ?? 0));
	expect(Math.min(...back)).toBeGreaterThan(980);
	// Ten times that are drawn from one second lie within a tenth of it once in a hundred million runs.
	expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(100);
});
