import { jsonParse, type JsonObject } from 'n8n-workflow';

import type { Connection } from './connection';
import {
	ended,
	interruption,
	isObject,
	refusal,
	type RefusalContext,
	type RequestError,
	unexpectedAnswer,
} from './errors';
import { type Answer, exchange, ExchangeError } from './exchange';
import { backOff, MAX_WAIT, type Pace, wait } from './pace';
import type { Route } from './route';

/** One request, ready to be sent. */
export interface OutgoingRequest {
	method: 'GET' | 'POST';
	origin: string;
	/** Path and query, from the first slash on. */
	path: string;
	headers: Record<string, string>;
	/** JSON, or nothing. */
	body?: string;
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
	headers: Answer['headers'];
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
	const send = async (connection: Connection) => {
		const answer = await exchange(connection, request, timeout, signal);
		// Who answers something else than JSON may have more to say, which the next request must not get.
		if (!/^\s*\{/.test(answer.text)) connection.discard();
		return readAnswer(answer, context);
	};
	return await route.withConnection(send, signal).catch((error: Error) => {
		throw error instanceof ExchangeError ? interruption(error, route, context.creates) : error;
	});
}

/** @throws {RequestError} if the answer is not a success that holds a JSON object */
export function readAnswer(answer: Answer, context: RefusalContext): ReceivedObject {
	const { status, headers, text } = answer;
	const value = jsonParse<unknown>(text, { fallbackValue: null });
	const object = isObject(value) ? value : undefined;
	if (status >= 300 || object?.is_success === false) throw refusal(answer, object, context);
	if (!object) throw unexpectedAnswer('a JSON object', context.creates);
	return { object, headers };
}

/**
 * Repeats an attempt only where the service cannot have acted on it: the connection was never established, or the
 * gateway answered 429 or 503. undici's retry handler decides before it reads the answer's body, where the
 * gateway says who it is, and knows nothing of the run's other requests; so the loop is ours.
 *
 * @param pace shared by all requests that a throttling service holds back together
 * @throws {RequestError} the last attempt's
 */
export async function repeatSafely<Result>(
	{ maxRetries, signal }: RequestLimits,
	pace: Pace,
	attempt: () => Promise<Result>,
): Promise<Result> {
	for (let attempts = 1; ; attempts++) {
		await pace.ready(signal);
		// Not even a login may leave once the execution was stopped.
		if (signal?.aborted) throw ended('cancelled', false);
		try {
			return await attempt();
		} catch (error) {
			const { repetition } = error as RequestError;
			const delay = repetition?.after ?? backOff(attempts);
			if (!repetition || attempts > maxRetries || delay > MAX_WAIT || signal?.aborted) {
				throw triedTimes(error as RequestError, attempts);
			}
			if (repetition.throttled) pace.slowDown(delay);
			else await wait(delay, signal);
		}
	}
}

function triedTimes(error: RequestError, attempts: number): RequestError {
	error.attempts = attempts;
	return error;
}
