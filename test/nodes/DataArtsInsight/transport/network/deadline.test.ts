import { getEventListeners } from 'node:events';

import {
	beforeSending,
	CONNECT_TIMEOUT,
	deadlineAfter,
	abortedBy,
	ExchangeError,
} from '../../../../../nodes/DataArtsInsight/transport/network/deadline';

/** What the clock shows; it goes only by hand. */
let now: number;
/** The timers that were set. */
let timers: Array<{ delay: number; end: AbortController }>;
beforeEach(() => {
	now = 1_000_000;
	timers = [];
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
		const end = new AbortController();
		timers.push({ delay, end });
		return end.signal;
	});
});
afterEach(() => {
	// So that no deadline waits for a timer of an earlier test.
	pass(1_000_000_000);
	jest.restoreAllMocks();
});

function pass(milliseconds: number) {
	now += milliseconds;
	for (const { end } of timers.splice(0)) end.abort();
}

const delays = () => timers.map(({ delay }) => delay);
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

describe('a deadline', () => {
	it('ends each task when its time is up, to the millisecond', () => {
		const [first, second] = [{ stop: jest.fn() }, { stop: jest.fn() }];
		const deadline = deadlineAfter(1_000);
		deadline.add(first);
		now += 400;
		deadline.add(second);
		pass(599);
		expect(first.stop).not.toHaveBeenCalled();
		expect(delays()).toEqual([1]);
		pass(1);
		expect(first.stop.mock.calls).toEqual([['timeout']]);
		expect(second.stop).not.toHaveBeenCalled();
		expect(delays()).toEqual([400]);
		pass(400);
		expect(second.stop.mock.calls).toEqual([['timeout']]);
		expect(first.stop).toHaveBeenCalledTimes(1);
		expect(delays()).toEqual([]);
	});

	it('has one timer for all tasks, and another one only when that has rung', () => {
		const deadline = deadlineAfter(2_000);
		const tasks = Array.from({ length: 100 }, () => ({ stop: jest.fn() }));
		for (const task of tasks) deadline.add(task);
		expect(delays()).toEqual([2_000]);
		expect(deadlineAfter(2_000)).toBe(deadline);
		expect(deadlineAfter(2_001)).not.toBe(deadline);
		now += 1;
		deadline.add({ stop: () => undefined });
		pass(1_999);
		for (const { stop } of tasks) expect(stop).toHaveBeenCalledTimes(1);
		deadline.add({ stop: () => undefined });
		expect(delays()).toEqual([1]);
	});

	it('rounds a part of a millisecond up, so that no timer rings too soon', () => {
		const deadline = deadlineAfter(3_000);
		deadline.add({ stop: () => undefined });
		pass(2_999.5);
		expect(delays()).toEqual([1]);
	});

	it('does not end what was taken out', () => {
		const task = { stop: jest.fn() };
		const deadline = deadlineAfter(4_000);
		deadline.add(task);
		deadline.delete(task);
		pass(4_000);
		expect(task.stop).not.toHaveBeenCalled();
	});
});

it('a signal ends its tasks by one listener', () => {
	const stop = new AbortController();
	const tasks = Array.from({ length: 20 }, () => ({ stop: jest.fn() }));
	for (const task of tasks) abortedBy(stop.signal).add(task);
	expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
	stop.abort();
	for (const task of tasks) expect(task.stop.mock.calls).toEqual([['cancelled']]);
});

describe('what has to be done before sending', () => {
	const never = async () => await new Promise<never>(() => undefined);

	it('brings its result, and is no longer ended then', async () => {
		const stop = new AbortController();
		let abandoned: AbortSignal | undefined;
		const result = await beforeSending(stop.signal, async (signal) => {
			abandoned = signal;
			return await Promise.resolve('result');
		});
		expect(result).toBe('result');
		expect(abortedBy(stop.signal).size).toBe(0);
		stop.abort();
		pass(CONNECT_TIMEOUT + 1);
		expect(abandoned?.aborted).toBe(false);
	});

	it('is not even begun once the execution was stopped', async () => {
		const work = jest.fn(never);
		const error = await failureOf(beforeSending(AbortSignal.abort(), work));
		expect(error).toBeInstanceOf(ExchangeError);
		expect(error).toMatchObject({ sent: false, stopped: 'cancelled' });
		expect(work).not.toHaveBeenCalled();
	});

	it('is given up as soon as the execution is stopped', async () => {
		const stop = new AbortController();
		let abandoned: AbortSignal | undefined;
		const waiting = failureOf(
			beforeSending(stop.signal, async (signal) => {
				abandoned = signal;
				return await never();
			}),
		);
		expect(abandoned?.aborted).toBe(false);
		stop.abort();
		expect(abandoned?.aborted).toBe(true);
		expect(await waiting).toMatchObject({ sent: false, stopped: 'cancelled' });
		expect(abortedBy(stop.signal).size).toBe(0);
	});

	it('that takes too long is ended when its time is up, and was not stopped by anybody', async () => {
		let abandoned: AbortSignal | undefined;
		const waiting = failureOf(
			beforeSending(undefined, async (signal) => {
				abandoned = signal;
				return await never();
			}),
		);
		pass(CONNECT_TIMEOUT - 1);
		expect(abandoned?.aborted).toBe(false);
		pass(1);
		expect(abandoned?.aborted).toBe(true);
		const error = await waiting;
		expect(error).toBeInstanceOf(ExchangeError);
		expect(error).toMatchObject({ sent: false, cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } });
		expect((error as ExchangeError).stopped).toBeUndefined();
	});

	it('that fails tells why, and that nothing was sent', async () => {
		const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
		const stop = new AbortController();
		const error = await failureOf(beforeSending(stop.signal, async () => await Promise.reject(cause)));
		expect(error).toBeInstanceOf(ExchangeError);
		expect(error).toMatchObject({ message: 'refused', cause, sent: false });
		expect((error as ExchangeError).stopped).toBeUndefined();
		expect(abortedBy(stop.signal).size).toBe(0);
	});
});
