import { abortedBy } from '../../../../../../nodes/DataArtsInsight/transport/network/deadline';
import { ExchangeError } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import {
	beforeSending,
	CONNECT_TIMEOUT,
} from '../../../../../../nodes/DataArtsInsight/transport/network/undici/beforeSending';
import { useHandClock } from '../../../../../support/network/handClock';

const { pass } = useHandClock();

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

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
