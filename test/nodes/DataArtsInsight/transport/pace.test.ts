import fc from 'fast-check';

import { backOff, MAX_WAIT, Pace, wait } from '../../../../nodes/DataArtsInsight/transport/pace';
import { fixBackOff } from '../../../support/network/backOff';

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
			fixBackOff(random);
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
	it('lets no request go before the latest time that was named, whoever waits since when', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(
					fc.record({
						act: fc.constantFrom('slow' as const, 'send' as const),
						rest: fc.integer({ min: 0, max: 500 }),
						time: fc.integer({ min: 0, max: 3_000 }),
					}),
					{ minLength: 1, maxLength: 20 },
				),
				fc.double({ min: 0, max: 1, noNaN: true }),
				async (steps, random) => {
					fixBackOff(random);
					const pace = new Pace<string>();
					let latest = 0;
					let requests = 0;
					const gone: Array<{ at: number; latest: number }> = [];
					for (const { act, rest, time } of steps) {
						if (act === 'slow') {
							pace.slowDown(time, 'too many');
							latest = Math.max(latest, performance.now() + time);
						} else {
							requests++;
							void pace.ready().then(() => gone.push({ at: performance.now(), latest }));
						}
						await pass(rest);
					}
					await pass(60_000);
					expect(gone).toHaveLength(requests);
					for (const one of gone) expect(one.at).toBeGreaterThanOrEqual(one.latest - 0.01);
				},
			),
			{ numRuns: 50 },
		);
	});

	describe('that is closed', () => {
		let now: number;
		let pace: Pace<string>;
		beforeEach(() => {
			now = 1_000_000;
			jest.spyOn(performance, 'now').mockImplementation(() => now);
			pace = new Pace();
		});

		it('is so once the service has throttled every request for five minutes, to the millisecond', () => {
			pace.slowDown(0, 'first');
			now += 5 * 60_000 - 1;
			pace.slowDown(0, 'second');
			expect(pace.closed()).toBeUndefined();
			now += 1;
			pace.slowDown(0, 'third');
			expect(pace.closed()).toEqual({
				cause: 'third',
				reason: 'the service has throttled every request for 5 minutes',
			});
		});

		it('is so if the service asks for more than a minute, and says for how long still and why', () => {
			pace.slowDown(MAX_WAIT, 'first');
			expect(pace.closed()).toBeUndefined();
			pace.slowDown(MAX_WAIT + 1, 'second');
			expect(pace.closed()).toEqual({
				cause: 'second',
				reason: 'the service asked for no requests for another 61 seconds',
			});
			now += 59_001;
			expect(pace.closed()?.reason).toContain('another 1 seconds');
			now += 999;
			expect(pace.closed()?.reason).toContain('another 1 seconds');
			now += 1;
			expect(pace.closed()).toBeUndefined();
		});

		it('stays so for the longest time that was asked for, and for a minute at least', () => {
			pace.slowDown(200_000, 'long');
			pace.slowDown(100_000, 'short');
			expect(pace.closed()).toEqual({
				cause: 'short',
				reason: 'the service asked for no requests for another 200 seconds',
			});
			const other = new Pace<string>();
			other.slowDown(0, 'first');
			now += 5 * 60_000;
			other.slowDown(0, 'last');
			now += MAX_WAIT - 1;
			expect(other.closed()).toBeDefined();
			now += 1;
			expect(other.closed()).toBeUndefined();
		});

		it('is open again once the service took a request, and the five minutes begin anew', () => {
			pace.slowDown(100_000, 'long');
			pace.speedUp();
			expect(pace.closed()).toBeUndefined();
			now += 5 * 60_000;
			pace.slowDown(0, 'first');
			expect(pace.closed()).toBeUndefined();
		});

		it('lets whoever waits for it go at once', async () => {
			fixBackOff(0);
			pace.slowDown(10_000, 'first');
			pace.slowDown(100_000, 'second');
			let gone = false;
			void pace.ready().then(() => (gone = true));
			await pass(0);
			expect(gone).toBe(true);
		});
	});
});
