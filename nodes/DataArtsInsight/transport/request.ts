import { jsonParse, type JsonObject, type NodeEgressFilter } from 'n8n-workflow';

import { interruption, isObject, refusal, RequestError, unexpectedAnswer } from './errors';
import { type Answer, exchange, type ExchangeError } from './exchange';
import { backOff, MAX_WAIT, Pace, wait } from './pace';
import { findRoute, type Route } from './route';
import type { Session } from './session';

/** One call of the service. */
export interface ServiceRequest {
	method: 'GET' | 'POST';
	/** Path and query, from the first slash on. */
	path: string;
	/** Sent as JSON. */
	body?: object;
}

/** How the calls of a run are made. */
export interface RunLimits {
	/** Milliseconds that one attempt may take, from the first byte sent to the last byte read. */
	timeout: number;
	/** How often a call is repeated that the service cannot have acted on. */
	maxRetries: number;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
	/** The instance's egress policy, where the version of n8n has one. */
	egress?: NodeEgressFilter;
}

/** Calls the service and reads its JSON object. */
export type CallService = (request: ServiceRequest) => Promise<JsonObject>;

/**
 * Gets ready to call the service for all items of a run.
 *
 * A call is repeated only where the service cannot have acted on it: the connection was never established,
 * or the gateway answered 429 or 503. undici's retry handler decides before it reads the answer's body,
 * where the gateway says who it is, and knows nothing of the run's other calls; so the loop is ours.
 *
 * @returns a function that throws a RequestError if the service refused, could not be reached, or answered
 * something else
 * @throws {RequestError} if the instance's egress policy does not allow the host
 */
export async function connect(session: Session, limits: RunLimits): Promise<CallService> {
	const { maxRetries, signal } = limits;
	const route = await findRoute(session.origin, session.allowUnauthorizedCerts, limits.egress);
	const pace = new Pace();

	return async (request) => {
		for (let attempt = 1; ; attempt++) {
			await pace.ready(signal);
			try {
				return await callOnce(session, route, request, limits);
			} catch (error) {
				const { repetition } = error as RequestError;
				const delay = repetition?.after ?? backOff(attempt);
				if (!repetition || attempt > maxRetries || delay > MAX_WAIT || signal?.aborted) {
					throw afterAttempts(error as RequestError, attempt);
				}
				if (repetition.throttled) pace.slowDown(delay);
				else await wait(delay, signal);
			}
		}
	};
}

function afterAttempts(error: RequestError, attempts: number): RequestError {
	error.attempts = attempts;
	return error;
}

async function callOnce(
	{ origin, headers, secrets }: Session,
	route: Route,
	{ method, path, body }: ServiceRequest,
	{ timeout, signal }: RunLimits,
): Promise<JsonObject> {
	const creates = method === 'POST';
	const options = {
		origin,
		path,
		method,
		headers: body ? { ...headers, 'Content-Type': 'application/json' } : headers,
		body: body && JSON.stringify(body),
	};
	let answer: Answer;
	try {
		answer = await route.withDispatcher(
			async (dispatcher) => await exchange(dispatcher, options, timeout, signal),
		);
	} catch (error) {
		throw interruption(error as ExchangeError, route, creates);
	}

	const object = parseObject(answer.text);
	if (answer.status >= 300 || object?.is_success === false) {
		throw refusal(answer, object, creates, secrets);
	}
	if (!object) throw unexpectedAnswer('a JSON object', creates);
	return object;
}

function parseObject(text: string): JsonObject | undefined {
	const value = jsonParse<unknown>(text, { fallbackValue: null });
	return isObject(value) ? value : undefined;
}
