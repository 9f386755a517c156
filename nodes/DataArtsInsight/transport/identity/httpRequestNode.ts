import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';

import { InputError, interruption } from '../errors/errors';
import { type HttpResponse, ExchangeError } from '../network/exchange';
import { readAnswer } from '../repeat';
import { assertCallerNotRefused, checkAccessKey } from './authenticators';
import { readCredential, serviceAt, type Credential } from './credential';
import { accessKeyHeaders, credentialText, tokenHeaders } from './headers';
import { isUnauthorized } from './accessKeyLimiter';
import { loginKey, loginToken, type SendLogin } from './login';
import { type AccessKey, encode, signedHeaders } from './signature';
import { dropToken } from './tokens';

/*
 * What n8n's HTTP Request node does with a credential of this type. The node of this package has its own way:
 * it logs in and signs for each attempt anew.
 */

/** How long the service may take to say whether it knows the caller, in milliseconds. */
const TIMEOUT = 30_000;

/** n8n's HTTP Request node hands over the options of its older helper, whose address is `uri`. */
type RequestOptions = IHttpRequestOptions & { uri?: string; form?: unknown; formData?: unknown };

/** Neither of n8n's helpers follows a redirect then: it would take the proof along to whatever host it names. */
const NO_REDIRECTS = {
	disableFollowRedirect: true,
	followRedirect: false,
	followAllRedirects: false,
	maxRedirects: 0,
	sendCredentialsOnCrossOriginRedirect: false,
};

/**
 * Adds to a request what proves the caller.
 *
 * @throws {InputError} if the credential cannot be used or is not for the request's host, or a request to sign has a
 * body that cannot be
 * @throws {RequestError} if the service has refused the token or the key in the last 15 minutes
 */
export function authenticateRequest(
	credentials: ICredentialDataDecryptedObject,
	options: RequestOptions,
): IHttpRequestOptions {
	const url = addressOf(options);
	const session = readCredential(credentials, serviceAt(credentials, url));
	assertCallerNotRefused(session);
	const { authentication: proof, workspaceId } = session;
	const request = { ...options, ...NO_REDIRECTS, ...addressFields(options, url) };
	if (proof.mode === 'accessKey') return sign(request, url, session, proof.accessKey);

	const token = proof.mode === 'token' ? proof.token : keptToken(credentials, loginKey(proof));
	// Without a token the service answers 401, and n8n logs in and tries again.
	const headers = token ? tokenHeaders(token, workspaceId) : {};
	return { ...request, headers: { ...options.headers, ...headers } };
}

/**
 * Gets ready what proves the caller. n8n asks for it before a request if it keeps no token, and after any request that
 * failed. Then it sends the request once more if it is given a token, so it is given one only if the service refused
 * the one before: whatever else failed may have created something.
 *
 * A key is tried by a request of our own before n8n signs with it, since n8n does not tell what became of its requests.
 *
 * @returns with a password, what n8n keeps, encrypted, in the hidden fields of the credential
 * @throws {RequestError} if IAM could not be reached, or the login or the key was refused
 */
export async function prepareCaller(
	{ helpers }: IHttpRequestHelper,
	credentials: ICredentialDataDecryptedObject,
): Promise<IDataObject> {
	const session = readCredential(credentials);
	const { authentication: proof, projectId, workspaceId, allowUnauthorizedCerts } = session;
	const send: SendLogin = async ({ method, origin, path, headers, body }, context, { timeout, signal }) => {
		const answer = await (
			helpers.httpRequest({
				url: `${origin}${path}`,
				method,
				headers,
				body,
				timeout,
				abortSignal: signal,
				disableFollowRedirect: true,
				ignoreHttpStatusErrors: true,
				returnFullResponse: true,
				skipSslCertificateValidation: allowUnauthorizedCerts,
			}) as Promise<IN8nHttpFullResponse>
		).catch((cause: Error & { code?: string }) => cause);
		if (answer instanceof Error) {
			// The helper's error holds the request, and so the password: only its code goes on.
			const stopped = answer.code === 'ECONNABORTED' ? 'timeout' : undefined;
			const reason = new ExchangeError(answer, false, stopped);
			throw interruption(reason, new URL(origin), false);
		}
		const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
		return readAnswer(
			{ status: answer.statusCode, headers: answer.headers as HttpResponse['headers'], text },
			context,
		);
	};
	/** Makes a request that creates nothing. */
	const knock = async (own: Record<string, string>, accessKey?: AccessKey) => {
		const path = `/v1/${projectId}/connections?limit=1&offset=0`;
		const plain = { method: 'GET' as const, url: new URL(path, session.origin), headers: own, body: '' };
		const headers = accessKey ? signedHeaders(plain, accessKey, new Date()) : own;
		const context = { creates: false, secrets: session.secrets, unauthorized: () => CHECK_KEY };
		const request = { method: plain.method, origin: session.origin, path, headers };
		return await send(request, context, { timeout: TIMEOUT, maxRetries: 0 });
	};

	if (proof.mode === 'accessKey') {
		const own = accessKeyHeaders(projectId, workspaceId);
		await checkAccessKey(proof, async () => await knock(own, proof.accessKey));
	}
	if (proof.mode !== 'password') return {};

	const sessionLogin = loginKey(proof);
	const kept = keptToken(credentials, sessionLogin);
	if (kept !== undefined) {
		const isOver = await knock(tokenHeaders(kept, workspaceId)).then(() => false, isUnauthorized);
		if (!isOver) return {};
		dropToken(sessionLogin, kept);
	}
	return { sessionToken: await loginToken(proof, send), sessionLogin };
}

const CHECK_KEY =
	"Check 'Access Key ID' and 'Secret Access Key' in the credential: five refusals lock the key";

/** The token that n8n keeps, if it came from this very login. */
function keptToken(credentials: ICredentialDataDecryptedObject, login: string): string | undefined {
	return (credentials.sessionLogin === login && credentialText(credentials, 'sessionToken')) || undefined;
}

/** Where a request goes. A bare `%` in its path stands for itself. */
function addressOf({ uri, url: address, baseURL }: RequestOptions): URL {
	let text = uri ?? address;
	if (baseURL && !URL.canParse(text)) text = `${baseURL.replace(/\/+$/, '')}/${text.replace(/^\/+/, '')}`;
	if (!URL.canParse(text)) {
		throw new InputError(
			'The URL of the request is not a web address',
			'Begin it with https:// and the host',
		);
	}
	const url = new URL(text);
	url.pathname = url.pathname.replace(/%(?![\da-f]{2})/gi, '%25');
	return url;
}

/**
 * The very address that was looked at, and no other beside it: n8n's older helper takes `url` before `uri`.
 */
function addressFields({ uri }: RequestOptions, { href }: URL) {
	const none = { uri: undefined, url: undefined as unknown as string, baseURL: undefined };
	return uri === undefined ? { ...none, url: href } : { ...none, uri: href };
}

/** Signs a request as it will be sent: with its query in the address and its body as text. */
function sign(
	options: RequestOptions,
	url: URL,
	{ projectId, workspaceId }: Credential,
	accessKey: AccessKey,
): IHttpRequestOptions {
	const { method = 'GET', qs = {}, headers = {} } = options;
	const query = Object.entries(qs).flatMap(([name, value]) =>
		[value]
			.flat()
			.map((one) => `${encode(name)}=${encode(typeof one === 'string' ? one : JSON.stringify(one))}`),
	);
	url.search = [url.search, ...query].filter(Boolean).join('&');

	const body = bodyText(options);
	const isJson = body !== options.body && body !== '';
	const contentType =
		isJson && !hasHeader(headers, 'content-type') ? { 'Content-Type': 'application/json' } : {};
	const own = accessKeyHeaders(projectId, workspaceId);
	const signature = signedHeaders({ method, url, headers: own, body }, accessKey, new Date());
	return {
		...options,
		...addressFields(options, url),
		qs: {},
		body: body || undefined,
		headers: { ...headers, ...contentType, ...signature },
	};
}

function bodyText({ body, form, formData, method = 'GET' }: RequestOptions): string {
	if (form === undefined && formData === undefined) {
		if (body === undefined || body === null) return '';
		if (typeof body === 'string') return body;
		const isPlain = [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(body) as object);
		if (isPlain) return method === 'GET' && Object.keys(body).length === 0 ? '' : JSON.stringify(body);
	}
	throw new InputError(
		"A request with a form or a file cannot be signed with the credential's access key",
		"Send JSON, or choose 'Password' as the credential's 'Authentication'",
	);
}

function hasHeader(headers: object, name: string): boolean {
	return Object.keys(headers).some((header) => header.toLowerCase() === name);
}
