import { ended } from '../errors/errors';

/** Who waits under a signal. All share one listener: Node.js warns of a leak at the eleventh. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Waits for something until the execution is stopped.
 *
 * @throws {RequestError} as soon as the signal is aborted, whatever becomes of the promise
 * @throws what the promise is rejected with
 */
export async function unlessStopped<Result>(promise: Promise<Result>, signal?: AbortSignal): Promise<Result> {
	if (!signal) return await promise;
	const stops = stopsOf(signal);
	return await new Promise<Result>((resolve, reject) => {
		const stop = () => reject(ended('cancelled', false));
		if (signal.aborted) stop();
		stops.add(stop);
		void promise.then(resolve, reject).finally(() => stops.delete(stop));
	});
}

function stopsOf(signal: AbortSignal): Set<() => void> {
	let stops = waiting.get(signal);
	if (!stops) {
		const added = new Set<() => void>();
		signal.addEventListener('abort', () => added.forEach((stop) => stop()));
		waiting.set(signal, added);
		stops = added;
	}
	return stops;
}
