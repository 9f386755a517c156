import type { JsonObject, NodeEgressFilter } from 'n8n-workflow';

import { createAuthenticator } from './identity/authenticators';
import { ended } from './errors/errors';
import type { HttpResponse } from './network/exchange';
import { Pace } from './pace';
import { withRetries, type RequestLimits, sendRequest } from './repeat';
import { findRoute } from './network/route';
import type { Credential } from './identity/credential';

/** One call of DataArts Insight. */
export interface ClientRequest {
	method: 'GET' | 'POST';
	/** Path and query, from the first slash on. */
	path: string;
	/** Sent as JSON. */
	body?: object;
	/** Whether an answer can be that to this call; all can when left out. */
	isAnswer?: (object: JsonObject) => boolean;
	/** How often it may be repeated, where that is not the same for all calls of the run. */
	maxRetries?: number;
}

/** How the calls of a run are made. */
export interface ClientLimits extends RequestLimits {
	/** The instance's egress policy, where the version of n8n has one. */
	egress?: NodeEgressFilter;
}

/** Calls the service and reads its JSON object. */
export type Client = (call: ClientRequest) => Promise<JsonObject>;

/**
 * Gets ready to call DataArts Insight for all items of a run. Nothing is sent yet.
 *
 * @returns a function that throws a RequestError if the service refused, could not be reached, or answered
 * something else, or if the instance's egress policy does not allow the host
 * @throws {InputError} if the environment's proxy cannot be used
 */
export async function createClient(session: Credential, limits: ClientLimits): Promise<Client> {
	const { origin, allowUnauthorizedCerts, secrets } = session;
	const route = await findRoute(origin, allowUnauthorizedCerts, limits.egress);
	const authenticator = createAuthenticator(session, limits.egress);
	const pace = new Pace();
	const { signal } = limits;
	const turn = {
		ready: async () => {
			await pace.ready(signal);
			if (signal?.aborted) throw ended('cancelled', false);
		},
		signal,
	};

	return async ({ method, path, body, isAnswer, maxRetries = limits.maxRetries }) => {
		const contentType: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
		const request = { method, origin, path, body: body && JSON.stringify(body), headers: contentType };

		const send = async (headers: Record<string, string>) => {
			const context = {
				creates: method === 'POST',
				secrets: [...secrets, ...secretsIn(headers)],
				unauthorized: (answer: HttpResponse['headers']) => authenticator.unauthorized(answer),
			};
			return (await sendRequest(route, { ...request, headers, isAnswer }, limits, context)).object;
		};
		return await withRetries(
			{ ...limits, maxRetries },
			pace,
			async () => await authenticator.attempt(request, turn, send),
		);
	};
}

/** What the headers of a request hold beside the secrets of the session: a token from IAM, or a signature. */
function secretsIn({
	'X-Auth-Token': token,
	Authorization: authorization,
}: Record<string, string>): string[] {
	const signature = authorization?.split('Signature=')[1];
	return [token, signature].filter((secret) => secret !== undefined);
}
