import type { JsonObject } from 'n8n-workflow';

import { type ReceivedObject, unexpectedResponse } from './errors/answer';
import { type Advice, type RequestContext, RequestError } from './errors/errors';
import { cancelled, unusableProxy } from './errors/interruption';
import { type Authenticator, createAuthenticator } from './identity/authenticators';
import type { Credential } from './identity/credential';
import { secretsIn, workspaceHeaders } from './identity/headers';
import { fingerprint } from './identity/refusals';
import { UnusableProxy } from './network/failure';
import type { HttpRequest, HttpResponse, NetworkHelpers, Route, SendLimits } from './network/network';
import { findRoute } from './network/route';
import { Pace } from './pace';
import {
	interrupted,
	mayBeRepeated,
	receive,
	type RequestLimits,
	withLoginRetries,
	withRetries,
} from './repeat';

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
	statedEnd?: undefined;
}

/** A request that creates or changes something. */
interface Writing {
	method: 'POST';
	/** What to say where nobody can tell whether the request acted, as a sentence without its full stop. */
	doubt: string;
	/** Whether the request brings one thing to a stated end, so that sent twice it ends as if it had been sent once. */
	statedEnd?: boolean;
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
 * Creates the client of one credential for all requests of a run. Nothing is sent yet.
 *
 * @throws {InputError} if the environment's proxy cannot be used
 */
export function createClient(credential: Credential, limits: ClientLimits): Client {
	return createClients(limits)(credential);
}

/**
 * Creates what gives the clients of a run, for one credential in several projects and workspaces. Where the service
 * throttles one of them, all are held back; those of one caller share what says who calls, and those of one host the way
 * there, of which the instance's egress policy is asked once.
 *
 * @returns a function that throws an InputError if the environment's proxy cannot be used
 */
export function createClients(limits: ClientLimits): (credential: Credential) => Client {
	const pace = new Pace<RequestError>();
	const authenticators = new Map<string, Authenticator>();
	const routes = new Map<string, Route>();
	return (credential) => {
		const { origin, authentication, allowUnauthorizedCerts } = credential;
		const caller = fingerprint(origin, JSON.stringify(authentication), allowUnauthorizedCerts);
		const authenticator = authenticators.get(caller) ?? authenticatorOf(credential, limits);
		authenticators.set(caller, authenticator);
		const host = `${origin} ${allowUnauthorizedCerts}`;
		const route = routes.get(host) ?? routeTo(origin, allowUnauthorizedCerts, limits.helpers);
		routes.set(host, route);
		return clientOf(credential, limits, authenticator, route, pace);
	};
}

function authenticatorOf(credential: Credential, { helpers }: ClientLimits): Authenticator {
	return createAuthenticator(credential, async (request, context, end) => {
		const iam = routeTo(request.origin, credential.allowUnauthorizedCerts, helpers);
		return await withLoginRetries(
			end,
			async (loginLimits) => await sendRequest(iam, request, loginLimits, context),
		);
	});
}

function clientOf(
	credential: Credential,
	limits: ClientLimits,
	authenticator: Authenticator,
	route: Route,
	pace: Pace<RequestError>,
): Client {
	const { origin, projectId, secrets } = credential;
	const { signal, advice } = limits;
	const turn = {
		ready: async () => {
			await pace.ready(signal);
			if (signal?.aborted) throw cancelled();
		},
		signal,
	};

	return async ({ method, path, body, doubt, statedEnd, missing, maxRetries = limits.maxRetries }) => {
		const headers = workspaceHeaders(credential);
		if (body) headers['Content-Type'] = 'application/json';
		const request = { method, origin, path, body: body && JSON.stringify(body), headers };

		const send = async (allHeaders: Record<string, string>, moreSecrets: readonly string[] = []) => {
			const context: RequestContext = {
				doubt,
				advice: { forbidden: authenticator.forbidden, ...advice },
				secrets: [...secrets, ...secretsIn(allHeaders), ...moreSecrets],
				unauthorized: (responseHeaders: HttpResponse['headers']) =>
					authenticator.unauthorized(responseHeaders),
			};
			return (await sendRequest(route, { ...request, headers: allHeaders }, limits, context, missing)).object;
		};
		return await withRetries(
			{ maxRetries, signal, doubt, repeatable: mayBeRepeated(method, statedEnd) },
			pace,
			async () => await authenticator.authenticate({ ...request, projectId }, turn, send),
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
