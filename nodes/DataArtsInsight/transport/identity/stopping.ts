import { cancelled } from '../errors/interruption';

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
		const stop = () => reject(cancelled());
		if (signal.aborted) stop();
		stops.add(stop);
		void promise.then(resolve, reject).finally(() => stops.delete(stop));
	});
}

/**
 * Waits for some milliseconds. Unlike other timers this one does not keep a process alive that has nothing else to do.
 *
 * @throws {RequestError} as soon as the signal is aborted
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
	if (milliseconds <= 0) return;
	const timeUp = new Promise<void>((resolve) =>
		AbortSignal.timeout(Math.ceil(milliseconds)).addEventListener('abort', () => resolve()),
	);
	await unlessStopped(timeUp, signal);
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
