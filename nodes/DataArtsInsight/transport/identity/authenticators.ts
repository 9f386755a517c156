import type { NodeEgressFilter } from 'n8n-workflow';

import { accessKeyHeaders, tokenHeaders } from './headers';
import { signedHeaders } from './signature';
import { RequestError } from '../errors/errors';
import type { HttpResponse } from '../network/exchange';
import { copyOf, isFinal, loginKey, type LoginProof, loginToken, type SendLogin } from './login';
import { assertNotRefused, fingerprint, rememberRefusal } from './refusals';
import { type OutgoingRequest, sendRequest } from '../repeat';
import { findRoute } from '../network/route';
import type { Authentication, Credential } from './credential';
import { dropToken } from './tokens';
import { isUnauthorized, withAccessKey, type Turn, callerVerdict } from './accessKeyLimiter';

/** Proves for the requests of one run who calls. */
export interface Authenticator {
	/**
	 * Makes an attempt with the headers that prove who calls; and one more if the service no longer takes the token,
	 * and there is a new one.
	 *
	 * @param turn asked again after each wait, so that nothing is sent to a service that takes no calls
	 * @throws {RequestError} if the service or IAM has refused this caller already: then nothing more is sent
	 * @throws what `send` throws
	 */
	attempt: <Result>(request: OutgoingRequest, turn: Turn, send: Send<Result>) => Promise<Result>;
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: HttpResponse['headers']) => string;
}

/** Sends a request with these headers, once. */
type Send<Result> = (headers: Record<string, string>) => Promise<Result>;

/** @returns what proves the caller of a session; nothing is sent yet */
export function createAuthenticator(session: Credential, egress?: NodeEgressFilter): Authenticator {
	const { authentication: proof } = session;
	switch (proof.mode) {
		case 'token':
			return tokenAuthenticator(session, proof.token);
		case 'password':
			return new LoginAuthenticator(session, proof, egress);
		case 'accessKey':
			return accessKeyAuthenticator(session, proof);
	}
}

/** @throws {RequestError} if the service has refused the credential's token or key in the last 15 minutes */
export function assertCallerNotRefused({ origin, authentication: proof }: Credential): void {
	if (proof.mode === 'token') assertNotRefused(tokenKey(origin, proof.token));
	if (proof.mode === 'accessKey') assertNotRefused(accessKeyKey(proof));
}

/**
 * Finds out whether an access key is right, once for the whole process, by a request that creates nothing. Whatever
 * else comes of the request says nothing about the key.
 *
 * @param send makes the request
 * @throws {RequestError} if the key was refused, now or in the last 15 minutes
 */
export async function checkAccessKey(proof: AccessKeyProof, send: () => Promise<unknown>): Promise<void> {
	const turn = { ready: async () => await Promise.resolve() };
	const key = accessKeyKey(proof);
	await withAccessKey(key, turn, async (proven) => (proven ? undefined : await send())).catch(
		(error: unknown) => {
			if (isUnauthorized(error)) throw error;
		},
	);
}

type AccessKeyProof = Extract<Authentication, { mode: 'accessKey' }>;

/** What a refused token is known by. In another region, at another address, it may be right. */
function tokenKey(origin: string, token: string): string {
	return fingerprint(origin, token);
}

/** What a refused key is known by. */
function accessKeyKey({ site, accessKey }: AccessKeyProof): string {
	return fingerprint(site, accessKey.accessKeyId, accessKey.secretAccessKey, accessKey.securityToken ?? '');
}

/** A token that somebody fetched by hand: there is no other. */
function tokenAuthenticator({ origin, workspaceId }: Credential, token: string): Authenticator {
	const proof = tokenHeaders(token, workspaceId);
	const key = tokenKey(origin, token);
	return {
		attempt: async ({ headers }, _turn, send) => {
			assertNotRefused(key);
			return await send({ ...headers, ...proof }).catch((error: unknown) => {
				throw isUnauthorized(error) ? rememberRefusal(key, 'user token', error) : error;
			});
		},
		unauthorized: () =>
			"Get a new user token from IAM in the credential's region and store it in 'User Token'",
	};
}

/** Fetches tokens from IAM and renews one that the service no longer takes. */
class LoginAuthenticator implements Authenticator {
	/** Why nothing more is sent in this run. */
	private failure?: RequestError;

	/** Whether a token was renewed since the service took one. */
	private renewed = false;

	constructor(
		private readonly session: Credential,
		private readonly proof: LoginProof,
		private readonly egress?: NodeEgressFilter,
	) {}

	async attempt<Result>(
		request: OutgoingRequest,
		turn: Turn,
		send: Send<Result>,
		mayRenew = true,
	): Promise<Result> {
		const token = await this.token(turn);
		const proof = tokenHeaders(token, this.session.workspaceId);
		const outcome = await send({ ...request.headers, ...proof }).then(
			(result) => ({ result }),
			(error: unknown) => ({ error }),
		);
		if ('result' in outcome) {
			this.renewed = false;
			return outcome.result;
		}
		const { error } = outcome;
		if (callerVerdict(error) === 'accepted') this.renewed = false;
		// Only after a refusal it is certain that the service has not acted.
		const mayRepeat = isUnauthorized(error) && this.canRenew(token, error) && mayRenew;
		if (!mayRepeat) throw error;
		return await this.attempt(request, turn, send, false);
	}

	unauthorized() {
		return "The service does not take the token that IAM gave. Check 'Region' and 'Project ID' in the credential";
	}

	private async token({ ready, signal }: Turn): Promise<string> {
		this.assertNoFailure();
		const token = await loginToken(this.proof, this.sendLogin, signal).catch((error: unknown) => {
			if (error instanceof RequestError && isFinal(error)) this.failure = error;
			throw error;
		});
		await ready();
		this.assertNoFailure();
		return token;
	}

	private assertNoFailure() {
		if (this.failure) throw copyOf(this.failure);
	}

	/** @returns whether there can be another token in place of this one, which the service does not take */
	private canRenew(token: string, error: RequestError): boolean {
		if (!dropToken(loginKey(this.proof), token)) return true;
		// A second token in a row that the service does not take: a third would not help.
		if (this.renewed) this.failure = error;
		this.renewed = true;
		return !this.failure;
	}

	private readonly sendLogin: SendLogin = async (request, context, limits) => {
		const route = await findRoute(request.origin, this.session.allowUnauthorizedCerts, this.egress);
		return await sendRequest(route, request, limits, context);
	};
}

/** How far apart two clocks may be, in milliseconds. */
const MAX_SKEW = 15 * 60_000;

/** Signs each attempt anew, when it is about to be sent. */
function accessKeyAuthenticator(
	{ projectId, workspaceId }: Credential,
	proof: AccessKeyProof,
): Authenticator {
	return {
		attempt: async ({ method, origin, path, headers, body = '' }, turn, send) => {
			const url = new URL(path, origin);
			const own = accessKeyHeaders(projectId, workspaceId);
			return await withAccessKey(accessKeyKey(proof), turn, async () => {
				const request = { method, url, headers: { ...headers, ...own }, body };
				return await send(signedHeaders(request, proof.accessKey, new Date()));
			});
		},
		unauthorized: ({ date }) => {
			const skew = Date.parse(String(date)) - Date.now();
			if (Math.abs(skew) < MAX_SKEW || Number.isNaN(skew)) {
				return "Check 'Access Key ID' and 'Secret Access Key' in the credential: five refusals lock the key";
			}
			const minutes = Math.round(Math.abs(skew) / 60_000);
			return `The clock of the machine that runs n8n is ${minutes} minutes ${skew > 0 ? 'slow' : 'fast'}. Set it right: a signature is good for 15 minutes`;
		},
	};
}
