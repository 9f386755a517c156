import type { JsonObject } from 'n8n-workflow';

import type { Connection } from './network/connection';
import {
	ended,
	interruption,
	isObject,
	refusal,
	type RefusalContext,
	RequestError,
	unexpectedAnswer,
} from './errors/errors';
import { type HttpResponse, exchange, ExchangeError } from './network/exchange';
import { cleanObject, readJson } from './errors/json';
import { backOff, MAX_WAIT, type Pace, wait } from './pace';
import type { Route } from './network/route';
import { SecretMask } from './errors/secrets';

/** One request, ready to be sent. */
export interface OutgoingRequest {
	method: 'GET' | 'POST';
	origin: string;
	/** Path and query, from the first slash on. */
	path: string;
	headers: Record<string, string>;
	/** JSON, or nothing. */
	body?: string;
	/** Whether an answer can be that to this request; all can when left out. */
	isAnswer?: (object: JsonObject) => boolean;
}

/** How the requests of a run are made. */
export interface RequestLimits {
	/** Milliseconds that one attempt may take, from the first byte sent to the last byte read. */
	timeout: number;
	/** How often a request is repeated that the service cannot have acted on. */
	maxRetries: number;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
}

/** An answer with a success status. */
export interface ReceivedObject {
	object: JsonObject;
	headers: HttpResponse['headers'];
}

/**
 * Sends a request once.
 *
 * @throws {RequestError} if the service refused, could not be reached, or answered with anything but a JSON object
 */
export async function sendRequest(
	route: Route,
	request: OutgoingRequest,
	{ timeout, signal }: RequestLimits,
	context: RefusalContext,
): Promise<ReceivedObject> {
	let handedOver = false;
	const send = async (connection: Connection) => {
		handedOver = true;
		const answer = await exchange(connection, request, timeout, signal);
		// Who answers something else than JSON may have more to say, which the next request must not get.
		if (!/^\s*\{/.test(answer.text)) connection.discard();
		try {
			const received = readAnswer(answer, context);
			if (request.isAnswer?.(received.object) !== false) return received;
			// It was sent to somebody else, and what comes next on this connection may be as well.
			connection.discard();
			throw unexpectedAnswer('what was asked for', context.creates, answer.status);
		} catch (error) {
			throw error instanceof RequestError
				? error
				: unexpectedAnswer('anything that could be read', context.creates, answer.status);
		}
	};
	try {
		return await route.withConnection(send, signal);
	} catch (error) {
		// What nobody foresaw tells nothing of the request, so once that was handed over it may have left.
		const reason = error instanceof ExchangeError ? error : new ExchangeError(error as Error, handedOver);
		throw error instanceof RequestError ? error : interruption(reason, route, context.creates);
	}
}

/** @throws {RequestError} if the answer is not a success that holds a JSON object */
export function readAnswer(answer: HttpResponse, context: RefusalContext): ReceivedObject {
	const { status, headers, text } = answer;
	const value = readJson(text);
	const object = isObject(value) ? value : undefined;
	if (status >= 300 || object?.is_success === false) throw refusal(answer, object, context);
	if (!object || status < 200) throw unexpectedAnswer('a JSON object', context.creates, status);
	const mask = new SecretMask(context.secrets);
	const suspected = mask.suspects(text) || text.includes('__proto__');
	return { object: suspected ? cleanObject(object, mask) : object, headers };
}

/**
 * Repeats an attempt only where the service cannot have acted on it: the connection was never established, or the
 * gateway answered 429 or 503. undici's retry handler decides before it reads the answer's body, where the
 * gateway says who it is, and knows nothing of the run's other requests; so the loop is ours.
 *
 * @param pace shared by all requests that a throttling service holds back together
 * @throws {RequestError} the last attempt's
 */
export async function withRetries<Result>(
	{ maxRetries, signal }: RequestLimits,
	pace: Pace,
	attempt: () => Promise<Result>,
): Promise<Result> {
	for (let attempts = 1; ; attempts++) {
		await pace.ready(signal);
		// Not even a login may leave once the execution was stopped.
		if (signal?.aborted) throw ended('cancelled', false);
		const closed = pace.closed();
		if (closed) throw closed;
		try {
			const result = await attempt();
			pace.speedUp();
			return result;
		} catch (error) {
			const { retry: repetition } = error as RequestError;
			const delay = Math.max(repetition?.after ?? 0, backOff(attempts));
			if (repetition?.throttled) pace.slowDown(delay, error as RequestError);
			// Whoever refuses a call has taken it.
			else if (isRefused(error)) pace.speedUp();
			if (!repetition || attempts > maxRetries || delay > MAX_WAIT || signal?.aborted) {
				throw triedTimes(error as RequestError, attempts);
			}
			if (!repetition.throttled) await wait(delay, signal);
		}
	}
}

function isRefused(error: unknown): boolean {
	return error instanceof RequestError && (error.details.httpStatus ?? 500) < 500;
}

function triedTimes(error: RequestError, attempts: number): RequestError {
	error.attempts = attempts;
	return error;
}
