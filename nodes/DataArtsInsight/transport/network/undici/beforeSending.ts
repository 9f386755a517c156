import { type Abortable, abortedBy, deadlineAfter } from '../deadline';
import { ExchangeError } from '../failure';

/** The longest time that a connection may take, through a proxy and with TLS, in milliseconds. */
export const CONNECT_TIMEOUT = 10_000;

/**
 * Does the work that comes before a request can be sent, within {@link CONNECT_TIMEOUT}. An execution that is stopped does
 * not wait for it.
 *
 * @param work gets a signal that is aborted when nobody waits any more
 * @throws {ExchangeError} whatever went wrong; nothing was sent
 */
export async function beforeSending<Result>(
	signal: AbortSignal | undefined,
	work: (abandoned: AbortSignal) => Promise<Result>,
): Promise<Result> {
	if (signal?.aborted) throw new ExchangeError(new Error('cancelled'), false, 'cancelled');
	const deadline = deadlineAfter(CONNECT_TIMEOUT);
	const abandonment = new AbortController();
	const task: Abortable = { stop: () => undefined };
	try {
		return await new Promise<Result>((resolve, reject) => {
			task.stop = (reason) => {
				abandonment.abort();
				const code = 'UND_ERR_CONNECT_TIMEOUT';
				const cause = Object.assign(new Error('No connection in time'), { code });
				reject(new ExchangeError(cause, false, reason === 'timeout' ? undefined : reason));
			};
			deadline.add(task);
			if (signal) abortedBy(signal).add(task);
			work(abandonment.signal).then(resolve, (cause: Error) => reject(new ExchangeError(cause, false)));
		});
	} finally {
		deadline.delete(task);
		if (signal) abortedBy(signal).delete(task);
	}
}
