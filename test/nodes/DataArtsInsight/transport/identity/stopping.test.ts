import { getEventListeners } from 'node:events';

import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { pause, unlessStopped } from '../../../../../nodes/DataArtsInsight/transport/identity/stopping';

afterEach(() => jest.restoreAllMocks());

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);
const never = async () => await new Promise<never>(() => undefined);

describe.each([
	['with a signal', () => new AbortController().signal],
	['without one', () => undefined],
])('waiting %s', (_how, signal) => {
	it('brings what is waited for', async () => {
		expect(await unlessStopped(Promise.resolve('result'), signal())).toBe('result');
	});

	it('fails with the error of what is waited for', async () => {
		const error = new Error('refused');
		expect(await failureOf(unlessStopped(Promise.reject(error), signal()))).toBe(error);
	});
});

describe('an execution that is stopped', () => {
	it('waits no longer, and says that nothing is unknown', async () => {
		const stop = new AbortController();
		const waiting = [1, 2].map(async () => await failureOf(unlessStopped(never(), stop.signal)));
		stop.abort();
		for (const error of await Promise.all(waiting)) {
			expect(error).toBeInstanceOf(RequestError);
			expect(error).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		}
	});

	it('does not begin to wait', async () => {
		const error = await failureOf(unlessStopped(never(), AbortSignal.abort()));
		expect(error).toMatchObject({ details: { code: 'CANCELLED' } });
	});
});

it('many waits need one listener, and leave nothing behind', async () => {
	const { signal } = new AbortController();
	const add = jest.spyOn(Set.prototype as Set<unknown>, 'add');
	const waits = Array.from({ length: 20 }, async (_, i) =>
		i % 2 > 0
			? await failureOf(unlessStopped(Promise.reject(new Error('no')), signal))
			: await unlessStopped(Promise.resolve(), signal),
	);
	const [waiting] = add.mock.contexts as Array<Set<unknown>>;
	expect(waiting?.size).toBe(20);
	expect(getEventListeners(signal, 'abort')).toHaveLength(1);
	await Promise.all(waits);
	expect(waiting?.size).toBe(0);
});

describe('a pause', () => {
	let timers: Array<{ after: number; ring: () => void }> = [];
	beforeEach(() => {
		timers = [];
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((after) => {
			const timer = new AbortController();
			timers.push({ after, ring: () => timer.abort() });
			return timer.signal;
		});
	});
	const settle = async () => await new Promise((resolve) => setImmediate(resolve));

	it.each([
		[1, 1],
		[2_000, 2_000],
		// A timer knows whole milliseconds only, and rings no sooner than asked.
		[0.2, 1],
		[1_999.5, 2_000],
	])('of %d ms ends when %d ms have passed, and not before', async (milliseconds, after) => {
		let over = false;
		const waiting = pause(milliseconds, new AbortController().signal).then(() => (over = true));
		expect(timers.map((timer) => timer.after)).toEqual([after]);
		await settle();
		expect(over).toBe(false);
		timers[0]?.ring();
		await waiting;
	});

	it.each([0, -1, -Infinity])(
		'of %d ms is none, even in an execution that was stopped',
		async (milliseconds) => {
			await pause(milliseconds, AbortSignal.abort());
			expect(timers).toEqual([]);
		},
	);

	it('ends at once when the execution is stopped', async () => {
		const stop = new AbortController();
		const waiting = failureOf(pause(60_000, stop.signal));
		stop.abort();
		expect(await waiting).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
	});

	it('needs no signal', async () => {
		const waiting = pause(5);
		timers[0]?.ring();
		expect(await waiting).toBeUndefined();
	});

	it('leaves no listener to the next, however many there are under one signal', async () => {
		const { signal } = new AbortController();
		const waits = Array.from({ length: 20 }, async () => await pause(5, signal));
		expect(getEventListeners(signal, 'abort')).toHaveLength(1);
		for (const { ring } of timers) ring();
		await Promise.all(waits);
	});
});
