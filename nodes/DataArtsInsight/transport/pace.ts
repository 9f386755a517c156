import { sleep } from 'n8n-workflow';

import { notSent, type RequestError } from './errors/errors';

/** The longest wait before a repetition, in milliseconds; what asks for more is not repeated. */
export const MAX_WAIT = 60_000;

/** The mean of the first wait is half of this, in milliseconds. */
const FIRST_WAIT = 1_000;

/** For how long a run goes on knocking where the service throttles every call, in milliseconds. */
const PATIENCE = 5 * 60_000;

/** n8n's sleep cannot be ended, so a longer wait looks this often whether the execution was stopped. */
const STEP = 100;

/**
 * How long to wait before a repetition: at random, up to a limit that doubles, so that callers which failed
 * together do not come back together.
 *
 * @param attempt how often it was tried so far
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

/** Holds back all calls of a run when the service throttles one of them. */
export class Pace {
	private resumeAt = 0;

	private spread = 0;

	/** When the service began to throttle every call. */
	private throttledSince?: number;

	/** Until when no call is made, and why. */
	private closure?: { until: number; error: RequestError; forGood: boolean };

	/**
	 * The service takes no calls for some milliseconds. After them the calls come back one by one. If that is too
	 * long to wait, or the service has throttled every call for minutes, none is made in this time.
	 *
	 * @param error how the service said so
	 */
	slowDown(milliseconds: number, error: RequestError) {
		const now = performance.now();
		this.throttledSince ??= now;
		const forGood = now - this.throttledSince >= PATIENCE;
		if (milliseconds > MAX_WAIT || forGood) {
			const until = Math.max(now + Math.max(milliseconds, MAX_WAIT), this.closure?.until ?? 0);
			this.closure = { until, error, forGood };
			return;
		}
		this.resumeAt = Math.max(this.resumeAt, now + milliseconds);
		this.spread = milliseconds;
	}

	/** The service took a call. */
	speedUp() {
		this.throttledSince = undefined;
		this.closure = undefined;
	}

	/** @returns the error for a call that is not to be made now; nothing if it may be */
	closed(): RequestError | undefined {
		if (!this.closure) return undefined;
		const { until, error, forGood } = this.closure;
		const left = until - performance.now();
		if (left <= 0) return undefined;
		const minutes = Math.round(PATIENCE / 60_000);
		return notSent(
			error,
			forGood
				? `the service has throttled every call for ${minutes} minutes`
				: `the service asked for no calls for another ${Math.ceil(left / 1000)} seconds`,
		);
	}

	/** Resolves when the next call may be made, is not to be made any more, or when the execution is stopped. */
	async ready(signal?: AbortSignal): Promise<void> {
		// Whoever wakes up while the service still throttles others goes on waiting.
		for (let left = this.left(); left > 0 && !signal?.aborted && !this.closed(); left = this.left()) {
			await wait(left + Math.random() * this.spread, signal);
		}
	}

	private left() {
		return this.resumeAt - performance.now();
	}
}
