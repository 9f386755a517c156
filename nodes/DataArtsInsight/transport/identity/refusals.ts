import { createHash } from 'node:crypto';

import { RequestError } from '../errors/errors';

/** For how many milliseconds a refusal stands: so long IAM counts refused logins, and five of them lock an account. */
export const REFUSAL_KEPT = 15 * 60_000;

/** How many refusals of one kind are kept; beyond that the oldest goes. */
const MAX_REFUSALS = 1_000;

/** A clock that was set by more milliseconds than this may have been the reason for a refusal. */
const CLOCK_TOLERANCE = 60_000;

interface Refusal {
	/** What kind of caller was refused. */
	what: string;
	error: RequestError;
	/** When it came, on the clock of `performance.now()`. */
	at: number;
	/** How far the machine's clock was ahead of that one. */
	clock: number;
}

/** What was refused lately, in this process, by its fingerprint. Neither keys nor values hold a secret. */
const refusals = new Map<string, Refusal>();

const clock = () => Date.now() - performance.now();

/** What the response to a request tells of who sent it. */
export type CallerVerdict = 'accepted' | 'refused' | 'nothing';

/**
 * Whether the service knows who called. Any response of the service itself but a 401 means that it does. A proxy, a
 * gateway that is too busy or has no such API, and a page that is no JSON say nothing.
 *
 * @param error what the request failed with
 */
export function callerVerdict(error: unknown): CallerVerdict {
	if (!(error instanceof RequestError)) return 'nothing';
	const { code, httpStatus = 0 } = error.details;
	if (httpStatus === 401) return 'refused';
	if (code === 'UNEXPECTED_ANSWER' || /^APIGW?\.01/.test(code)) return 'nothing';
	if (httpStatus >= 200 && httpStatus < 300) return 'accepted';
	return httpStatus >= 400 && httpStatus < 500 && ![407, 408, 429].includes(httpStatus)
		? 'accepted'
		: 'nothing';
}

/** @returns whether the service did not accept who called */
export function isUnauthorized(error: unknown): error is RequestError {
	return callerVerdict(error) === 'refused';
}

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
	forgetOld(what);
	refusals.delete(key);
	const again = `The same ${what} is not tried again for 15 minutes after a refusal, unless the credential changes`;
	const error = new RequestError(message, `${advice}. ${again}`, { ...details, outcomeUnknown: false });
	refusals.set(key, {
		what,
		error: new RequestError(
			message,
			`Nothing was sent: the same ${what} was refused. ${error.advice}`,
			error.details,
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
	throw refusal.error;
}

/** @returns whether IAM has refused a login itself */
export function isLoginRefused({ details: { httpStatus } }: RequestError): boolean {
	return httpStatus === 401 || httpStatus === 403;
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

/** Makes room for another of the same kind, so that a thousand refused agencies hide no refused access key. */
function forgetOld(what: string) {
	for (const [key, refusal] of refusals) if (!stands(refusal)) refusals.delete(key);
	const same = [...refusals].filter(([, refusal]) => refusal.what === what);
	const [oldest] = same.length >= MAX_REFUSALS ? same : [];
	if (oldest) refusals.delete(oldest[0]);
}
