import fc from 'fast-check';

import { RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { backOff, MAX_WAIT, Pace, wait } from '../../../../nodes/DataArtsInsight/transport/pace';
import { withRetries } from '../../../../nodes/DataArtsInsight/transport/repeat';

const details = { code: 'APIGW.0308', httpStatus: 429, outcomeUnknown: false };
const throttled = (after?: number) =>
	new RequestError('Too many', 'Wait a minute', details, { throttled: true, after });
const unconnected = () =>
	new RequestError('No connection', 'Check it', { code: 'X', outcomeUnknown: false }, { throttled: false });

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

/** Lets all waits pass, and all that follows from them. */
const pass = async (milliseconds: number) => await jest.advanceTimersByTimeAsync(milliseconds);

describe('backOff', () => {
	it('draws from a span that begins with a second and doubles up to a minute', () => {
		for (const random of [0, 0.25, 1]) {
			jest.spyOn(Math, 'random').mockReturnValue(random);
			const waits = Array.from({ length: 12 }, (_, i) => backOff(i + 1) / 1000);
			const spans = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60];
			expect(waits).toEqual(spans.map((span) => span * random));
		}
	});
});

describe('wait', () => {
	it.each([1, 99, 100, 101, 59_999])('takes %d ms, neither more nor less', async (milliseconds) => {
		let done = false;
		void wait(milliseconds).then(() => (done = true));
		await pass(milliseconds - 1);
		expect(done).toBe(false);
		await pass(1);
		expect(done).toBe(true);
	});

	it('ends soon after the execution was stopped', async () => {
		const stop = new AbortController();
		let done = false;
		void wait(60_000, stop.signal).then(() => (done = true));
		await pass(10_000);
		stop.abort();
		await pass(100);
		expect(done).toBe(true);
	});
});

describe('Pace', () => {
	it('lets no call go before the latest time that was named, whoever waits since when', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(
					fc.record({
						act: fc.constantFrom('slow' as const, 'call' as const),
						rest: fc.integer({ min: 0, max: 500 }),
						time: fc.integer({ min: 0, max: 3_000 }),
					}),
					{ minLength: 1, maxLength: 20 },
				),
				fc.double({ min: 0, max: 1, noNaN: true }),
				async (steps, random) => {
					jest.spyOn(Math, 'random').mockReturnValue(random);
					const pace = new Pace();
					let latest = 0;
					let calls = 0;
					const gone: Array<{ at: number; latest: number }> = [];
					for (const { act, rest, time } of steps) {
						if (act === 'slow') {
							pace.slowDown(time, throttled());
							latest = Math.max(latest, performance.now() + time);
						} else {
							calls++;
							void pace.ready().then(() => gone.push({ at: performance.now(), latest }));
						}
						await pass(rest);
					}
					await pass(60_000);
					expect(gone).toHaveLength(calls);
					for (const one of gone) expect(one.at).toBeGreaterThanOrEqual(one.latest - 0.01);
				},
			),
			{ numRuns: 50 },
		);
	});
});

it('a service that has throttled every call for five minutes, to the millisecond, is asked no more', () => {
	let now = 1_000_000;
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	const pace = new Pace();
	pace.slowDown(0, throttled());
	now += 5 * 60_000 - 1;
	pace.slowDown(0, throttled());
	expect(pace.closed()).toBeUndefined();
	now += 1;
	pace.slowDown(0, throttled());
	expect(pace.closed()).toMatchObject({ message: expect.stringContaining('for 5 minutes') as string });
});

describe('repeatSafely', () => {
	const limits = { timeout: 1_000, maxRetries: 3 };
	const pending = (pace: Pace, attempt: () => Promise<unknown>, maxRetries = 3) =>
		withRetries({ ...limits, maxRetries }, pace, attempt).catch((error: unknown) => error);

	it.each<[string, (after?: number) => RequestError]>([
		['is throttled', throttled],
		['finds no connection', unconnected],
	])('waits longer each time for what %s', async (_what, error) => {
		jest.spyOn(Math, 'random').mockReturnValue(0.5);
		const times: number[] = [];
		const begin = performance.now();
		const call = pending(new Pace(), async () => {
			times.push(performance.now() - begin);
			return await Promise.reject(error());
		});
		await pass(60_000);
		expect(await call).toMatchObject({ attempts: 4 });
		const waits = times.slice(1).map((time, i) => Math.round(time - (times[i] ?? 0)));
		// A throttled call comes back at random within as long again.
		expect(waits).toEqual([500, 1_000, 2_000].map((span) => (error === throttled ? span * 1.5 : span)));
	});

	it.each([
		[0, 500],
		[-1_000, 500],
		[200, 500],
		[700, 700],
		[31_000, 31_000],
		[60_000, 60_000],
	])('that is asked to wait for %d ms waits for at least %d', async (after, least) => {
		jest.spyOn(Math, 'random').mockReturnValue(0.5);
		let calls = 0;
		const call = pending(new Pace(), async () =>
			++calls > 1 ? await Promise.resolve('done') : await Promise.reject(throttled(after)),
		);
		await pass(least - 1);
		expect(calls).toBe(1);
		await pass(least + 1);
		expect(await call).toBe('done');
	});

	it('a failed connection holds nobody else back', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(1);
		const pace = new Pace();
		void pending(pace, async () => await Promise.reject(unconnected()));
		await pass(10);
		const other = pending(pace, async () => await Promise.resolve('done'));
		await pass(0);
		expect(await other).toBe('done');
		await pass(60_000);
	});

	it('asks a service that takes no calls for more than a minute no more until then', async () => {
		const pace = new Pace();
		let calls = 0;
		const attempt = async () => {
			calls++;
			return calls > 1 ? await Promise.resolve('done') : await Promise.reject(throttled(MAX_WAIT + 30_000));
		};
		expect(await pending(pace, attempt)).toMatchObject({ message: 'Too many', attempts: 1 });
		await pass(20_000);
		expect(await pending(pace, attempt)).toMatchObject({
			message: 'Not sent: the service asked for no calls for another 70 seconds',
			details,
			description: 'Wait a minute',
		});
		expect(calls).toBe(1);
		await pass(70_000);
		expect(await pending(pace, attempt)).toBe('done');
		expect(calls).toBe(2);
	});

	it('gives a run up whose every call was throttled for five minutes, and says so', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0.5);
		const pace = new Pace();
		let calls = 0;
		const begin = performance.now();
		const outcomes: unknown[] = [];
		// A thousand items, ten under way.
		const worker = async () => {
			for (let i = 0; i < 100; i++) {
				outcomes.push(
					await pending(pace, async () => {
						calls++;
						return await Promise.reject(throttled(60_000));
					}),
				);
			}
		};
		const run = Promise.all(Array.from({ length: 10 }, worker)).then(() => performance.now() - begin);
		await pass(20 * 60_000);
		expect(outcomes).toHaveLength(1_000);
		expect(await run).toBeLessThan(10 * 60_000);
		expect(calls).toBeLessThan(100);
		expect(outcomes.at(-1)).toMatchObject({
			message: 'Not sent: the service has throttled every call for 5 minutes',
			details,
			description: 'Wait a minute',
		});
		// Who waits for longer than a run does asks again.
		expect(await pending(pace, async () => await Promise.resolve('done'))).toBe('done');
	});

	it('goes on as long as the service takes a call now and then', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0.5);
		const pace = new Pace();
		let calls = 0;
		let done = 0;
		const worker = async () => {
			for (let i = 0; i < 40; i++) {
				const outcome = await pending(pace, async () =>
					++calls % 2 > 0 ? await Promise.reject(throttled(30_000)) : await Promise.resolve('done'),
				);
				if (outcome === 'done') done++;
			}
		};
		void worker();
		await pass(60 * 60_000);
		expect(done).toBe(40);
	});

	it('passes on what it does not know, at once', async () => {
		let calls = 0;
		const odd = new TypeError('odd');
		const call = pending(new Pace(), async () => {
			calls++;
			return await Promise.reject(odd);
		});
		expect(await call).toBe(odd);
		expect(calls).toBe(1);
	});
});
