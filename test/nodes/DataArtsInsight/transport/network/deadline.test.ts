import { getEventListeners } from 'node:events';

import { deadlineAfter, abortedBy } from '../../../../../nodes/DataArtsInsight/transport/network/deadline';
import { useHandClock } from '../../../../support/network/handClock';

const { pass, wait, delays } = useHandClock();

describe('a deadline', () => {
	it('ends each task when its time is up, to the millisecond', () => {
		const [first, second] = [{ stop: jest.fn() }, { stop: jest.fn() }];
		const deadline = deadlineAfter(1_000);
		deadline.add(first);
		wait(400);
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
		wait(1);
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
