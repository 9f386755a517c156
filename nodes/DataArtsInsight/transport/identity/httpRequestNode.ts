import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
} from 'n8n-workflow';

import { InputError, type RequestContext, RequestError } from '../errors/errors';
import { exchange } from '../network/n8n/exchange';
import { proxyFor } from '../network/n8n/options';
import type { HttpRequest, SendLimits } from '../network/network';
import { interrupted, LOGIN_LIMITS, receive, withLoginRetries } from '../repeat';
import { checkAccessKeyAdvice, signRequest } from './accessKey';
import { serviceAt } from './address';
import { knownTemporaryKey, type TemporaryKey, temporaryKeySource } from './agency';
import { assertCallerNotRefused, checkAccessKey } from './authenticators';
import { type Credential, readCredential } from './credential';
import { credentialText } from './fields';
import { accessKeyHeaders, secretsIn, tokenHeaders, workspaceHeaders } from './headers';
import { loginKey, loginSource } from './login';
import { probeOf } from './probe';
import { isUnauthorized } from './refusals';
import { type AccessKey, encode, signedHeaders } from './signature';
import type { SendLogin } from './tokenSource';

/*
 * What n8n's HTTP Request node does with a credential of this type. The node of this package has its own way:
 * it logs in or gets temporary keys, and signs each request anew.
 */

/** n8n's HTTP Request node hands over the options of its older helper, whose address is `uri`. */
type RequestOptions = IHttpRequestOptions & { uri?: string; form?: unknown; formData?: unknown };

/** Neither of n8n's helpers follows a redirect then: it would take the token or signature along to whatever host the redirect names. */
const NO_REDIRECTS = {
	disableFollowRedirect: true,
	followRedirect: false,
	followAllRedirects: false,
	maxRedirects: 0,
	sendCredentialsOnCrossOriginRedirect: false,
};

/**
 * Adds to a request the headers that say who calls.
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
	const credential = readCredential(credentials, serviceAt(credentials, url));
	assertCallerNotRefused(credential);
	const { authentication } = credential;
	const proxy = options.proxy ?? proxyFor(url.origin);
	const request = { ...options, ...NO_REDIRECTS, ...addressFields(options, url), ...(proxy && { proxy }) };
	if (authentication.mode === 'accessKey') return sign(request, url, credential, authentication.accessKey);
	if (authentication.mode === 'agency') {
		const key = knownTemporaryKey(authentication);
		sentWith.set(credentials, key);
		return key ? sign(request, url, credential, key) : request;
	}

	const token =
		authentication.mode === 'token' ? authentication.token : keptToken(credentials, loginKey(authentication));
	// Without a token the service answers 401, and n8n logs in and tries again.
	const headers = token ? { ...tokenHeaders(token), ...workspaceHeaders(credential) } : {};
	return { ...request, headers: { ...options.headers, ...headers } };
}

/**
 * The temporary keys that a request was signed with; none where there were none at hand. n8n reads the credential anew for
 * each request and hands over the same object each time that it asks about this request.
 */
const sentWith = new WeakMap<ICredentialDataDecryptedObject, TemporaryKey | undefined>();

/**
 * Gets ready what proves the caller. n8n asks for it before a request if it keeps no token, and after any request that
 * failed. Then it sends the request once more if it is given a token, so it is given one only if the service refused
 * the one before: whatever else failed may have created something.
 *
 * A key is tried by a request of our own before n8n signs with it, since n8n does not tell what became of its requests.
 *
 * @returns what n8n keeps, encrypted, in the hidden fields of the credential: with a password the token, and with an
 * agency nothing, since its temporary keys stay in memory. A blank token makes n8n ask before the next request again
 * @throws {RequestError} if IAM could not be reached, or the login, the key or the agency was refused
 */
export async function prepareCaller(
	{ helpers }: IHttpRequestHelper,
	credentials: ICredentialDataDecryptedObject,
): Promise<IDataObject> {
	const { credential, path } = probeOf(credentials);
	const { authentication, origin, projectId, secrets, allowUnauthorizedCerts } = credential;
	const send = async (request: HttpRequest, context: RequestContext, limits: SendLimits) => {
		const response = await exchange(helpers, request, allowUnauthorizedCerts, limits).catch(
			(error: unknown) => {
				throw interrupted(error, new URL(request.origin), context);
			},
		);
		return receive(response, context);
	};
	const sendLogin: SendLogin = async (request, context, end) =>
		await withLoginRetries(end, async (limits) => await send(request, context, limits));
	/** Sends a request that creates nothing, to see whether the service takes the caller. */
	const probe = async (own: Record<string, string>, accessKey?: AccessKey) => {
		const plain = {
			method: 'GET' as const,
			origin,
			path,
			headers: { ...own, ...workspaceHeaders(credential) },
		};
		const headers = accessKey ? signRequest(plain, accessKey) : plain.headers;
		const context = {
			secrets: [...secrets, ...secretsIn(headers), accessKey?.secretAccessKey ?? ''],
			unauthorized: checkAccessKeyAdvice,
		};
		return await send({ ...plain, headers }, context, LOGIN_LIMITS);
	};

	switch (authentication.mode) {
		case 'token':
			return {};
		case 'accessKey': {
			const own = accessKeyHeaders(projectId);
			await checkAccessKey(authentication, async () => await probe(own, authentication.accessKey));
			return {};
		}
		case 'agency': {
			const source = temporaryKeySource(authentication, sendLogin);
			const isSent = sentWith.has(credentials);
			const key = sentWith.get(credentials);
			if (key && !(await isRefused(probe(accessKeyHeaders(projectId), key)))) return {};
			if (key) source.drop(key);
			await source.get();
			return isSent ? { sessionToken: '', sessionLogin: '' } : {};
		}
		case 'password': {
			const source = loginSource(authentication, sendLogin);
			const sessionLogin = loginKey(authentication);
			const kept = keptToken(credentials, sessionLogin);
			if (kept !== undefined && !(await isRefused(probe(tokenHeaders(kept))))) return {};
			if (kept !== undefined) source.drop(kept);
			return { sessionToken: await source.get(), sessionLogin };
		}
	}
}

/** @returns whether the service does not take who sent a request; whatever else comes of the request says nothing */
async function isRefused(request: Promise<unknown>): Promise<boolean> {
	return await request.then(
		() => false,
		(error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
			return isUnauthorized(error);
		},
	);
}

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
	credential: Credential,
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
	const own = { ...accessKeyHeaders(credential.projectId), ...workspaceHeaders(credential) };
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
