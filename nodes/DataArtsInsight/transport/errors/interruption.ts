import type { Interruption, ProxyProblem, StopReason } from '../network/failure';
import { adviceOn } from './advice';
import type { Verdict } from './answer';
import { InputError, type RequestContext, RequestError } from './errors';

const CHECK_ADDRESS = 'Check the region or the custom address in the credential';

/** Where a request goes. */
export interface Target {
	host: string;
	/** The proxy's host, if there is one. */
	proxyHost?: string;
}

/** The error for a request that brought no whole response. */
export function interruptionError(
	{ cause, sent, stopped, limit, untrusted }: Interruption,
	{ host, proxyHost }: Target,
	{ mayHaveActed, retry }: Verdict,
	{ doubt, advice }: Pick<RequestContext, 'doubt' | 'advice'>,
): RequestError {
	const outcomeUnknown = mayHaveActed && doubt !== undefined;
	const notes = outcomeUnknown ? [doubt] : [];
	if (stopped) {
		const { code, message, remedy } = STOPPED[stopped];
		return new RequestError(
			limit === undefined ? message : `${message} at ${sizeOf(limit)}`,
			remedy ?? adviceOn('timeout', advice),
			{ code, outcomeUnknown },
			{ notes },
		);
	}
	if (sent) {
		return new RequestError(
			`The connection to ${host} was lost before the whole response had come`,
			'Check the network between n8n and Huawei Cloud',
			{ code: 'CONNECTION_LOST', outcomeUnknown },
			{ notes },
		);
	}
	if (cause.code === 'EGRESS_BLOCKED') {
		return new RequestError(
			`n8n is not allowed to call ${host}`,
			'Check the custom address in the credential, or ask the administrator of n8n to allow the host (N8N_SSRF_ALLOWED_HOSTNAMES)',
			{ code: 'BLOCKED', outcomeUnknown },
			{ notes, retry },
		);
	}
	const { reason, remedy } = whyNotConnected(cause, untrusted);
	const target = proxyHost ? `${host} through the proxy ${proxyHost}` : host;
	return new RequestError(
		`No connection to ${target}: ${reason}`,
		`Nothing was sent. ${remedy}`,
		{ code: 'CONNECTION_FAILED', outcomeUnknown },
		{ notes, retry },
	);
}

/** The error for a request that is not sent, since the execution was stopped. */
export function cancelled(): RequestError {
	const { code, message, remedy = '' } = STOPPED.cancelled;
	return new RequestError(message, remedy, { code, outcomeUnknown: false });
}

/**
 * The error for a request that is not sent, since the service takes none.
 *
 * @param refused how the service answered the last request
 * @param reason why nothing is sent, in a few words
 */
export function notSent({ advice, details }: RequestError, reason: string): RequestError {
	const { code, httpStatus } = details;
	return new RequestError(`Not sent: ${reason}`, advice, { code, httpStatus, outcomeUnknown: false });
}

/** The error for a proxy in n8n's environment that cannot be used. */
export function unusableProxy(problem: ProxyProblem): InputError {
	return new InputError(
		PROXY_PROBLEMS[problem],
		'Correct HTTPS_PROXY or ALL_PROXY in the environment of n8n',
	);
}

const PROXY_PROBLEMS: Record<ProxyProblem, string> = {
	notAnAddress: "The proxy in n8n's environment is not a web address",
	unknownKind: "The proxy in n8n's environment is of a kind that cannot be used",
	loginNotEncoded: "The login of the proxy in n8n's environment is not percent-encoded",
};

const CHECK_CUSTOM_ADDRESS = 'Check that the custom address in the credential is that of the service';

/** What is said of a request that was ended from this side. Without a remedy it is the caller's. */
const STOPPED: Record<StopReason, { code: string; message: string; remedy?: string }> = {
	timeout: { code: 'TIMEOUT', message: 'The service did not answer in time' },
	tooLarge: {
		code: 'ANSWER_TOO_LARGE',
		message: 'The response was cut off',
		remedy: CHECK_CUSTOM_ADDRESS,
	},
	headersTooLarge: {
		code: 'ANSWER_TOO_LARGE',
		message: 'The headers of the response were cut off',
		remedy: CHECK_CUSTOM_ADDRESS,
	},
	cancelled: {
		code: 'CANCELLED',
		message: 'The execution was canceled while the request was in flight',
		remedy: 'Start the workflow again when you want to go on',
	},
};

function sizeOf(bytes: number): string {
	const KIB = 1024;
	return bytes < KIB * KIB ? `${bytes / KIB} KiB` : `${bytes / KIB / KIB} MiB`;
}

/**
 * Why no connection came about, and what to do about it.
 *
 * @param cause the network's error, with a code of Node.js's or undici's, or the proxy's response
 */
function whyNotConnected(
	cause: Interruption['cause'],
	untrusted?: boolean,
): { reason: string; remedy: string } {
	if (cause.code === 'PROXY_REFUSED') {
		if (cause.reached) {
			return {
				reason: `the proxy could not reach the service and answered with ${cause.answer}`,
				remedy: `${CHECK_ADDRESS}, and whether the proxy can reach the service`,
			};
		}
		return {
			reason: `the proxy refused it with ${cause.answer}`,
			remedy:
				'Check HTTPS_PROXY and ALL_PROXY in the environment of n8n, and the login in them. If they are right, ask whoever runs the proxy to allow the service',
		};
	}
	const { code = '' } = cause;
	switch (code) {
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return {
				reason: 'the host name could not be resolved',
				remedy: `${CHECK_ADDRESS} and the name resolution of the machine that runs n8n`,
			};
		case 'ECONNREFUSED':
			return { reason: 'it was refused', remedy: `${CHECK_ADDRESS}, above all the port` };
		case 'ETIMEDOUT':
		case 'EHOSTUNREACH':
		case 'ENETUNREACH':
		case 'UND_ERR_CONNECT_TIMEOUT':
			return {
				reason: 'the host did not answer',
				remedy: `${CHECK_ADDRESS} and whether a firewall or a proxy stands between n8n and the service`,
			};
		case 'CERT_HAS_EXPIRED':
			return notTrusted(
				'its certificate has expired',
				code,
				'Ask whoever runs the service to renew the certificate, and check the clock of the machine that runs n8n',
			);
		case 'CERT_NOT_YET_VALID':
			return notTrusted(
				'its certificate is not valid yet',
				code,
				'Check the clock of the machine that runs n8n, or ask whoever runs the service',
			);
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return notTrusted(
				'its certificate is for another host',
				code,
				`${CHECK_ADDRESS}: it has to be the name that the certificate is for`,
			);
	}
	if (untrusted) {
		return notTrusted(
			'its certificate is not trusted',
			code,
			'Let n8n know the certificate authority through NODE_EXTRA_CA_CERTS',
		);
	}
	return {
		reason: code ? `it broke off (${code})` : 'it broke off',
		remedy: `${CHECK_ADDRESS} and the network between n8n and the service`,
	};
}

function notTrusted(what: string, code: string, remedy: string) {
	return {
		reason: `${what} (${code})`,
		remedy: `${remedy}, or turn on 'Ignore SSL Issues (Insecure)' in the credential if you trust the network`,
	};
}
