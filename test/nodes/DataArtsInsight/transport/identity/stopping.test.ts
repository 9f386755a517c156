import { getEventListeners } from 'node:events';

import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { unlessStopped } from '../../../../../nodes/DataArtsInsight/transport/identity/stopping';

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
