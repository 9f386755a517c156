import type { ReceivedObject } from '../errors/answer';
import { type RequestContext, RequestError, type Retry } from '../errors/errors';
import type { HttpRequest } from '../network/network';
import { inTurn } from './inTurn';
import type { FetchToken, TokenCache } from './tokens';

/**
 * Carries a login, or a request for temporary keys, to IAM and sends it again where that is worth it.
 *
 * @param signal aborted when nobody waits for the response any more
 * @throws {RequestError} if IAM could not be reached, refused, or answered something else
 */
export type SendLogin = (
	request: HttpRequest,
	context: RequestContext,
	signal: AbortSignal,
) => Promise<ReceivedObject>;

/** Where the requests of one credential get what IAM gives for a while: a token, or temporary keys. */
export interface TokenSource<Value> {
	/**
	 * The one at hand, or a new one.
	 *
	 * @param signal aborted when the execution that asks is stopped; IAM is asked on as long as somebody waits
	 * @throws {RequestError} if IAM could not be reached, or refused, now or in the last 15 minutes
	 * @throws whatever else the one who carries the request throws
	 */
	get: (signal?: AbortSignal) => Promise<Value>;
	/**
	 * Forgets one that the service no longer takes.
	 *
	 * @returns whether it was the one at hand; otherwise another has taken its place already
	 */
	drop: (value: Value) => boolean;
}

/** What IAM is asked for. */
interface Wanted<Value> {
	/** Tells it apart from all that is made from other values, without giving them away. */
	key: string;
	/** Its name in messages. */
	name: string;
	/** @throws {RequestError} the refusal, if IAM has refused the same in the last 15 minutes */
	assertNotRefused: () => void;
	fetch: FetchToken<Value>;
	/** Given if IAM is to be asked one after the other, by all for which it is the same. */
	queue?: string;
	/** @returns the error to throw, which is remembered if IAM will refuse the same again */
	remember: (failure: RequestError) => RequestError;
}

/** A wait so long that no request is sent again after it, not even one that only reads. */
const NEVER: Retry = { throttled: false, after: Infinity };

export function createTokenSource<Value>(
	cache: TokenCache<Value>,
	{ key, name, assertNotRefused, fetch, queue, remember }: Wanted<Value>,
): TokenSource<Value> {
	const fetchNamed: FetchToken<Value> = async (signal) =>
		await fetch(signal).catch((error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
			throw remember(error.with({ message: `No ${name} from IAM: ${error.message}` }));
		});
	const fetchInTurn: FetchToken<Value> = async (signal) => {
		if (queue === undefined) return await fetchNamed(signal);
		return await inTurn(queue, signal, async () => {
			// The one before may have been refused.
			assertNotRefused();
			return await fetchNamed(signal);
		});
	};
	return {
		get: async (signal) => {
			assertNotRefused();
			return await cache.get(key, fetchInTurn, signal).catch((error: unknown) => {
				// IAM was asked again already. The request that needs the answer must neither do so nor hold back its run.
				throw error instanceof RequestError && error.retry ? error.with({ retry: NEVER }) : error;
			});
		},
		drop: (value) => cache.drop(key, value),
	};
}

/**
 * @returns whether IAM would answer the same once more, because n8n or IAM has said no to something else than who asks
 */
export function isFinal({ details: { code, httpStatus = 0 } }: RequestError): boolean {
	if (code === 'BLOCKED') return true;
	return httpStatus >= 400 && httpStatus < 500 && ![401, 403, 408, 429].includes(httpStatus);
}
