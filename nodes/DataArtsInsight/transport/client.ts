import type { JsonObject } from 'n8n-workflow';

import { type ReceivedObject, unexpectedResponse } from './errors/answer';
import { type Advice, type RequestContext, RequestError } from './errors/errors';
import { cancelled, unusableProxy } from './errors/interruption';
import { createAuthenticator } from './identity/authenticators';
import type { Credential } from './identity/credential';
import { UnusableProxy } from './network/failure';
import type { HttpRequest, HttpResponse, NetworkHelpers, Route, SendLimits } from './network/network';
import { findRoute } from './network/route';
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
	/** What n8n offers for requests where this client is used. */
	helpers: NetworkHelpers;
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
	const { signal, helpers, advice } = limits;
	const route = routeTo(origin, allowUnauthorizedCerts, helpers);
	const authenticator = createAuthenticator(credential, async (request, context, end) => {
		const iam = routeTo(request.origin, allowUnauthorizedCerts, helpers);
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
function routeTo(origin: string, allowUnauthorizedCerts: boolean, helpers: NetworkHelpers): Route {
	try {
		return findRoute(origin, allowUnauthorizedCerts, helpers);
	} catch (error) {
		throw error instanceof UnusableProxy ? unusableProxy(error.problem) : error;
	}
}

/**
 * Sends a request once.
 *
 * @throws {InputError} if the environment's proxy cannot be used
 * @throws {RequestError} if the service refused, could not be reached, or answered with anything but what was asked for
 */
export async function sendRequest(
	route: Route,
	request: HttpRequest,
	limits: SendLimits,
	context: RequestContext,
	missing?: Missing,
): Promise<ReceivedObject> {
	const read = (response: HttpResponse, closeConnection: () => void) => {
		try {
			return receive(response, context, missing);
		} catch (error) {
			const unreadable = unexpectedResponse('anything that could be read', response.status, context.doubt);
			const known = error instanceof RequestError ? error : unreadable;
			// Who sends no JSON may have more to say, and a response to another request may be followed by one more. The next
			// request must get neither.
			const isOther = known.details.code === 'UNEXPECTED_ANSWER' || !/^\s*\{/.test(response.text);
			if (isOther) closeConnection();
			throw known;
		}
	};
	try {
		return await route.send(request, limits, read);
	} catch (error) {
		throw error instanceof RequestError ? error : interrupted(error, route, context);
	}
}

/** What the headers of a request hold in addition to the secrets of the credential: a token from IAM, or a signature. */
function secretsIn({
	'X-Auth-Token': token,
	Authorization: authorization,
}: Record<string, string>): string[] {
	const signature = authorization?.split('Signature=')[1];
	return [token, signature].filter((secret) => secret !== undefined);
}
