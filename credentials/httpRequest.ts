import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';

import {
	type Answer,
	dropToken,
	ExchangeError,
	InputError,
	interruption,
	loginKey,
	loginToken,
	openSession,
	readAnswer,
	type SendLogin,
} from '../nodes/DataArtsInsight/transport';
import { accessKeyHeaders, credentialText, tokenHeaders } from './authentication';
import { type AccessKey, encode, signedHeaders } from './signature';

/*
 * What n8n's HTTP Request node does with a credential of this type. The node of this package has its own way:
 * it logs in and signs for each attempt anew.
 */

/** How long IAM may take, in milliseconds. */
const TIMEOUT = 30_000;

/** n8n's HTTP Request node hands over the options of its older helper, whose address is `uri`. */
type RequestOptions = IHttpRequestOptions & { uri?: string; form?: unknown; formData?: unknown };

/**
 * Adds to a request what proves the caller.
 *
 * @throws {InputError} if the credential cannot be used, or a request to sign has a body that cannot be
 */
export function authenticateRequest(
	credentials: ICredentialDataDecryptedObject,
	options: RequestOptions,
): IHttpRequestOptions {
	const session = openSession(credentials);
	const { proof, projectId, workspaceId } = session;
	if (proof.mode === 'accessKey') {
		return sign(options, accessKeyHeaders(projectId, workspaceId), proof.accessKey);
	}
	if (proof.mode === 'token') {
		return { ...options, headers: { ...options.headers, ...tokenHeaders(proof.token, workspaceId) } };
	}
	const { sessionLogin } = credentials;
	// Without a token the service answers 401, and n8n logs in and tries again.
	const headers =
		sessionLogin === loginKey(proof)
			? tokenHeaders(credentialText(credentials, 'sessionToken'), workspaceId)
			: { 'X-Workspace-Id': workspaceId };
	return { ...options, headers: { ...options.headers, ...headers } };
}

/**
 * Fetches a token from IAM for a credential with a password. Requests that need one at the same time share it.
 *
 * @returns what n8n keeps, encrypted, in the hidden fields of the credential; nothing in the other modes
 * @throws {RequestError} if IAM could not be reached or refused the login
 */
export async function logIn(
	{ helpers }: IHttpRequestHelper,
	credentials: ICredentialDataDecryptedObject,
): Promise<IDataObject> {
	if (credentials.authentication !== 'password') return {};
	const { proof } = openSession(credentials);
	if (proof.mode !== 'password') return {};

	const send: SendLogin = async ({ method, origin, path, headers, body }, context) => {
		const answer = await (
			helpers.httpRequest({
				url: `${origin}${path}`,
				method,
				headers,
				body,
				timeout: TIMEOUT,
				disableFollowRedirect: true,
				ignoreHttpStatusErrors: true,
				returnFullResponse: true,
				skipSslCertificateValidation: proof.allowUnauthorizedCerts,
			}) as Promise<IN8nHttpFullResponse>
		).catch((cause: Error) => cause);
		if (answer instanceof Error) {
			// The helper's error holds the request, and so the password: only its code goes on.
			const stopped = 'code' in answer && answer.code === 'ECONNABORTED' ? 'timeout' : undefined;
			throw interruption(new ExchangeError(answer, false, stopped), new URL(origin), false);
		}
		const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
		return readAnswer(
			{ status: answer.statusCode, headers: answer.headers as Answer['headers'], text },
			context,
		);
	};
	const sessionLogin = loginKey(proof);
	// n8n asks again when the service has refused the token that it keeps.
	dropToken(sessionLogin, credentialText(credentials, 'sessionToken'));
	return { sessionToken: await loginToken(proof, send), sessionLogin };
}

/** Signs a request as it will be sent: with its query in the address and its body as text. */
function sign(
	options: RequestOptions,
	proof: Record<string, string>,
	accessKey: AccessKey,
): IHttpRequestOptions {
	const { uri, url: address, baseURL, method = 'GET', qs = {}, headers = {} } = options;
	const url = new URL(uri ?? address, baseURL);
	const query = Object.entries(qs).flatMap(([name, value]) =>
		[value]
			.flat()
			.map((one) => `${encode(name)}=${encode(typeof one === 'string' ? one : JSON.stringify(one))}`),
	);
	url.search = [url.search.slice(1), ...query].filter(Boolean).join('&');

	const body = bodyText(options);
	const isJson = body !== options.body && body !== '';
	const contentType =
		isJson && !hasHeader(headers, 'content-type') ? { 'Content-Type': 'application/json' } : {};
	const signature = signedHeaders({ method, url, headers: proof, body }, accessKey, new Date());
	return {
		...options,
		...(uri ? { uri: url.href } : { url: url.href, baseURL: undefined }),
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
