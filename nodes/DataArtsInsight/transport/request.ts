import { jsonParse, type JsonObject } from 'n8n-workflow';

import { withDispatcher } from './dispatcher';
import { interruption, isObject, refusal, unexpectedAnswer } from './errors';
import { type Answer, exchange, type ExchangeError } from './exchange';
import type { Session } from './session';

/** One call of the service. */
export interface ServiceRequest {
	method: 'GET' | 'POST';
	/** Path and query, from the first slash on. */
	path: string;
	/** Sent as JSON. */
	body?: object;
}

/** How a call is made, from the node's options. */
export interface RequestLimits {
	/** Milliseconds from the first byte sent to the last byte read. */
	timeout: number;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
}

/**
 * Calls the service once and reads its JSON object.
 *
 * @throws {RequestError} if the service refused, could not be reached, or answered something else
 */
export async function callService(
	session: Session,
	request: ServiceRequest,
	{ timeout, signal }: RequestLimits,
): Promise<JsonObject> {
	const { origin, headers, secrets, allowUnauthorizedCerts } = session;
	const creates = request.method === 'POST';
	const options = {
		origin,
		path: request.path,
		method: request.method,
		headers: request.body ? { ...headers, 'Content-Type': 'application/json' } : headers,
		body: request.body && JSON.stringify(request.body),
	};
	let answer: Answer;
	try {
		answer = await withDispatcher(
			allowUnauthorizedCerts,
			async (dispatcher) => await exchange(dispatcher, options, timeout, signal),
		);
	} catch (error) {
		throw interruption(error as ExchangeError, new URL(origin).host, creates);
	}

	const body = parseObject(answer.text);
	if (answer.status >= 300 || body?.is_success === false) throw refusal(answer, body, creates, secrets);
	if (!body) throw unexpectedAnswer('a JSON object', creates);
	return body;
}

function parseObject(text: string): JsonObject | undefined {
	const value = jsonParse<unknown>(text, { fallbackValue: null });
	return isObject(value) ? value : undefined;
}
