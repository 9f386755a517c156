import { createHash } from 'node:crypto';

import { RequestError } from '../errors/errors';

/** For how many milliseconds a refusal stands: so long IAM counts refused logins, and five of them lock an account. */
export const REFUSAL_KEPT = 15 * 60_000;

/** How many refusals are kept; beyond that the oldest goes. */
const MAX_REFUSALS = 1_000;

/** A clock that was set by more milliseconds than this may have been the reason for a refusal. */
const CLOCK_TOLERANCE = 60_000;

interface Refusal {
	error: RequestError;
	/** When it came, on the clock of `performance.now()`. */
	at: number;
	/** How far the machine's clock was ahead of that one. */
	clock: number;
}

/** What was refused lately, in this process, by its fingerprint. Neither keys nor values hold a secret. */
const refusals = new Map<string, Refusal>();

const clock = () => Date.now() - performance.now();

/** Tells values apart without giving them away. */
export function fingerprint(...values: Array<string | boolean>): string {
	return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

/**
 * Keeps for 15 minutes that somebody was refused.
 *
 * @param key fingerprint of what was refused, and of nothing else
 * @param what the name of it, for the message
 * @returns the error to throw: it says as well that the same is not tried again
 */
export function rememberRefusal(
	key: string,
	what: string,
	{ message, advice, details }: RequestError,
): RequestError {
	forgetOld();
	refusals.delete(key);
	const again = `The same ${what} is not tried again for 15 minutes after a refusal, unless the credential changes`;
	const error = new RequestError(message, `${advice}. ${again}`, { ...details, outcomeUnknown: false });
	refusals.set(key, {
		error: new RequestError(
			message,
			`Nothing was sent: the same ${what} was refused. ${error.advice}`,
			details,
		),
		at: performance.now(),
		clock: clock(),
	});
	return error;
}

/** @throws {RequestError} the refusal, if the same was refused in the last 15 minutes */
export function assertNotRefused(key: string): void {
	const refusal = refusals.get(key);
	if (!refusal) return;
	if (!stands(refusal)) {
		refusals.delete(key);
		return;
	}
	const { message, advice, details } = refusal.error;
	// One of its own for each call: an error is told how often its call was tried.
	throw new RequestError(message, advice, { ...details });
}

/** @returns whether the same was refused in the last 15 minutes */
export function isRefused(key: string): boolean {
	const refusal = refusals.get(key);
	return refusal !== undefined && stands(refusal);
}

function stands(refusal: Refusal): boolean {
	const age = performance.now() - refusal.at;
	// A signature holds the time: whoever has set the clock need not wait.
	return age < REFUSAL_KEPT && Math.abs(clock() - refusal.clock) < CLOCK_TOLERANCE;
}

/** Makes room: the oldest come first. */
function forgetOld() {
	for (const [key, refusal] of refusals) {
		if (stands(refusal) && refusals.size < MAX_REFUSALS) return;
		refusals.delete(key);
	}
}
