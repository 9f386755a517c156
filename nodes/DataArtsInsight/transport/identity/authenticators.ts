import { RequestError } from '../errors/errors';
import type { HttpRequest, HttpResponse } from '../network/network';
import { accessKeyKey, checkAccessKeyAdvice, signRequest, type SiteKey } from './accessKey';
import { type Turn, withAccessKey } from './accessKeyLimiter';
import { type AgencyAuthentication, assertAgencyNotRefused, temporaryKeySource } from './agency';
import type { Credential } from './credential';
import { accessKeyHeaders, tokenHeaders } from './headers';
import { type LoginAuthentication, loginSource } from './login';
import { assertNotRefused, callerVerdict, fingerprint, isUnauthorized, rememberRefusal } from './refusals';
import type { AccessKey } from './signature';
import { isFinal, type SendLogin, type TokenSource } from './tokenSource';

/** A request, and the project that it is for. */
export interface CallerRequest extends HttpRequest {
	projectId: string;
}

/** Adds to the requests of one run what says who calls. */
export interface Authenticator {
	/**
	 * Sends a request with the headers that say who calls; and once more if the service no longer takes the token or the
	 * temporary keys, and there are new ones.
	 *
	 * @param turn asked again after each wait, so that nothing is sent to a service that takes no requests
	 * @throws {RequestError} if the service or IAM has refused this caller already: then nothing more is sent
	 * @throws what `send` throws
	 */
	authenticate: <Result>(request: CallerRequest, turn: Turn, send: Send<Result>) => Promise<Result>;
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: HttpResponse['headers']) => string;
	/** What to do if who calls lacks a permission, where that is not for the user of the credential to get. */
	forbidden?: string;
}

/**
 * Sends a request with these headers, once.
 *
 * @param secrets what no error may show and stands neither in the headers nor in the credential
 */
type Send<Result> = (headers: Record<string, string>, secrets?: readonly string[]) => Promise<Result>;

/**
 * Creates the authenticator of a credential, for requests in any project of it. Nothing is sent yet.
 *
 * @param sendLogin carries to IAM what has to be asked there before a request: a login, or a request for temporary keys
 */
export function createAuthenticator(
	{ origin, authentication }: Credential,
	sendLogin: SendLogin,
): Authenticator {
	switch (authentication.mode) {
		case 'token':
			return tokenAuthenticator(origin, authentication.token);
		case 'password':
			return loginAuthenticator(authentication, sendLogin);
		case 'accessKey':
			return accessKeyAuthenticator(authentication);
		case 'agency':
			return agencyAuthenticator(authentication, sendLogin);
	}
}

/** @throws {RequestError} if the service has refused the credential's token or key in the last 15 minutes */
export function assertCallerNotRefused({ origin, authentication }: Credential): void {
	if (authentication.mode === 'token') assertNotRefused(tokenKey(origin, authentication.token));
	if (authentication.mode === 'accessKey') assertNotRefused(accessKeyKey(authentication));
	if (authentication.mode === 'agency') assertAgencyNotRefused(authentication);
}

/**
 * Finds out whether an access key is right, once for the whole process, by a request that creates nothing. Whatever
 * else comes of the request says nothing about the key.
 *
 * @param send sends the request
 * @throws {RequestError} if the key was refused, now or in the last 15 minutes
 * @throws whatever `send` throws but a RequestError
 */
export async function checkAccessKey(authentication: SiteKey, send: () => Promise<unknown>): Promise<void> {
	const turn = { ready: async () => await Promise.resolve() };
	await withAccessKey(accessKeyKey(authentication), turn, async (proven) => {
		if (!proven) await send();
	}).catch((error: unknown) => {
		if (isUnauthorized(error) || !(error instanceof RequestError)) throw error;
	});
}

/** What a refused token is known by. In another region, at another address, it may be right. */
function tokenKey(origin: string, token: string): string {
	return fingerprint(origin, token);
}

/** A token that somebody fetched by hand: there is no other. */
function tokenAuthenticator(origin: string, token: string): Authenticator {
	const own = tokenHeaders(token);
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

/** Says who calls by what IAM gives for a while, and renews what the service no longer takes. */
class RenewingAuthenticator<Value> implements Authenticator {
	/** Why nothing more is sent in this run. */
	private failure?: RequestError;

	/** Whether a value was renewed since the service took one. */
	private renewed = false;

	constructor(
		private readonly source: TokenSource<Value>,
		private readonly sendWith: <Result>(
			value: Value,
			request: CallerRequest,
			send: Send<Result>,
		) => Promise<Result>,
		private readonly words: { unauthorized: string; forbidden?: string },
	) {}

	async authenticate<Result>(
		request: CallerRequest,
		turn: Turn,
		send: Send<Result>,
		mayRenew = true,
	): Promise<Result> {
		const value = await this.value(turn);
		return await this.sendWith(value, request, send).then(
			(result) => {
				this.renewed = false;
				return result;
			},
			async (error: unknown) => {
				if (callerVerdict(error) === 'accepted') this.renewed = false;
				// Only after a refusal it is certain that the service has not acted.
				const maySendAgain = isUnauthorized(error) && this.canRenew(value, error) && mayRenew;
				if (!maySendAgain) throw error;
				return await this.authenticate(request, turn, send, false);
			},
		);
	}

	unauthorized() {
		return this.words.unauthorized;
	}

	get forbidden() {
		return this.words.forbidden;
	}

	private async value({ ready, signal }: Turn): Promise<Value> {
		this.assertNoFailure();
		const value = await this.source.get(signal).catch((error: unknown) => {
			if (error instanceof RequestError && isFinal(error)) this.failure = error;
			throw error;
		});
		await ready();
		this.assertNoFailure();
		return value;
	}

	private assertNoFailure() {
		if (this.failure) throw this.failure;
	}

	/** @returns whether there can be another value in place of this one, which the service does not take */
	private canRenew(value: Value, error: RequestError): boolean {
		if (!this.source.drop(value)) return true;
		// A second value in a row that the service does not take: a third would not help.
		if (this.renewed) this.failure = error;
		this.renewed = true;
		return !this.failure;
	}
}

/** Logs in, and sends the token of the login. */
function loginAuthenticator(authentication: LoginAuthentication, sendLogin: SendLogin): Authenticator {
	return new RenewingAuthenticator(
		loginSource(authentication, sendLogin),
		async (token, { headers }, send) => await send({ ...headers, ...tokenHeaders(token) }),
		{
			unauthorized:
				"The service does not take the token that IAM gave. Check 'Region' and 'Project ID' in the credential, or 'Project ID' in the options of the node if it is set there",
		},
	);
}

/** Signs each request anew with the temporary keys of an agency. */
function agencyAuthenticator(authentication: AgencyAuthentication, sendLogin: SendLogin): Authenticator {
	return new RenewingAuthenticator(
		temporaryKeySource(authentication, sendLogin),
		async (key, request, send) => await send(signedInProject(request, key), [key.secretAccessKey]),
		{
			unauthorized:
				"The service does not take the temporary keys that IAM gave. Check 'Region' in the credential",
			forbidden: `Ask an administrator of the account ${authentication.agency.account} to grant the agency the permissions that this takes in the project`,
		},
	);
}

/** Signs each request anew, when it is about to be sent. */
function accessKeyAuthenticator(authentication: SiteKey): Authenticator {
	return {
		authenticate: async (request, turn, send) =>
			await withAccessKey(
				accessKeyKey(authentication),
				turn,
				async () => await send(signedInProject(request, authentication.accessKey)),
			),
		unauthorized: checkAccessKeyAdvice,
	};
}

function signedInProject(request: CallerRequest, key: AccessKey): Record<string, string> {
	const headers = { ...request.headers, ...accessKeyHeaders(request.projectId) };
	return signRequest({ ...request, headers }, key);
}
