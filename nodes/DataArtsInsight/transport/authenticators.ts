import { accessKeyHeaders, tokenHeaders } from '../../../credentials/authentication';
import { type AccessKey, signedHeaders } from '../../../credentials/signature';
import type { RefusalContext, RequestError } from './errors';
import type { Answer } from './exchange';
import { loginKey, type LoginProof, loginToken } from './login';
import { Pace } from './pace';
import { type OutgoingRequest, type ReceivedObject, repeatSafely, sendRequest } from './request';
import { findRoute } from './route';
import type { RunLimits } from './service';
import type { Session } from './session';
import { dropToken } from './tokens';

/** Proves for the requests of one run who calls. */
export interface Authenticator {
	/**
	 * The headers of an attempt.
	 *
	 * @throws {RequestError} if the service or IAM has refused this caller already: then nothing more is sent
	 */
	headers: (request: OutgoingRequest) => Promise<Record<string, string>>;
	/**
	 * Hears how an attempt with these headers ended.
	 *
	 * @returns whether another attempt would carry a new proof
	 */
	settle: (headers: Record<string, string>, error?: RequestError) => boolean;
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: Answer['headers']) => string;
}

/** @returns what proves the caller of a session; nothing is sent yet */
export function createAuthenticator(session: Session, limits: RunLimits): Authenticator {
	const { proof } = session;
	switch (proof.mode) {
		case 'token':
			return tokenAuthenticator(session, proof.token);
		case 'password':
			return new LoginAuthenticator(session, proof, limits);
		case 'accessKey':
			return new AccessKeyAuthenticator(session, proof.accessKey);
	}
}

/** A token that somebody fetched by hand: there is no other. */
function tokenAuthenticator({ workspaceId }: Session, token: string): Authenticator {
	const proof = tokenHeaders(token, workspaceId);
	return {
		headers: ({ headers }) => Promise.resolve({ ...headers, ...proof }),
		settle: () => false,
		unauthorized: () =>
			"Get a new user token from IAM in the credential's region and store it in 'User Token'",
	};
}

/** Fetches tokens from IAM and renews one that the service no longer takes. */
class LoginAuthenticator implements Authenticator {
	private failure?: RequestError;

	/** Whether a token was renewed since the service took one. */
	private renewed = false;

	constructor(
		private readonly session: Session,
		private readonly proof: LoginProof,
		private readonly limits: RunLimits,
	) {}

	async headers({ headers }: OutgoingRequest): Promise<Record<string, string>> {
		if (this.failure) throw this.failure;
		const token = await loginToken(this.proof, async (...login) => await this.send(...login)).catch(
			(error: RequestError) => error,
		);
		if (typeof token === 'string') return { ...headers, ...tokenHeaders(token, this.session.workspaceId) };
		this.failure = token;
		throw token;
	}

	settle({ 'X-Auth-Token': token = '' }: Record<string, string>, error?: RequestError): boolean {
		if (!error) this.renewed = false;
		if (error?.details.httpStatus !== 401) return false;
		if (!dropToken(loginKey(this.proof), token)) return true;
		// A second token in a row that the service does not take: a third would not help.
		if (this.renewed) this.failure = error;
		this.renewed = true;
		return !this.failure;
	}

	unauthorized() {
		return "The service does not take the token that IAM gave. Check 'Region' and 'Project ID' in the credential";
	}

	private async send(request: OutgoingRequest, context: RefusalContext): Promise<ReceivedObject> {
		// Other runs may wait for the same token, so stopping this one does not end the login.
		const limits = { ...this.limits, signal: undefined };
		const route = await findRoute(request.origin, this.session.allowUnauthorizedCerts, limits.egress);
		return await repeatSafely(
			limits,
			new Pace(),
			async () => await sendRequest(route, request, limits, context),
		);
	}
}

/** How far apart two clocks may be, in milliseconds. */
const MAX_SKEW = 15 * 60_000;

/**
 * Signs each attempt. More than five bad signatures lock a key, so the first request goes alone; once the
 * service has refused the key, nothing more is sent.
 */
class AccessKeyAuthenticator implements Authenticator {
	private proven = false;

	private failure?: RequestError;

	/** The first request, as long as it is alone under way. */
	private trial?: { ended: Promise<void>; end: () => void };

	constructor(
		private readonly session: Session,
		private readonly accessKey: AccessKey,
	) {}

	async headers({
		method,
		origin,
		path,
		headers,
		body = '',
	}: OutgoingRequest): Promise<Record<string, string>> {
		while (this.trial) await this.trial.ended;
		if (this.failure) throw this.failure;
		const { projectId, workspaceId } = this.session;
		const proof = accessKeyHeaders(projectId, workspaceId);
		const request = { method, url: new URL(path, origin), headers: { ...headers, ...proof }, body };
		const signed = signedHeaders(request, this.accessKey, new Date());
		if (!this.proven) {
			let end = () => {};
			const ended = new Promise<void>((resolve) => (end = resolve));
			this.trial = { ended, end };
		}
		return signed;
	}

	settle(_headers: Record<string, string>, error?: RequestError): boolean {
		const status = error?.details.httpStatus;
		if (status === 401) this.failure = error;
		// Whatever else the service itself says, it says to somebody whom it knows.
		else if (!error || (status && status < 500 && status !== 429)) this.proven = true;
		this.trial?.end();
		this.trial = undefined;
		return false;
	}

	unauthorized({ date }: Answer['headers']) {
		const skew = Date.parse(String(date)) - Date.now();
		if (Math.abs(skew) < MAX_SKEW || Number.isNaN(skew)) {
			return "Check 'Access Key ID' and 'Secret Access Key' in the credential before you try again: five refusals lock the key";
		}
		const minutes = Math.round(Math.abs(skew) / 60_000);
		return `The clock of the machine that runs n8n is ${minutes} minutes ${skew > 0 ? 'slow' : 'fast'}. Set it right: a signature is good for 15 minutes`;
	}
}
