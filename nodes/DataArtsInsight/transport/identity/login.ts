import { type ReceivedObject, unexpectedResponse } from '../errors/answer';
import { type RequestContext, RequestError } from '../errors/errors';
import type { HttpRequest } from '../network/network';
import { type Authentication, siteOf } from './credential';
import { assertNotRefused, fingerprint, isLoginRefused, rememberRefusal } from './refusals';
import { getToken, type Token } from './tokens';

/** How an IAM user logs in, and where. */
export type LoginAuthentication = Extract<Authentication, { mode: 'password' }>;

/**
 * Carries a login to IAM and sends it again where that is worth it.
 *
 * @param signal aborted when nobody waits for the login any more
 * @throws {RequestError} if IAM could not be reached, refused, or answered something else
 */
export type SendLogin = (
	request: HttpRequest,
	context: RequestContext,
	signal: AbortSignal,
) => Promise<ReceivedObject>;

const CHECK_LOGIN =
	"Check 'Account Name', 'IAM User Name' and 'Password' in the credential. It has to be an IAM user; five refusals lock the account";

/**
 * Tells logins apart without giving them away: a token that was fetched with other values than those at hand
 * must not be used.
 */
export function loginKey({ iamOrigin, login, allowUnauthorizedCerts }: LoginAuthentication): string {
	const { domainName, username, password, projectId } = login;
	return fingerprint(iamOrigin, domainName, username, password, projectId, allowUnauthorizedCerts);
}

/**
 * The token of an IAM user for one project: the one at hand, or a new one from IAM.
 *
 * Source: Huawei Cloud, IAM API Reference, "Obtaining a User Token Through Password Authentication".
 *
 * @param send carries the login, for all who wait for it
 * @param signal aborted when the execution that asks is stopped; the login goes on as long as somebody waits for it
 * @throws {RequestError} if IAM could not be reached, or refused the login, now or in the last 15 minutes
 * @throws whatever else `send` throws
 */
export async function loginToken(
	authentication: LoginAuthentication,
	send: SendLogin,
	signal?: AbortSignal,
): Promise<string> {
	// What was refused is the login, for whatever project: other projects must not help it to a lock.
	const { iamOrigin, login } = authentication;
	const who = fingerprint(siteOf(iamOrigin), login.domainName, login.username, login.password);
	assertNotRefused(who);
	const fetch = async (end: AbortSignal) =>
		await logIn(authentication, send, end).catch((error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
			const failure = error.with({ message: `No token from IAM: ${error.message}` });
			throw isLoginRefused(error) ? rememberRefusal(who, 'login', failure) : failure;
		});
	return await getToken(loginKey(authentication), fetch, signal).catch((error: unknown) => {
		// The login was sent again already. The request that needs it must neither do so once more nor hold back its run.
		throw error instanceof RequestError && error.retry ? error.with({ retry: undefined }) : error;
	});
}

/**
 * @returns whether the same login would end like this once more, because n8n or IAM has said no to something else
 * than the login itself
 */
export function isFinal({ details: { code, httpStatus = 0 } }: RequestError): boolean {
	if (code === 'BLOCKED') return true;
	return httpStatus >= 400 && httpStatus < 500 && ![401, 403, 408, 429].includes(httpStatus);
}

async function logIn(
	authentication: LoginAuthentication,
	send: SendLogin,
	signal: AbortSignal,
): Promise<Token> {
	const context = { secrets: [authentication.login.password], unauthorized: () => CHECK_LOGIN };
	const response = await send(loginRequest(authentication), context, signal);
	const value = response.headers['x-subject-token'];
	if (typeof value !== 'string') throw unexpectedResponse("the header 'X-Subject-Token'");
	return { value, lifetime: lifetimeOf(response) };
}

function loginRequest({ iamOrigin, login }: LoginAuthentication): HttpRequest {
	const user = { name: login.username, password: login.password, domain: { name: login.domainName } };
	return {
		method: 'POST',
		origin: iamOrigin,
		// Without the catalogue of all services the response stays small.
		path: '/v3/auth/tokens?nocatalog=true',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({
			auth: {
				identity: { methods: ['password'], password: { user } },
				scope: { project: { id: login.projectId } },
			},
		}),
	};
}

/** @returns milliseconds, told by the clock of IAM alone */
function lifetimeOf({ object, headers }: ReceivedObject): number {
	const { expires_at, issued_at } = (object.token ?? {}) as Record<string, unknown>;
	const begin = [issued_at, headers.date].map((time) => Date.parse(String(time)));
	const lifetime = Date.parse(String(expires_at)) - (begin.find((time) => !Number.isNaN(time)) ?? Date.now());
	// Without a time it is used until the service refuses it.
	return Number.isNaN(lifetime) ? Infinity : lifetime;
}
