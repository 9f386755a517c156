import type { JsonObject } from 'n8n-workflow';

import { adviceFor, STOPPED, whyNotConnected } from './advice';
import type { HttpResponse, ExchangeError, StopReason } from '../network/exchange';
import type { Route } from '../network/route';
import { SecretMask } from './secrets';
import { codeOf, hostOf, retryAfter, textOf } from './serviceText';

const RUN_AGAIN =
	'The call may have reached the service, so it was not repeated and a VPC endpoint may exist: run the node again to see its state';

/** The network error code of a connection that the instance's egress policy does not allow. */
export const EGRESS_BLOCKED = 'EGRESS_BLOCKED';

/** A value that somebody entered and that cannot be used: nothing was sent. */
export class InputError extends Error {
	/**
	 * @param message names the field and says what is wrong with it
	 * @param description says what to do
	 */
	constructor(
		message: string,
		readonly description: string,
	) {
		super(message);
	}
}

/** What can be told apart about a failed call, for the nodes that follow. */
export interface RequestErrorDetails {
	/** The service's own code, or ours in capitals where it gave none. */
	code: string;
	httpStatus?: number;
	requestId?: string;
	/** Whether the call may have created a VPC endpoint nonetheless. */
	outcomeUnknown: boolean;
}

/** How a call may be repeated because the service cannot have acted on it. */
export interface Retry {
	/** Whether the service takes no calls at all for the moment. */
	throttled: boolean;
	/** Milliseconds that the service asks to wait. */
	after?: number;
}

/** A call that was refused, or that brought no answer that can be used. */
export class RequestError extends Error {
	/** How often the call was made. */
	attempts = 1;

	/** What was known before the call, as a sentence without its full stop. */
	known?: string;

	/**
	 * @param message what happened
	 * @param advice what to do, as a sentence without its full stop
	 * @param details what a workflow can act on
	 * @param retry given only if the service cannot have acted on the call
	 */
	constructor(
		message: string,
		readonly advice: string,
		readonly details: RequestErrorDetails,
		readonly retry?: Retry,
	) {
		super(message);
	}

	get description(): string {
		const sentences = [this.advice];
		if (this.details.outcomeUnknown) sentences.push(RUN_AGAIN);
		if (this.known) sentences.push(this.known);
		if (this.attempts > 1) sentences.push(`Tried ${this.attempts} times`);
		if (this.details.requestId) sentences.push(`Request ID: ${this.details.requestId}`);
		return sentences.join('. ');
	}
}

/** What the words of a refusal depend on, beside the answer itself. */
export interface RefusalContext {
	/** Whether the request creates something. */
	creates: boolean;
	/** What must not be shown, even if the service repeats it. */
	secrets: readonly string[];
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: HttpResponse['headers']) => string;
}

/**
 * The error for an answer that is not a success.
 *
 * @param answer what came back
 * @param body the answer's JSON object, if it holds one
 */
export function refusal(
	answer: HttpResponse,
	body: JsonObject | undefined,
	{ creates, secrets, unauthorized }: RefusalContext,
): RequestError {
	const { status, headers } = answer;
	const mask = new SecretMask(secrets);
	if (isRedirect(answer)) {
		return new RequestError(
			`The service answered with a redirect to ${hostOf(headers.location, mask) ?? 'another address'}, which was not followed`,
			'Check the custom address in the credential and the proxy that n8n uses: nothing is sent to another host',
			// By 303 a server says that it has acted and where the result is.
			{ code: 'REDIRECT_REFUSED', httpStatus: status, outcomeUnknown: creates && status === 303 },
		);
	}

	// IAM nests its errors, and so do newer versions of VPC Endpoint. Huawei Cloud's SDKs read them in this order.
	const nested = isObject(body?.error) ? body.error : undefined;
	const text = textOf(
		[nested?.message, nested?.error_msg, body?.error_msg, body?.message].find((value) => value ?? false),
		mask,
	);
	const named = codeOf(nested?.code ?? nested?.error_code ?? body?.error_code, mask);
	// IAM repeats the status as its code, which says nothing more.
	const serviceCode = named === String(status) ? undefined : named;
	const requestId = codeOf(body?.request_id ?? headers['x-request-id'], mask);
	const code = serviceCode ?? `HTTP_${status}`;
	const details: RequestErrorDetails = { code, httpStatus: status, outcomeUnknown: false };
	if (requestId) details.requestId = requestId;

	if (status < 300) {
		return new RequestError(
			text
				? `The service did not carry out the call: ${text}`
				: 'The service did not carry out the call and gave no reason',
			'Check the values of the node, then run it again',
			details,
		);
	}
	if (status < 400) {
		// Whoever answered so, such as a cache, did not say whether it passed the call on.
		details.outcomeUnknown = creates;
		return new RequestError(
			`The service answered with HTTP status ${status}, which is no answer to this call`,
			'Check that the custom address in the credential is that of the service and that no proxy or cache answers in its place',
			details,
		);
	}
	// Below 500 the service refused the call. With 503 the gateway says that it did not pass it on.
	const notPassedOn = status === 429 || (status === 503 && /^APIG(W)?\./.test(code));
	details.outcomeUnknown = creates && status >= 500 && !notPassedOn;
	const message = text ?? `The service answered with HTTP status ${status} and no reason`;
	return new RequestError(
		serviceCode ? `${message} (${code})` : message,
		adviceFor(code, status) ?? unauthorized(headers),
		details,
		notPassedOn ? { throttled: true, after: retryAfter(headers) } : undefined,
	);
}

function isRedirect({ status, headers }: HttpResponse): boolean {
	if ([301, 302, 303, 307, 308].includes(status)) return true;
	return [300, 305, 306].includes(status) && headers.location !== undefined;
}

/**
 * The error for a call that is not made, since the service takes none.
 *
 * @param refused how the service answered the last call
 * @param reason why nothing is sent, in a few words
 */
export function notSent({ advice, details }: RequestError, reason: string): RequestError {
	const { code, httpStatus } = details;
	return new RequestError(`Not sent: ${reason}`, advice, { code, httpStatus, outcomeUnknown: false });
}

/**
 * The error for an answer with a success status that is not what the API promises, such as a sign-in page.
 *
 * @param missing what the answer should have held
 * @param status the answer's; 200 is the one that the services document
 */
export function unexpectedAnswer(missing: string, creates: boolean, status = 200): RequestError {
	return new RequestError(
		`The service answered without ${missing}`,
		'Check that the custom address in the credential is that of the service and that no proxy answers in its place',
		{ code: 'UNEXPECTED_ANSWER', httpStatus: status, outcomeUnknown: creates },
	);
}

/** The error for a call that was ended from this side. */
export function ended(reason: StopReason, outcomeUnknown: boolean): RequestError {
	const { code, message, advice } = STOPPED[reason];
	return new RequestError(message, advice, { code, outcomeUnknown });
}

/** The error for a host that n8n's egress policy does not allow. */
export function blocked(host: string): RequestError {
	return new RequestError(
		`n8n is not allowed to call ${host}`,
		'Check the custom address in the credential, or ask the administrator of n8n to allow the host (N8N_SSRF_ALLOWED_HOSTNAMES)',
		{ code: 'BLOCKED', outcomeUnknown: false },
	);
}

/**
 * The error for a call that brought no whole answer.
 *
 * @param error what ended the exchange
 * @param route how the service was called
 * @param creates whether the call creates something
 */
export function interruption(
	{ cause, sent, stopped }: ExchangeError,
	{ host, proxyHost }: Pick<Route, 'host' | 'proxyHost'>,
	creates: boolean,
): RequestError {
	const outcomeUnknown = creates && sent;
	if (stopped) return ended(stopped, outcomeUnknown);
	if (sent) {
		return new RequestError(
			`The connection to ${host} was lost before the whole answer had come`,
			'Check the network between n8n and Huawei Cloud',
			{ code: 'CONNECTION_LOST', outcomeUnknown },
		);
	}
	if (cause.code === EGRESS_BLOCKED) return blocked(host);
	const { reason, advice, lasting } = whyNotConnected(cause);
	const target = proxyHost ? `${host} through the proxy ${proxyHost}` : host;
	return new RequestError(
		`No connection to ${target}: ${reason}`,
		`Nothing was sent. ${advice}`,
		{ code: 'CONNECTION_FAILED', outcomeUnknown },
		lasting ? undefined : { throttled: false },
	);
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
