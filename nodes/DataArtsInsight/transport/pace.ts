import { sleep } from 'n8n-workflow';

/** The longest wait before a repetition, in milliseconds; what asks for more is not repeated. */
export const MAX_WAIT = 60_000;

/** The mean of the first wait is half of this, in milliseconds. */
const FIRST_WAIT = 1_000;

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

	/** The service takes no calls for some milliseconds. After them the calls come back one by one. */
	slowDown(milliseconds: number) {
		this.resumeAt = Math.max(this.resumeAt, performance.now() + milliseconds);
		this.spread = milliseconds;
	}

	/** Resolves when the next call may be made, or when the execution is stopped. */
	async ready(signal?: AbortSignal): Promise<void> {
		// Whoever wakes up while the service still throttles others goes on waiting.
		for (let left = this.left(); left > 0 && !signal?.aborted; left = this.left()) {
			await wait(left + Math.random() * this.spread, signal);
		}
	}

	private left() {
		return this.resumeAt - performance.now();
	}
}
