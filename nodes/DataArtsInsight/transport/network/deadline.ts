/** The longest time that a connection may take, through a proxy and with TLS, in milliseconds. */
export const CONNECT_TIMEOUT = 10_000;

/** Why something was ended from this side. */
export type StopReason = 'timeout' | 'tooLarge' | 'headersTooLarge' | 'cancelled';

/** How a request ended without a whole response. */
export interface Interruption {
	/** The network's own error. Of a proxy that refused to connect, with what it answered and whether it tried. */
	cause: Error & { code?: string; answer?: string; reached?: boolean };
	/** Whether the request may have reached the service: false only if not a byte of it was written. */
	sent: boolean;
	/** Why it was ended from this side, if it was. */
	stopped?: StopReason;
	/** The size that was passed, in bytes, where that is the reason. */
	limit?: number;
}

/** One request that brought no whole response. */
export class ExchangeError extends Error implements Interruption {
	constructor(
		override readonly cause: Interruption['cause'],
		readonly sent: boolean,
		readonly stopped?: StopReason,
		readonly limit?: number,
	) {
		super(cause.message);
	}
}

/** A task that can be ended from this side. */
export interface Abortable {
	stop: (reason: StopReason) => void;
}

/**
 * Ends tasks whose time is up. Tasks with the same timeout share one timer. `AbortSignal.timeout` cannot be cleared, so one
 * timer a task would take more than half of the memory of a run over 100,000 items.
 */
class Deadline {
	/** When each task began, in that order, and so in the order in which their time is up. */
	private readonly running = new Map<Abortable, number>();

	private armed = false;

	constructor(private readonly timeout: number) {}

	add(task: Abortable) {
		this.running.set(task, performance.now());
		if (!this.armed) this.arm(this.timeout);
	}

	delete(task: Abortable) {
		this.running.delete(task);
	}

	private arm(delay: number) {
		this.armed = true;
		AbortSignal.timeout(Math.ceil(delay)).addEventListener('abort', () => this.sweep());
	}

	private sweep() {
		this.armed = false;
		for (const [task, begin] of this.running) {
			const left = begin + this.timeout - performance.now();
			if (left > 0) return this.arm(left);
			this.running.delete(task);
			task.stop('timeout');
		}
	}
}

const deadlines = new Map<number, Deadline>();

/** @param timeout milliseconds */
export function deadlineAfter(timeout: number): Deadline {
	const deadline = deadlines.get(timeout) ?? new Deadline(timeout);
	deadlines.set(timeout, deadline);
	return deadline;
}

const tasksOf = new WeakMap<AbortSignal, Set<Abortable>>();

/** The tasks that a signal ends. They share one listener, since Node.js warns of a leak at the eleventh. */
export function abortedBy(signal: AbortSignal): Set<Abortable> {
	let tasks = tasksOf.get(signal);
	if (!tasks) {
		const added = new Set<Abortable>();
		signal.addEventListener('abort', () => added.forEach((one) => one.stop('cancelled')));
		tasksOf.set(signal, added);
		tasks = added;
	}
	return tasks;
}

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
