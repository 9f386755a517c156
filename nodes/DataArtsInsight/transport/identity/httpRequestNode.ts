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
import { assertCallerNotRefused, checkAccessKey } from './authenticators';
import { type Credential, credentialText, readCredential, serviceAt } from './credential';
import { accessKeyHeaders, tokenHeaders } from './headers';
import { loginKey, loginToken, type SendLogin } from './login';
import { isUnauthorized } from './refusals';
import { type AccessKey, encode, signedHeaders } from './signature';
import { dropToken } from './tokens';

/*
 * What n8n's HTTP Request node does with a credential of this type. The node of this package has its own way:
 * it logs in, and signs each request anew.
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
	const { authentication, workspaceId } = credential;
	const proxy = options.proxy ?? proxyFor(url.origin);
	const request = { ...options, ...NO_REDIRECTS, ...addressFields(options, url), ...(proxy && { proxy }) };
	if (authentication.mode === 'accessKey') return sign(request, url, credential, authentication.accessKey);

	const token =
		authentication.mode === 'token' ? authentication.token : keptToken(credentials, loginKey(authentication));
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
	const credential = readCredential(credentials);
	const { authentication, origin, projectId, workspaceId, secrets } = credential;
	const { allowUnauthorizedCerts } = credential;
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
		const path = `/v1/${projectId}/connections?limit=1&offset=0`;
		const plain = { method: 'GET' as const, url: new URL(path, origin), headers: own, body: '' };
		const headers = accessKey ? signedHeaders(plain, accessKey, new Date()) : own;
		const context = { secrets, unauthorized: () => CHECK_KEY };
		return await send({ method: plain.method, origin, path, headers }, context, LOGIN_LIMITS);
	};

	if (authentication.mode === 'accessKey') {
		const own = accessKeyHeaders(projectId, workspaceId);
		await checkAccessKey(authentication, async () => await probe(own, authentication.accessKey));
	}
	if (authentication.mode !== 'password') return {};

	const sessionLogin = loginKey(authentication);
	const kept = keptToken(credentials, sessionLogin);
	if (kept !== undefined) {
		const isRefused = await probe(tokenHeaders(kept, workspaceId)).then(
			() => false,
			(error: unknown) => {
				if (!(error instanceof RequestError)) throw error;
				return isUnauthorized(error);
			},
		);
		if (!isRefused) return {};
		dropToken(sessionLogin, kept);
	}
	return { sessionToken: await loginToken(authentication, sendLogin), sessionLogin };
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
