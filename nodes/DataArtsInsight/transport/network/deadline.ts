/** The longest time that a connection may take, through a proxy and with TLS, in milliseconds. */
export const CONNECT_TIMEOUT = 10_000;

/** Why something was ended from this side. */
export type StopReason = 'timeout' | 'tooLarge' | 'headersTooLarge' | 'cancelled';

/** One request that brought no whole answer. */
export class ExchangeError extends Error {
	/**
	 * @param cause the network's own error
	 * @param sent whether the request may have reached the service: false only if not a byte of it was written
	 * @param stopped why it was ended from this side, if it was
	 */
	constructor(
		override readonly cause: Error & { code?: string },
		readonly sent: boolean,
		readonly stopped?: StopReason,
	) {
		super(cause.message);
	}
}

/** What is under way and can be ended from this side. */
export interface Abortable {
	stop: (reason: StopReason) => void;
}

/**
 * Ends what its time is up for. One timer serves all that have the same time: one for each would stay until its
 * time is over, and cost more than half of the memory that a run over 100,000 items takes.
 */
class Deadline {
	/** When each began, in that order, and so in the order in which their time is up. */
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

/** The tasks that a signal ends. They share one listener: Node.js warns of a leak at the eleventh. */
export function endedBy(signal: AbortSignal): Set<Abortable> {
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
 * Does what has to be done before a request can be sent. Its time is {@link CONNECT_TIMEOUT}, and whoever stops the
 * execution does not wait for it.
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
			if (signal) endedBy(signal).add(task);
			work(abandonment.signal).then(resolve, (cause: Error) => reject(new ExchangeError(cause, false)));
		});
	} finally {
		deadline.delete(task);
		if (signal) endedBy(signal).delete(task);
	}
}
