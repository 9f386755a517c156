import type { IHttpRequestOptions } from 'n8n-workflow';

import { type Abortable, abortedBy, deadlineAfter } from '../deadline';
import { ExchangeError } from '../failure';
import type { HttpRequest, HttpResponse, NetworkHelpers, SendLimits } from '../network';
import { failure } from './failure';
import { olderOptions, optionsOf } from './options';
import { type HelperResponse, readResponse } from './response';

/**
 * By how many milliseconds the helper's own time limit is later than the one here, which says why it ended a request. The
 * test of a credential has a helper that nothing else ends.
 */
const GRACE = 1_000;

/**
 * Sends one request by n8n's request helper, once, and reads its whole response. The helper has a connection for each
 * request, so what the helper does not tell cannot be known: a request counts as not sent only if the error says that
 * no connection was established.
 *
 * @param limits the timeout begins before there is a connection
 * @throws {ExchangeError} if no whole response came, or a larger one than {@link MAX_BODY_SIZE}
 * @throws {UnusableProxy} if the environment's proxy cannot be used; nothing was sent
 */
export async function exchange(
	helpers: NetworkHelpers,
	request: HttpRequest,
	allowUnauthorizedCerts: boolean,
	{ timeout, signal }: SendLimits,
): Promise<HttpResponse> {
	if (signal?.aborted) throw new ExchangeError(new Error('cancelled'), false, 'cancelled');
	const abandonment = new AbortController();
	const deadline = deadlineAfter(timeout);
	const task: Abortable = { stop: () => undefined };
	try {
		return await new Promise((resolve, reject) => {
			// Nobody waits for a helper that does not end at once.
			task.stop = (reason) => {
				reject(new ExchangeError(new Error(reason), true, reason));
				abandonment.abort();
			};
			deadline.add(task);
			if (signal) abortedBy(signal).add(task);
			const options = {
				...optionsOf(request, allowUnauthorizedCerts),
				timeout: timeout + GRACE,
				abortSignal: abandonment.signal,
			};
			ask(helpers, options)
				.then(async (response) => await readResponse(request.origin, response, abandonment.signal))
				.catch((error: unknown) => {
					// A stream that was cut off may wait for the next chunk before it closes the connection.
					abandonment.abort();
					throw error instanceof ExchangeError ? error : failure(error);
				})
				.then(resolve, reject);
		});
	} finally {
		deadline.delete(task);
		if (signal) abortedBy(signal).delete(task);
	}
}

async function ask(helpers: NetworkHelpers, options: IHttpRequestOptions): Promise<HelperResponse> {
	const response = helpers.httpRequest
		? await helpers.httpRequest(options).catch(mockedRefusal)
		: await helpers.request?.(olderOptions(options));
	return response as HelperResponse;
}

/**
 * The mocks of n8n's evaluations throw a refusal, though they are told to return it.
 *
 * @throws the error, if it is none of a response
 */
function mockedRefusal(error: {
	response?: { status: number; headers: HttpResponse['headers']; data: unknown };
}) {
	if (!error?.response) throw error as Error;
	const { status: statusCode, headers, data: body } = error.response;
	return { statusCode, headers, body };
}
