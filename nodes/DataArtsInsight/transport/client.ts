import type { JsonObject, NodeEgressFilter } from 'n8n-workflow';

import { type ReceivedObject, unexpectedResponse } from './errors/answer';
import { type Advice, type RequestContext, RequestError } from './errors/errors';
import { cancelled, unusableProxy } from './errors/interruption';
import { createAuthenticator } from './identity/authenticators';
import type { Credential } from './identity/credential';
import type { Connection } from './network/connection';
import { ExchangeError, type Interruption } from './network/deadline';
import { exchange, type HttpRequest, type HttpResponse } from './network/exchange';
import { UnusableProxy } from './network/proxy';
import { findRoute, type Route } from './network/route';
import { Pace } from './pace';
import { interrupted, receive, type RequestLimits, withLoginRetries, withRetries } from './repeat';

/** One request to Huawei Cloud, without what says who calls. */
export type ClientRequest = (Reading | Writing) & {
	/** Path and query, from the first slash on. */
	path: string;
	/** Sent as JSON. */
	body?: object;
	/** Tells what an object lacks to be what was asked for; nothing if it lacks nothing. */
	missing?: Missing;
	/** How often it may be sent again, where that is not the same for all requests of the client. */
	maxRetries?: number;
};

interface Reading {
	method: 'GET';
	doubt?: undefined;
}

/** A request that creates or changes something. */
interface Writing {
	method: 'POST';
	/** What to say where nobody can tell whether the request acted, as a sentence without its full stop. */
	doubt: string;
}

type Missing = (object: JsonObject) => string | undefined;

/** How the requests of a client are sent. */
export interface ClientLimits extends RequestLimits {
	/** The instance's egress policy, where the version of n8n has one. */
	egress?: NodeEgressFilter;
	/** What the user can do about a failed request. */
	advice?: Advice;
}

/**
 * Sends a request and reads the JSON object of its response.
 *
 * @throws {RequestError} if the service refused, could not be reached, or answered something else, or if the instance's
 * egress policy does not allow the host
 */
export type Client = (request: ClientRequest) => Promise<JsonObject>;

/**
 * Creates a client for all requests of a run. Nothing is sent yet.
 *
 * @throws {InputError} if the environment's proxy cannot be used
 */
export function createClient(credential: Credential, limits: ClientLimits): Client {
	const { origin, allowUnauthorizedCerts, secrets } = credential;
	const { signal, egress, advice } = limits;
	const route = routeTo(origin, allowUnauthorizedCerts, egress);
	const authenticator = createAuthenticator(credential, async (request, context, end) => {
		const iam = routeTo(request.origin, allowUnauthorizedCerts, egress);
		return await withLoginRetries(
			end,
			async (loginLimits) => await sendRequest(iam, request, loginLimits, context),
		);
	});
	const pace = new Pace<RequestError>();
	const turn = {
		ready: async () => {
			await pace.ready(signal);
			if (signal?.aborted) throw cancelled();
		},
		signal,
	};

	return async ({ method, path, body, doubt, missing, maxRetries = limits.maxRetries }) => {
		const contentType: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
		const request = { method, origin, path, body: body && JSON.stringify(body), headers: contentType };

		const send = async (headers: Record<string, string>) => {
			const context: RequestContext = {
				doubt,
				advice,
				secrets: [...secrets, ...secretsIn(headers)],
				unauthorized: (responseHeaders: HttpResponse['headers']) =>
					authenticator.unauthorized(responseHeaders),
			};
			return (await sendRequest(route, { ...request, headers }, limits, context, missing)).object;
		};
		return await withRetries(
			{ maxRetries, signal },
			pace,
			async () => await authenticator.authenticate(request, turn, send),
		);
	};
}

/** @throws {InputError} if the environment's proxy cannot be used */
function routeTo(origin: string, allowUnauthorizedCerts: boolean, egress?: NodeEgressFilter): Route {
	try {
		return findRoute(origin, allowUnauthorizedCerts, egress);
	} catch (error) {
		throw error instanceof UnusableProxy ? unusableProxy(error.problem) : error;
	}
}

/**
 * Sends a request once.
 *
 * @throws {RequestError} if the service refused, could not be reached, or answered with anything but what was asked for
 */
export async function sendRequest(
	route: Route,
	request: HttpRequest,
	{ timeout, signal }: Omit<RequestLimits, 'maxRetries'>,
	context: RequestContext,
	missing?: Missing,
): Promise<ReceivedObject> {
	let handedOver = false;
	const send = async (connection: Connection) => {
		handedOver = true;
		const response = await exchange(connection, request, timeout, signal);
		try {
			return receive(response, context, missing);
		} catch (error) {
			const unreadable = unexpectedResponse('anything that could be read', response.status, context.doubt);
			const known = error instanceof RequestError ? error : unreadable;
			// Who sends no JSON may have more to say, and a response to another request may be followed by one more. The next
			// request must get neither.
			const isOther = known.details.code === 'UNEXPECTED_ANSWER' || !/^\s*\{/.test(response.text);
			if (isOther) connection.discard();
			throw known;
		}
	};
	try {
		return await route.withConnection(send, signal);
	} catch (error) {
		throw error instanceof RequestError
			? error
			: interrupted(toInterruption(error, handedOver), route, context);
	}
}

/** An error that nobody foresaw tells nothing of the request, so once that was handed over it may have been sent. */
function toInterruption(error: unknown, handedOver: boolean): Interruption {
	if (error instanceof ExchangeError) return error;
	return { cause: error instanceof Error ? error : new Error(String(error)), sent: handedOver };
}

/** What the headers of a request hold in addition to the secrets of the credential: a token from IAM, or a signature. */
function secretsIn({
	'X-Auth-Token': token,
	Authorization: authorization,
}: Record<string, string>): string[] {
	const signature = authorization?.split('Signature=')[1];
	return [token, signature].filter((secret) => secret !== undefined);
}
