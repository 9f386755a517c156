import { RequestError } from '../errors/errors';
import type { HttpRequest, HttpResponse } from '../network/network';
import { type Turn, withAccessKey } from './accessKeyLimiter';
import type { Authentication, Credential } from './credential';
import { accessKeyHeaders, tokenHeaders } from './headers';
import { isFinal, loginKey, type LoginAuthentication, loginToken, type SendLogin } from './login';
import { assertNotRefused, callerVerdict, fingerprint, isUnauthorized, rememberRefusal } from './refusals';
import { signedHeaders } from './signature';
import { dropToken } from './tokens';

/** Adds to the requests of one run what says who calls. */
export interface Authenticator {
	/**
	 * Sends a request with the headers that say who calls; and once more if the service no longer takes the token, and
	 * there is a new one.
	 *
	 * @param turn asked again after each wait, so that nothing is sent to a service that takes no requests
	 * @throws {RequestError} if the service or IAM has refused this caller already: then nothing more is sent
	 * @throws what `send` throws
	 */
	authenticate: <Result>(request: HttpRequest, turn: Turn, send: Send<Result>) => Promise<Result>;
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: HttpResponse['headers']) => string;
}

/** Sends a request with these headers, once. */
type Send<Result> = (headers: Record<string, string>) => Promise<Result>;

/**
 * Creates the authenticator of a credential. Nothing is sent yet.
 *
 * @param sendLogin carries a login to IAM, where the credential holds a password
 */
export function createAuthenticator(credential: Credential, sendLogin: SendLogin): Authenticator {
	const { authentication } = credential;
	switch (authentication.mode) {
		case 'token':
			return tokenAuthenticator(credential, authentication.token);
		case 'password':
			return new LoginAuthenticator(credential, authentication, sendLogin);
		case 'accessKey':
			return accessKeyAuthenticator(credential, authentication);
	}
}

/** @throws {RequestError} if the service has refused the credential's token or key in the last 15 minutes */
export function assertCallerNotRefused({ origin, authentication }: Credential): void {
	if (authentication.mode === 'token') assertNotRefused(tokenKey(origin, authentication.token));
	if (authentication.mode === 'accessKey') assertNotRefused(accessKeyKey(authentication));
}

/**
 * Finds out whether an access key is right, once for the whole process, by a request that creates nothing. Whatever
 * else comes of the request says nothing about the key.
 *
 * @param send sends the request
 * @throws {RequestError} if the key was refused, now or in the last 15 minutes
 * @throws whatever `send` throws but a RequestError
 */
export async function checkAccessKey(
	authentication: AccessKeyAuthentication,
	send: () => Promise<unknown>,
): Promise<void> {
	const turn = { ready: async () => await Promise.resolve() };
	await withAccessKey(accessKeyKey(authentication), turn, async (proven) => {
		if (!proven) await send();
	}).catch((error: unknown) => {
		if (isUnauthorized(error) || !(error instanceof RequestError)) throw error;
	});
}

type AccessKeyAuthentication = Extract<Authentication, { mode: 'accessKey' }>;

/** What a refused token is known by. In another region, at another address, it may be right. */
function tokenKey(origin: string, token: string): string {
	return fingerprint(origin, token);
}

/** What a refused key is known by. */
function accessKeyKey({ site, accessKey }: AccessKeyAuthentication): string {
	return fingerprint(site, accessKey.accessKeyId, accessKey.secretAccessKey, accessKey.securityToken ?? '');
}

/** A token that somebody fetched by hand: there is no other. */
function tokenAuthenticator({ origin, workspaceId }: Credential, token: string): Authenticator {
	const own = tokenHeaders(token, workspaceId);
	const key = tokenKey(origin, token);
	return {
		authenticate: async ({ headers }, _turn, send) => {
			assertNotRefused(key);
			try {
				return await send({ ...headers, ...own });
			} catch (error) {
				throw isUnauthorized(error) ? rememberRefusal(key, 'user token', error) : error;
			}
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
		private readonly credential: Credential,
		private readonly authentication: LoginAuthentication,
		private readonly sendLogin: SendLogin,
	) {}

	async authenticate<Result>(
		request: HttpRequest,
		turn: Turn,
		send: Send<Result>,
		mayRenew = true,
	): Promise<Result> {
		const token = await this.token(turn);
		const own = tokenHeaders(token, this.credential.workspaceId);
		return await send({ ...request.headers, ...own }).then(
			(result) => {
				this.renewed = false;
				return result;
			},
			async (error: unknown) => {
				if (callerVerdict(error) === 'accepted') this.renewed = false;
				// Only after a refusal it is certain that the service has not acted.
				const maySendAgain = isUnauthorized(error) && this.canRenew(token, error) && mayRenew;
				if (!maySendAgain) throw error;
				return await this.authenticate(request, turn, send, false);
			},
		);
	}

	unauthorized() {
		return "The service does not take the token that IAM gave. Check 'Region' and 'Project ID' in the credential";
	}

	private async token({ ready, signal }: Turn): Promise<string> {
		this.assertNoFailure();
		const token = await loginToken(this.authentication, this.sendLogin, signal).catch((error: unknown) => {
			if (error instanceof RequestError && isFinal(error)) this.failure = error;
			throw error;
		});
		await ready();
		this.assertNoFailure();
		return token;
	}

	private assertNoFailure() {
		if (this.failure) throw this.failure;
	}

	/** @returns whether there can be another token in place of this one, which the service does not take */
	private canRenew(token: string, error: RequestError): boolean {
		if (!dropToken(loginKey(this.authentication), token)) return true;
		// A second token in a row that the service does not take: a third would not help.
		if (this.renewed) this.failure = error;
		this.renewed = true;
		return !this.failure;
	}
}

/** How far apart two clocks may be, in milliseconds. */
const MAX_SKEW = 15 * 60_000;

/** Signs each request anew, when it is about to be sent. */
function accessKeyAuthenticator(
	{ projectId, workspaceId }: Credential,
	authentication: AccessKeyAuthentication,
): Authenticator {
	return {
		authenticate: async ({ method, origin, path, headers, body = '' }, turn, send) => {
			const url = new URL(path, origin);
			const own = accessKeyHeaders(projectId, workspaceId);
			return await withAccessKey(accessKeyKey(authentication), turn, async () => {
				const request = { method, url, headers: { ...headers, ...own }, body };
				return await send(signedHeaders(request, authentication.accessKey, new Date()));
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
