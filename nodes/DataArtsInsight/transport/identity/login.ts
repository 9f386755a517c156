import { unexpectedResponse } from '../errors/answer';
import type { Advice } from '../errors/errors';
import type { HttpRequest } from '../network/network';
import type { Authentication } from './credential';
import { assertNotRefused, fingerprint, isLoginRefused, rememberRefusal } from './refusals';
import { lifetimeOf, type Token, TokenCache } from './tokens';
import { createTokenSource, type SendLogin, type TokenSource } from './tokenSource';

/** How an IAM user logs in, and where. */
export type LoginAuthentication = Extract<Authentication, { mode: 'password' }>;

const CHECK_LOGIN =
	"Check 'Account Name', 'IAM User Name' and 'Password' in the credential. It has to be an IAM user; five refusals lock the account";

const ADVICE: Advice = {
	notFound:
		"Check 'Region' in the credential, and 'Project ID' in the credential, or in the options of the node if it is set there",
};

/** The tokens of all logins of this process. */
const tokens = new TokenCache<string>();

/**
 * Tells logins apart without giving them away: a token that was fetched with other values than those at hand
 * must not be used.
 */
export function loginKey({ iamOrigin, login, allowUnauthorizedCerts }: LoginAuthentication): string {
	const { domainName, username, password, projectId } = login;
	return fingerprint(iamOrigin, domainName, username, password, projectId, allowUnauthorizedCerts);
}

/**
 * Where the token of an IAM user for one project comes from.
 *
 * Source: Huawei Cloud, IAM API Reference, "Obtaining a User Token Through Password Authentication".
 *
 * @param send carries the login, for all who wait for it
 */
export function loginSource(authentication: LoginAuthentication, send: SendLogin): TokenSource<string> {
	// What is refused is the login, for whatever project: other projects must not help it to a lock.
	const { site, login } = authentication;
	const who = fingerprint(site, login.domainName, login.username, login.password);
	return createTokenSource(tokens, {
		key: loginKey(authentication),
		name: 'token',
		assertNotRefused: () => assertNotRefused(who),
		fetch: async (signal) => await logIn(authentication, send, signal),
		// Side by side, the logins for five projects would lock the account where the password is wrong.
		queue: who,
		remember: (failure) => (isLoginRefused(failure) ? rememberRefusal(who, 'login', failure) : failure),
	});
}

async function logIn(
	authentication: LoginAuthentication,
	send: SendLogin,
	signal: AbortSignal,
): Promise<Token<string>> {
	const { password } = authentication.login;
	const context = { secrets: [password], unauthorized: () => CHECK_LOGIN, advice: ADVICE };
	const { object, headers } = await send(loginRequest(authentication), context, signal);
	const value = headers['x-subject-token'];
	if (typeof value !== 'string') throw unexpectedResponse("the header 'X-Subject-Token'");
	return { value, lifetime: lifetimeOf(object.token, headers) };
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
