import { unlessStopped } from './stopping';

/** Resolves when the last of each key has ended, and all before it. */
const last = new Map<string, Promise<unknown>>();

/**
 * Does the work of one key in turn: each begins when the one before has ended, however it ended, or was given up.
 *
 * @param signal aborted when the work is given up, whether it has begun or not
 * @throws {RequestError} if the signal is aborted
 * @throws what `work` throws
 */
export async function inTurn<Result>(
	key: string,
	signal: AbortSignal,
	work: () => Promise<Result>,
): Promise<Result> {
	const before = last.get(key);
	const begun = before ? unlessStopped(before, signal).then(work) : work();
	const own = unlessStopped(begun, signal);
	// Who is given up while waiting must not let the next one begin before the one in front has ended.
	const ended = Promise.allSettled([before, own]).then(() => {
		if (last.get(key) === ended) last.delete(key);
	});
	last.set(key, ended);
	return await own;
}
