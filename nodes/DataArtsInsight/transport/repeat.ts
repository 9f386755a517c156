import { cancelled, interruptionError, notSent, type Target, unusableProxy } from './errors/interruption';
import {
	isObject,
	readRefusal,
	type ReceivedObject,
	type Refusal,
	refusalError,
	unexpectedResponse,
	type Verdict,
} from './errors/answer';
import { type InputError, type RequestContext, RequestError } from './errors/errors';
import { cleanObject, readJson } from './errors/json';
import { SecretMask } from './errors/secrets';
import { retryAfter } from './errors/serviceText';
import { ExchangeError, type Interruption, UnusableProxy } from './network/failure';
import type { HttpResponse } from './network/network';
import { backOff, MAX_WAIT, Pace, wait } from './pace';

/*
 * Whether a request may have acted, whether it may be sent again, and how long to wait. Nobody else decides that.
 * docs/decisions/never-sent-again.md has the same table with the reasons: a change here is a change there.
 *
 * | what came of the request                          | may have acted | sent again                       |
 * | ------------------------------------------------- | -------------- | -------------------------------- |
 * | no connection                                     | no             | yes, unless trying cannot help   |
 * | ended from this side before it was sent           | no             | no                               |
 * | sent, and no whole response                       | yes            | no                               |
 * | 429; 503 from the gateway (a code of APIG);       | no             | yes, when the service says so    |
 * | EndPoint.0022, which is a 400                     |                |                                  |
 * | 4xx; a redirect but 303; `is_success` is false    | no             | no                               |
 * | 303; any other 3xx; 5xx                           | yes            | no                               |
 * | success without what was asked for                | yes            | no                               |
 *
 * A request whose repeat does no harm is sent again after a lost response and a 5xx as well: see `mayBeRepeated`.
 *
 * Sources: Huawei Cloud, API Gateway, "Error Codes"; VPC Endpoint API Reference, "Error Codes".
 */

/** How requests are sent. */
export interface RequestLimits {
	/** Milliseconds that one attempt may take, from the first byte sent to the last byte read. */
	timeout: number;
	/** How often a request is sent again that the service cannot have acted on. */
	maxRetries: number;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
}

/** What else decides whether a request is sent again. */
interface Repetition extends Omit<RequestLimits, 'timeout'> {
	/** Whether a repeat does no harm, even where the request has acted: see {@link mayBeRepeated}. */
	repeatable?: boolean;
	/** What to say where nobody can tell whether the request acted, if it changes something. */
	doubt?: string;
}

/**
 * Whether a request may be sent again that may have acted. What only reads may. So may a request that brings one thing to
 * a stated end: the owner's answer to a VPC endpoint names the endpoint, which exists already, and the state that it is to
 * get, so the second request creates nothing and finds what the first has done. Huawei Cloud charges for the endpoint in
 * either state.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Accepting or Rejecting a VPC Endpoint".
 */
export function mayBeRepeated(method: 'GET' | 'POST', statedEnd = false): boolean {
	return method === 'GET' || statedEnd;
}

/** A login is shared by runs, so it has limits of its own. */
export const LOGIN_LIMITS: RequestLimits = { timeout: 30_000, maxRetries: 2 };

function verdictOnRefusal({ status, headers, code, redirectTo }: Refusal): Verdict {
	// By 303 a server says that it has acted and where the result is.
	if (redirectTo) return { mayHaveActed: status === 303 };
	if (status < 300) return { mayHaveActed: false };
	// Whoever answered so, such as a cache, did not say whether it passed the request on.
	if (status < 400) return { mayHaveActed: true };
	// With 503 the gateway says that it did not pass the request on.
	const isThrottled = status === 429 || code === 'EndPoint.0022';
	if (isThrottled || (status === 503 && /^APIG(W)?\./.test(code))) {
		return { mayHaveActed: false, retry: { throttled: true, after: retryAfter(headers) } };
	}
	return { mayHaveActed: status >= 500 };
}

function verdictOnInterruption({ cause, sent, stopped, untrusted }: Interruption): Verdict {
	if (sent || stopped) return { mayHaveActed: sent };
	const isLasting =
		cause.code === 'EGRESS_BLOCKED' ||
		(cause.code === 'PROXY_REFUSED' && !cause.reached) ||
		untrusted === true;
	return { mayHaveActed: false, retry: isLasting ? undefined : { throttled: false } };
}

/**
 * Reads a response.
 *
 * @param missing tells what an object lacks to be what was asked for; nothing if it lacks nothing
 * @throws {RequestError} if the response is not a success that holds what was asked for
 */
export function receive(
	response: HttpResponse,
	context: RequestContext,
	missing?: (object: ReceivedObject['object']) => string | undefined,
): ReceivedObject {
	const { status, headers, text } = response;
	const value = readJson(text);
	const body = isObject(value) ? value : undefined;
	if (status >= 300 || body?.is_success === false) {
		const refusal = readRefusal(response, body, context.secrets);
		throw refusalError(refusal, verdictOnRefusal(refusal), context);
	}
	if (!body || status < 200) throw unexpectedResponse('a JSON object', status, context.doubt);
	const lack = missing?.(body);
	if (lack) throw unexpectedResponse(lack, status, context.doubt);
	const mask = new SecretMask(context.secrets);
	const suspected = mask.suspects(text) || text.includes('__proto__');
	return { object: suspected ? cleanObject(body, mask) : body, headers };
}

/**
 * The error for a request that brought no whole response.
 *
 * @param error the network's. One that nobody foresaw tells nothing of the request, so the request may have been sent
 * @returns an InputError if the environment's proxy cannot be used
 */
export function interrupted(
	error: unknown,
	target: Target,
	context: Pick<RequestContext, 'doubt' | 'advice'>,
): InputError | RequestError {
	if (error instanceof UnusableProxy) return unusableProxy(error.problem);
	const interruption = error instanceof ExchangeError ? error : { cause: new Error('Unknown'), sent: true };
	return interruptionError(interruption, target, verdictOnInterruption(interruption), context);
}

/**
 * Sends a request, and sends it again only where the service cannot have acted on it. undici's retry handler decides
 * before it reads the response's body, where the gateway says who it is, and knows nothing of the run's other requests.
 *
 * Where an earlier attempt may have acted, a refusal of the last one does not say that none has.
 *
 * @param pace shared by all requests that a throttling service holds back together
 * @param attempt sends the request once
 * @throws {RequestError} the last attempt's
 * @throws whatever else an attempt throws
 */
export async function withRetries<Result>(
	{ maxRetries, signal, repeatable = false, doubt }: Repetition,
	pace: Pace<RequestError>,
	attempt: () => Promise<Result>,
): Promise<Result> {
	let earlierDoubt: string | undefined;
	for (let attempts = 1; ; attempts++) {
		await pace.ready(signal);
		// Once the execution was stopped not even a login may be sent.
		if (signal?.aborted) throw cancelled();
		const closure = pace.closed();
		if (closure) throw notSent(closure.cause, closure.reason);
		try {
			const result = await attempt();
			pace.speedUp();
			return result;
		} catch (error) {
			const failure = error instanceof RequestError ? failureOf(error, attempts, repeatable) : undefined;
			const delay = failure && delayBeforeRetry(failure, attempts, pace);
			const isLast = attempts > maxRetries || signal?.aborted;
			if (delay === undefined || isLast) throw failure ? withDoubt(failure, earlierDoubt) : error;
			if (failure?.details.outcomeUnknown) earlierDoubt = doubt;
			if (!failure?.retry?.throttled) await wait(delay, signal);
		}
	}
}

function failureOf(error: RequestError, attempts: number, repeatable: boolean): RequestError {
	const mayHelp = repeatable && isWorthRepeating(error);
	return error.with({ attempts, retry: error.retry ?? (mayHelp ? { throttled: false } : undefined) });
}

/** @param doubt given if an earlier attempt may have acted */
function withDoubt(failure: RequestError, doubt?: string): RequestError {
	const { details } = failure;
	if (details.outcomeUnknown || doubt === undefined) return failure;
	return failure.with({ details: { ...details, outcomeUnknown: true }, notes: [doubt] });
}

/**
 * Tells the run's pace how the service took a request.
 *
 * @returns milliseconds to wait before it is sent again; nothing if it is not
 */
function delayBeforeRetry(
	failure: RequestError,
	attempts: number,
	pace: Pace<RequestError>,
): number | undefined {
	const { retry, details } = failure;
	const delay = Math.max(retry?.after ?? 0, backOff(attempts));
	if (retry?.throttled) pace.slowDown(delay, failure);
	// Whoever refuses a request has taken it.
	else if ((details.httpStatus ?? 500) < 500) pace.speedUp();
	return retry && delay <= MAX_WAIT ? delay : undefined;
}

/**
 * A lost response or a failure of the service may not happen again. Who took longer than the timeout will mostly do so
 * again.
 */
function isWorthRepeating({ details: { code, httpStatus = 0 } }: RequestError): boolean {
	return code === 'CONNECTION_LOST' || httpStatus >= 500;
}

/**
 * Sends a login. It creates nothing, so its repeat does no harm.
 *
 * @param attempt sends it once
 * @throws {RequestError} the last attempt's
 */
export async function withLoginRetries<Result>(
	signal: AbortSignal,
	attempt: (limits: RequestLimits) => Promise<Result>,
): Promise<Result> {
	const limits = { ...LOGIN_LIMITS, signal };
	return await withRetries({ ...limits, repeatable: true }, new Pace(), async () => await attempt(limits));
}
