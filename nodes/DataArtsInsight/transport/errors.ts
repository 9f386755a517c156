import type { INode, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { adviceFor, whyNotConnected } from './advice';
import { type Answer, type ExchangeError, MAX_ANSWER_SIZE } from './exchange';

/** The longest text of the service that is passed on, in characters. */
const MAX_TEXT = 500;

const RUN_AGAIN =
	'The call may have reached the service, so it was not repeated and a VPC endpoint may exist: run the node again to see its state';

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

/** A call that was refused, or that brought no answer that can be used. */
export class RequestError extends Error {
	/**
	 * @param message what happened
	 * @param advice what to do, as a sentence without its full stop
	 * @param details what a workflow can act on
	 */
	constructor(
		message: string,
		advice: string,
		readonly details: RequestErrorDetails,
	) {
		super(message);
		const sentences = [advice];
		if (details.outcomeUnknown) sentences.push(RUN_AGAIN);
		if (details.requestId) sentences.push(`Request ID: ${details.requestId}`);
		this.description = sentences.join('. ');
	}

	readonly description: string;
}

/**
 * The error for an answer that is not a success.
 *
 * @param answer what came back
 * @param body the answer's JSON object, if it holds one
 * @param creates whether the call creates something
 * @param secrets what must not be shown, even if the service repeats it
 */
export function refusal(
	answer: Answer,
	body: JsonObject | undefined,
	creates: boolean,
	secrets: readonly string[],
): RequestError {
	const { status, headers } = answer;
	if (status >= 300 && status < 400) {
		const target = targetHost(headers.location);
		return new RequestError(
			`The service answered with a redirect to ${target}, which was not followed`,
			"Check 'Base URL' in the credential and the proxy that n8n uses: the token is sent to no other host",
			{ code: 'REDIRECT_REFUSED', httpStatus: status, outcomeUnknown: false },
		);
	}

	// IAM nests its errors, the other services do not. Huawei Cloud's SDKs read them in this order.
	const nested = isObject(body?.error) ? body.error : undefined;
	const text = tidy(nested?.message ?? body?.error_msg ?? body?.message, secrets);
	const serviceCode = identifier(nested?.code ?? body?.error_code, secrets);
	const requestId = identifier(body?.request_id ?? headers['x-request-id'], secrets);
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
	// Below 500 the service refused the call. With 503 the gateway says that it did not pass it on.
	details.outcomeUnknown = creates && status >= 500 && !(status === 503 && /^APIG(W)?\./.test(code));
	const message = text ?? `The service answered with HTTP status ${status} and no reason`;
	return new RequestError(serviceCode ? `${message} (${code})` : message, adviceFor(code, status), details);
}

/**
 * The error for an answer with a success status that is not what the API promises, such as a sign-in page.
 *
 * @param missing what the answer should have held
 */
export function unexpectedAnswer(missing: string, creates: boolean): RequestError {
	return new RequestError(
		`The service answered without ${missing}`,
		"Check that 'Base URL' in the credential is the address of DataArts Insight and that no proxy answers in its place",
		{ code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: creates },
	);
}

const STOPPED = {
	timeout: {
		code: 'TIMEOUT',
		message: 'The service did not answer in time',
		advice: "Raise 'Timeout' in the options if the service needs longer",
	},
	tooLarge: {
		code: 'ANSWER_TOO_LARGE',
		message: `The answer was larger than ${MAX_ANSWER_SIZE / 1024 / 1024} MiB and was cut off`,
		advice: "Check that 'Base URL' in the credential is the address of DataArts Insight",
	},
	cancelled: {
		code: 'CANCELLED',
		message: 'The execution was canceled while the call was under way',
		advice: 'Start the workflow again when you want to go on',
	},
} as const;

/**
 * The error for a call that brought no whole answer.
 *
 * @param error what ended the exchange
 * @param host the host that was called
 * @param creates whether the call creates something
 */
export function interruption(error: ExchangeError, host: string, creates: boolean): RequestError {
	const outcomeUnknown = creates && error.sent;
	if (error.stopped) {
		const { code, message, advice } = STOPPED[error.stopped];
		return new RequestError(message, advice, { code, outcomeUnknown });
	}
	if (error.sent) {
		return new RequestError(
			`The connection to ${host} was lost before the whole answer had come`,
			'Check the network between n8n and Huawei Cloud',
			{ code: 'CONNECTION_LOST', outcomeUnknown },
		);
	}
	const { reason, advice } = whyNotConnected(error.cause.code ?? '');
	return new RequestError(`No connection to ${host}: ${reason}`, `Nothing was sent. ${advice}`, {
		code: 'CONNECTION_FAILED',
		outcomeUnknown,
	});
}

/**
 * The error as n8n shows it: with its words, the item it belongs to and what a workflow can act on.
 *
 * @param error whatever was thrown; one of n8n's own, such as that of an expression, stays what it is
 * @param itemIndex the item, counted from 0
 * @param progress how far the run came, as a sentence without its full stop
 */
export function toNodeError(node: INode, error: unknown, itemIndex: number, progress?: string): Error {
	if (error instanceof InputError || error instanceof RequestError) {
		const { message } = error;
		const description = progress ? `${error.description}. ${progress}` : error.description;
		if (error instanceof InputError) {
			return new NodeOperationError(node, message, { description, itemIndex });
		}
		const { details } = error;
		const nodeError = new NodeApiError(
			node,
			{ message, ...details },
			{ message, description, itemIndex, httpCode: details.httpStatus?.toString() },
		);
		// n8n puts a text of its own in place of a message that happens to contain a name like EACCES.
		nodeError.message = message;
		return nodeError;
	}
	return error instanceof Error ? error : new NodeOperationError(node, String(error), { itemIndex });
}

/** The host of a redirect, without the path and the values it may carry. */
function targetHost(location: string | string[] | undefined): string {
	const target = String(location);
	return URL.canParse(target) ? new URL(target).host : 'another address';
}

/** The service's text on one line, of a bearable length and without secrets. */
function tidy(value: unknown, secrets: readonly string[]): string | undefined {
	if (typeof value !== 'string') return undefined;
	let text = value;
	for (const secret of secrets) text = text.replaceAll(secret, '***');
	text = text.replaceAll(/\s+/g, ' ').trim();
	return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text || undefined;
}

/** A code or ID of the service; anything that does not look like one is left out. */
function identifier(value: unknown, secrets: readonly string[]): string | undefined {
	const text = typeof value === 'number' ? String(value) : value;
	if (typeof text !== 'string' || !/^[\w.-]{1,64}$/.test(text)) return undefined;
	return secrets.includes(text) ? undefined : text;
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
