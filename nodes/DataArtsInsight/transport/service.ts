import type { JsonObject, NodeEgressFilter } from 'n8n-workflow';

import { createAuthenticator } from './authenticators';
import { RequestError } from './errors';
import { Pace } from './pace';
import { repeatSafely, type RequestLimits, sendRequest } from './request';
import { findRoute } from './route';
import type { Session } from './session';

/** One call of DataArts Insight. */
export interface ServiceCall {
	method: 'GET' | 'POST';
	/** Path and query, from the first slash on. */
	path: string;
	/** Sent as JSON. */
	body?: object;
}

/** How the calls of a run are made. */
export interface RunLimits extends RequestLimits {
	/** The instance's egress policy, where the version of n8n has one. */
	egress?: NodeEgressFilter;
}

/** Calls the service and reads its JSON object. */
export type CallService = (call: ServiceCall) => Promise<JsonObject>;

/**
 * Gets ready to call DataArts Insight for all items of a run. Nothing is sent yet.
 *
 * @returns a function that throws a RequestError if the service refused, could not be reached, or answered
 * something else
 * @throws {RequestError} if the instance's egress policy does not allow the host
 */
export async function connect(session: Session, limits: RunLimits): Promise<CallService> {
	const { origin, allowUnauthorizedCerts, secrets } = session;
	const route = await findRoute(origin, allowUnauthorizedCerts, limits.egress);
	const authenticator = createAuthenticator(session, limits);
	const pace = new Pace();

	async function attempt(call: ServiceCall, mayRenew = true): Promise<JsonObject> {
		const { method, path } = call;
		const body = call.body && JSON.stringify(call.body);
		const contentType: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
		const plain = { method, origin, path, body, headers: contentType };
		const request = { ...plain, headers: await authenticator.headers(plain) };
		const { unauthorized } = authenticator;
		const outcome = await sendRequest(route, request, limits, {
			creates: method === 'POST',
			secrets: [...secrets, ...secretsIn(request.headers)],
			unauthorized,
		}).catch((error: RequestError) => error);

		if (outcome instanceof RequestError) {
			const renewed = authenticator.settle(request.headers, outcome);
			if (renewed && mayRenew) return await attempt(call, false);
			throw outcome;
		}
		authenticator.settle(request.headers);
		return outcome.object;
	}

	return async (call) => await repeatSafely(limits, pace, async () => await attempt(call));
}

/** What the headers of a request hold beside the secrets of the session: a token from IAM, or a signature. */
function secretsIn({
	'X-Auth-Token': token,
	Authorization: authorization,
}: Record<string, string>): string[] {
	const signature = authorization?.split('Signature=')[1];
	return [token, signature].flatMap((secret) => secret ?? []);
}
