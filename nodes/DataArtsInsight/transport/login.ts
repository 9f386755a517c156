import { createHash } from 'node:crypto';

import { type RefusalContext, RequestError, unexpectedAnswer } from './errors';
import type { OutgoingRequest, ReceivedObject } from './request';
import type { Proof } from './session';
import { getToken } from './tokens';

/** How an IAM user logs in, and where. */
export type LoginProof = Extract<Proof, { mode: 'password' }>;

/** Makes a request once, and repeats it at most where IAM cannot have acted on it. */
export type SendLogin = (request: OutgoingRequest, context: RefusalContext) => Promise<ReceivedObject>;

const CHECK_LOGIN =
	"Check 'Account Name', 'IAM User Name' and 'Password' in the credential. It has to be an IAM user";

/** Five refusals in 15 minutes lock the account; with this many milliseconds between them there are three. */
const REFUSAL_KEPT = 5 * 60_000;
const NOT_AGAIN = 'Since five refusals lock the account, the same login is not tried again for 5 minutes';

/**
 * Tells logins apart without giving them away: a token that was fetched with other values than those at hand
 * must not be used.
 */
export function loginKey({ iamOrigin, login, allowUnauthorizedCerts }: LoginProof): string {
	const { domainName, username, password, projectId } = login;
	const parts = [iamOrigin, domainName, username, password, projectId, allowUnauthorizedCerts];
	return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * The token of an IAM user for one project: the one at hand, or a new one from IAM.
 *
 * Source: Huawei Cloud, IAM API Reference, "Obtaining a User Token Through Password Authentication".
 *
 * @throws {RequestError} if IAM could not be reached or refused the login; then it is not asked again for a while
 * @throws whatever else `send` throws
 */
export async function loginToken(proof: LoginProof, send: SendLogin): Promise<string> {
	const fetch = async () => {
		const context = { creates: false, secrets: [proof.login.password], unauthorized: () => CHECK_LOGIN };
		const answer = await send(loginRequest(proof), context);
		const value = answer.headers['x-subject-token'];
		if (typeof value !== 'string') throw unexpectedAnswer("the header 'X-Subject-Token'", false);
		return { value, lifetime: lifetimeOf(answer) };
	};
	const outcome = await getToken(loginKey(proof), fetch, keepRefusal).catch((error: Error) => error);
	if (typeof outcome === 'string') return outcome;
	if (!(outcome instanceof RequestError)) throw outcome;
	const { message, advice, details } = outcome;
	throw new RequestError(
		`No token from IAM: ${message}`,
		keepRefusal(outcome) ? `${advice}. ${NOT_AGAIN}` : advice,
		details,
	);
}

function loginRequest(proof: LoginProof): OutgoingRequest {
	const { iamOrigin, login } = proof;
	const user = { name: login.username, password: login.password, domain: { name: login.domainName } };
	return {
		method: 'POST',
		origin: iamOrigin,
		// Without the catalogue of all services the answer stays small.
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

/** @returns for how many milliseconds IAM is not asked again; none if it did not look at the login */
function keepRefusal(error: Error): number {
	const status = error instanceof RequestError ? error.details.httpStatus : undefined;
	return status === 401 || status === 403 ? REFUSAL_KEPT : 0;
}

/** @returns milliseconds, told by the clock of IAM alone */
function lifetimeOf({ object, headers }: ReceivedObject): number {
	const { expires_at, issued_at } = (object.token ?? {}) as Record<string, unknown>;
	const begin = [issued_at, headers.date].map((time) => Date.parse(String(time)));
	const lifetime = Date.parse(String(expires_at)) - (begin.find((time) => !Number.isNaN(time)) ?? Date.now());
	// Without a time it is used until the service refuses it.
	return Number.isNaN(lifetime) ? Infinity : lifetime;
}
