import { type RefusalContext, RequestError, unexpectedAnswer } from '../errors/errors';
import { Pace } from '../pace';
import { assertNotRefused, fingerprint, rememberRefusal } from './refusals';
import { type OutgoingRequest, type ReceivedObject, withRetries, type RequestLimits } from '../repeat';
import { type Authentication, siteOf } from './credential';
import { getToken, type Token } from './tokens';

/** How an IAM user logs in, and where. */
export type LoginProof = Extract<Authentication, { mode: 'password' }>;

/** Makes a request once. */
export type SendLogin = (
	request: OutgoingRequest,
	context: RefusalContext,
	limits: RequestLimits,
) => Promise<ReceivedObject>;

const CHECK_LOGIN =
	"Check 'Account Name', 'IAM User Name' and 'Password' in the credential. It has to be an IAM user; five refusals lock the account";

/** A login is shared by runs, so it has limits of its own. */
const LIMITS: RequestLimits = { timeout: 30_000, maxRetries: 2 };

/**
 * Tells logins apart without giving them away: a token that was fetched with other values than those at hand
 * must not be used.
 */
export function loginKey({ iamOrigin, login, allowUnauthorizedCerts }: LoginProof): string {
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
export async function loginToken(proof: LoginProof, send: SendLogin, signal?: AbortSignal): Promise<string> {
	// What was refused is the login, for whatever project: other projects must not help it to a lock.
	const { iamOrigin, login } = proof;
	const who = fingerprint(siteOf(iamOrigin), login.domainName, login.username, login.password);
	assertNotRefused(who);
	const fetch = async (end: AbortSignal) =>
		await logIn(proof, send, end).catch((error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
			const failure = noToken(error);
			const { httpStatus } = error.details;
			throw httpStatus === 401 || httpStatus === 403 ? rememberRefusal(who, 'login', failure) : failure;
		});
	return await getToken(loginKey(proof), fetch, signal).catch((error: unknown) => {
		// One error for each who waited: it is told how often its call was tried.
		throw error instanceof RequestError ? copyOf(error) : error;
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

/** @returns the same error once more */
export function copyOf({ message, advice, details }: RequestError): RequestError {
	return new RequestError(message, advice, { ...details });
}

/** Repeats a login where IAM said neither yes nor no. One of which it did not speak in time is not worth another. */
async function logIn(proof: LoginProof, send: SendLogin, signal: AbortSignal): Promise<Token> {
	const context = { creates: false, secrets: [proof.login.password], unauthorized: () => CHECK_LOGIN };
	const limits = { ...LIMITS, signal };
	const answer = await withRetries(
		limits,
		new Pace(),
		async () =>
			await send(loginRequest(proof), context, limits).catch((error: unknown) => {
				throw error instanceof RequestError && isWithoutVerdict(error)
					? new RequestError(error.message, error.advice, error.details, { throttled: false })
					: error;
			}),
	);
	const value = answer.headers['x-subject-token'];
	if (typeof value !== 'string') throw unexpectedAnswer("the header 'X-Subject-Token'", false);
	return { value, lifetime: lifetimeOf(answer) };
}

function isWithoutVerdict({ retry: repetition, details: { code, httpStatus = 0 } }: RequestError): boolean {
	return !repetition && (code === 'CONNECTION_LOST' || httpStatus >= 500);
}

function noToken({ message, advice, details, retry: repetition }: RequestError): RequestError {
	return new RequestError(`No token from IAM: ${message}`, advice, details, repetition);
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

/** @returns milliseconds, told by the clock of IAM alone */
function lifetimeOf({ object, headers }: ReceivedObject): number {
	const { expires_at, issued_at } = (object.token ?? {}) as Record<string, unknown>;
	const begin = [issued_at, headers.date].map((time) => Date.parse(String(time)));
	const lifetime = Date.parse(String(expires_at)) - (begin.find((time) => !Number.isNaN(time)) ?? Date.now());
	// Without a time it is used until the service refuses it.
	return Number.isNaN(lifetime) ? Infinity : lifetime;
}
