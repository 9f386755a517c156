import type { JsonObject } from 'n8n-workflow';

import type { HttpResponse } from '../network/network';
import { adviceFor, adviceOn } from './advice';
import { type RequestContext, RequestError, type RequestErrorDetails, type Retry } from './errors';
import { SecretMask } from './secrets';
import { codeOf, hostOf, textOf } from './serviceText';

/** What follows from a failed request: whether it may have acted, and whether it may be sent again. */
export interface Verdict {
	mayHaveActed: boolean;
	/** Given only if it may be sent again. */
	retry?: Retry;
}

/** What a response says that is no success. */
export interface Refusal {
	status: number;
	headers: HttpResponse['headers'];
	/** The service's own code, or the HTTP status as `HTTP_<status>`. */
	code: string;
	/** Whether the code is the service's. */
	hasCode: boolean;
	/** The service's words. */
	text?: string;
	requestId?: string;
	/** For a redirect, where it leads. */
	redirectTo?: string;
}

/**
 * Reads a response that is no success, without any secret that it repeats.
 *
 * @param body the response's JSON object, if it holds one
 */
export function readRefusal(
	response: HttpResponse,
	body: JsonObject | undefined,
	secrets: readonly string[],
): Refusal {
	const { status, headers } = response;
	const mask = new SecretMask(secrets);
	// IAM nests its errors, and so do newer versions of VPC Endpoint. Huawei Cloud's SDKs read them in this order.
	const nested = isObject(body?.error) ? body.error : undefined;
	const text = textOf(
		[nested?.message, nested?.error_msg, body?.error_msg, body?.message].find((value) => value ?? false),
		mask,
	);
	const named = codeOf(nested?.code ?? nested?.error_code ?? body?.error_code, mask);
	// IAM repeats the status as its code, which says nothing more.
	const serviceCode = named === String(status) ? undefined : named;
	return {
		status,
		headers,
		code: serviceCode ?? `HTTP_${status}`,
		hasCode: serviceCode !== undefined,
		text,
		requestId: codeOf(body?.request_id ?? headers['x-request-id'], mask),
		redirectTo: isRedirect(response) ? (hostOf(headers.location, mask) ?? 'another address') : undefined,
	};
}

/** The error for a response that is no success. */
export function refusalError(
	{ status, headers, code, hasCode, text, requestId, redirectTo }: Refusal,
	{ mayHaveActed, retry }: Verdict,
	{ doubt, unauthorized, advice }: RequestContext,
): RequestError {
	const outcomeUnknown = mayHaveActed && doubt !== undefined;
	const notes = outcomeUnknown ? [doubt] : [];
	if (redirectTo) {
		return new RequestError(
			`The service answered with a redirect to ${redirectTo}, which was not followed`,
			'Check the custom address in the credential and the proxy that n8n uses: nothing is sent to another host',
			{ code: 'REDIRECT_REFUSED', httpStatus: status, outcomeUnknown },
			{ notes },
		);
	}
	const details: RequestErrorDetails = { code, httpStatus: status, outcomeUnknown };
	if (requestId) details.requestId = requestId;
	if (status < 300) {
		return new RequestError(
			text
				? `The service did not carry out the request: ${text}`
				: 'The service did not carry out the request and gave no reason',
			adviceOn('invalid', advice),
			details,
			{ notes },
		);
	}
	if (status < 400) {
		return new RequestError(
			`The service answered with HTTP status ${status}, which is no answer to this request`,
			'Check that the custom address in the credential is that of the service and that no proxy or cache answers in its place',
			details,
			{ notes },
		);
	}
	const message = text ?? `The service answered with HTTP status ${status} and no reason`;
	return new RequestError(
		hasCode ? `${message} (${code})` : message,
		adviceFor(code, status, advice) ?? unauthorized(headers),
		details,
		{ notes, retry },
	);
}

function isRedirect({ status, headers }: HttpResponse): boolean {
	if ([301, 302, 303, 307, 308].includes(status)) return true;
	return [300, 305, 306].includes(status) && headers.location !== undefined;
}

/**
 * The error for a response with a success status that is not what the API promises, such as a sign-in page.
 *
 * @param missing what the response should have held
 * @param status the response's; 200 is the one that the services document
 * @param doubt what to say if the request may have created or changed something
 */
export function unexpectedResponse(missing: string, status = 200, doubt?: string): RequestError {
	return new RequestError(
		`The service answered without ${missing}`,
		'Check that the custom address in the credential is that of the service and that no proxy answers in its place',
		{ code: 'UNEXPECTED_ANSWER', httpStatus: status, outcomeUnknown: doubt !== undefined },
		{ notes: doubt === undefined ? [] : [doubt] },
	);
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A response with a success status, read. */
export interface ReceivedObject {
	object: JsonObject;
	headers: HttpResponse['headers'];
}
