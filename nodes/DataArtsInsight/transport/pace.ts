import { randomBytes } from 'node:crypto';

import { sleep } from 'n8n-workflow';

/** The longest wait before a retry, in milliseconds; what asks for more is not repeated. */
export const MAX_WAIT = 60_000;

/** The mean of the first wait is half of this, in milliseconds. */
const FIRST_WAIT = 1_000;

/** For how long a run goes on sending where the service throttles every request, in milliseconds. */
const MAX_THROTTLED = 5 * 60_000;

/** The sleep of n8n 1 cannot be ended, so a longer wait looks this often whether the execution was stopped. */
const STEP = 100;

/**
 * How long to wait before a retry: at random, up to a limit that doubles, so that requests which failed together do not
 * come back together.
 *
 * @param attempt how often the request was sent so far
 * @returns milliseconds
 */
export function backOff(attempt: number): number {
	return Math.random() * Math.min(FIRST_WAIT * 2 ** (attempt - 1), MAX_WAIT);
}

/** Waits for some milliseconds, or until the execution is stopped. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
	const end = performance.now() + milliseconds;
	for (let left = milliseconds; left > 0 && !signal?.aborted; left = end - performance.now()) {
		await sleep(Math.min(left, STEP));
	}
}

/** The longest time that {@link inputAndOutput} takes, in milliseconds, where all threads are busy. */
const LONGEST_POLL = 10;

/**
 * Lets the event loop handle the input that has come meanwhile, such as responses. n8n forbids `setImmediate` in nodes, and
 * a timer takes a millisecond at least; work on another thread takes a thirtieth of that. Timers may have to wait until
 * the caller waits for something else.
 */
export async function inputAndOutput(): Promise<void> {
	await Promise.race([new Promise((resolve) => randomBytes(1, resolve)), sleep(LONGEST_POLL)]);
}

/** Why a run sends no request for the moment. */
export interface Closure<Cause> {
	/** How the service said so. */
	cause: Cause;
	/** In a few words. */
	reason: string;
}

/** Holds back all requests of a run when the service throttles one of them. */
export class Pace<Cause> {
	private resumeAt = 0;

	private spread = 0;

	/** When the service began to throttle every request. */
	private throttledSince?: number;

	private closure?: { until: number; cause: Cause; forGood: boolean };

	/**
	 * The service takes no requests for some milliseconds. After them the requests come back one by one. If that is too
	 * long to wait, or the service has throttled every request for minutes, none is sent in this time.
	 *
	 * @param cause how the service said so
	 */
	slowDown(milliseconds: number, cause: Cause) {
		const now = performance.now();
		this.throttledSince ??= now;
		const forGood = now - this.throttledSince >= MAX_THROTTLED;
		if (milliseconds > MAX_WAIT || forGood) {
			const until = Math.max(now + Math.max(milliseconds, MAX_WAIT), this.closure?.until ?? 0);
			this.closure = { until, cause, forGood };
			return;
		}
		this.resumeAt = Math.max(this.resumeAt, now + milliseconds);
		this.spread = milliseconds;
	}

	/** The service took a request. */
	speedUp() {
		this.throttledSince = undefined;
		this.closure = undefined;
	}

	/** @returns why no request is to be sent now; nothing if one may be */
	closed(): Closure<Cause> | undefined {
		if (!this.closure) return undefined;
		const { until, cause, forGood } = this.closure;
		const left = until - performance.now();
		if (left <= 0) return undefined;
		const reason = forGood
			? `the service has throttled every request for ${Math.round(MAX_THROTTLED / 60_000)} minutes`
			: `the service asked for no requests for another ${Math.ceil(left / 1000)} seconds`;
		return { cause, reason };
	}

	/** Resolves when the next request may be sent, is not to be sent any more, or when the execution is stopped. */
	async ready(signal?: AbortSignal): Promise<void> {
		// Another request may have been throttled while this one waited, so the time is read again.
		for (let left = this.left(); left > 0 && !signal?.aborted && !this.closed(); left = this.left()) {
			await wait(left + Math.random() * this.spread, signal);
		}
	}

	private left() {
		return this.resumeAt - performance.now();
	}
}
