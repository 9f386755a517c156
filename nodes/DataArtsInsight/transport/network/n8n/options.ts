import { constants } from 'crypto';

import type { IHttpRequestOptions } from 'n8n-workflow';

import type { HttpRequest } from '../network';

/** What n8n's request helper is asked for, whoever it is asked by. */
export function optionsOf(
	{ method, origin, path, headers, body }: HttpRequest,
	allowUnauthorizedCerts: boolean,
) {
	return {
		url: `${origin}${path}`,
		method,
		headers: { ...headers },
		body,
		proxy: proxyFor(origin),
		disableFollowRedirect: true,
		ignoreHttpStatusErrors: true,
		returnFullResponse: true,
		encoding: 'stream',
		skipSslCertificateValidation: allowUnauthorizedCerts,
		// Given even where it is the default: left out, NODE_TLS_REJECT_UNAUTHORIZED would decide.
		agentOptions: {
			rejectUnauthorized: !allowUnauthorizedCerts,
			// Node.js checks the certificate of a renegotiation as well: a certificate error could come after the request.
			secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
		},
	} satisfies IHttpRequestOptions;
}

/**
 * Without TLS a token may go to this machine only, and so through no proxy. The helper takes the environment's proxy
 * unless it is given another, and none is not on offer. So such a service is its own proxy: it gets its whole address
 * in the request line, which every server has to take (RFC 9112, section 3.2.2).
 *
 * @returns nothing for an address with TLS: the environment's proxy counts, and sees no more than the host
 */
export function proxyFor(origin: string): IHttpRequestOptions['proxy'] {
	const { protocol, hostname, port } = new URL(origin);
	return protocol === 'http:' ? { protocol, host: hostname, port: Number(port || 80) } : undefined;
}

/** The same in the words of n8n's older helper. */
export function olderOptions(options: IHttpRequestOptions): object {
	const { url, method, headers, body, proxy, timeout, agentOptions } = options;
	return {
		uri: url,
		method,
		headers,
		body,
		proxy,
		timeout,
		agentOptions,
		followRedirect: false,
		followAllRedirects: false,
		simple: false,
		resolveWithFullResponse: true,
		useStream: true,
	};
}
