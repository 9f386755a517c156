import type { IHttpRequestOptions, NodeEgressFilter } from 'n8n-workflow';

/** The largest body that is read, in bytes; the service's own bodies have about one kilobyte. */
export const MAX_BODY_SIZE = 1024 * 1024;

/** One request, ready to be sent. */
export interface HttpRequest {
	method: 'GET' | 'POST';
	origin: string;
	/** Path and query, from the first slash on. */
	path: string;
	headers: Record<string, string>;
	/** JSON, or nothing. */
	body?: string;
}

/** What came back for one request, whatever its status. */
export interface HttpResponse {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
}

/** How long a request may take, and what ends it earlier. */
export interface SendLimits {
	/** Milliseconds that the request may take. */
	timeout: number;
	/** Ends the request when it is aborted. */
	signal?: AbortSignal;
}

/**
 * What n8n offers for requests. A node and a list in the form get `httpRequest` and the egress policy, a credential gets
 * `httpRequest` alone, and the test of a credential gets the older `request` alone.
 */
export interface NetworkHelpers {
	httpRequest?: (options: IHttpRequestOptions) => Promise<unknown>;
	request?: (options: object) => Promise<unknown>;
	/** The instance's egress policy, where the version of n8n has one. */
	getSecureEgressFilter?: () => NodeEgressFilter;
}

/** How requests get from n8n to a host. */
export interface Route {
	host: string;
	/** The proxy's host, if there is one and it is known. Its URL may hold a password, so it is not kept. */
	proxyHost?: string;
	/**
	 * Sends one request, once, and reads its whole response. No redirect is followed.
	 *
	 * @param read gets the response, and a function that closes its connection. Until `read` has returned, the connection
	 * is used for nothing else
	 * @returns what `read` returns
	 * @throws {ExchangeError} if no whole response came, or a larger one than {@link MAX_BODY_SIZE}
	 * @throws {UnusableProxy} if the environment's proxy cannot be used; nothing was sent
	 * @throws whatever `read` throws
	 */
	send: <Result>(
		request: HttpRequest,
		limits: SendLimits,
		read: (response: HttpResponse, closeConnection: () => void) => Result,
	) => Promise<Result>;
}

/**
 * Finds the route to a host. Nothing is sent.
 *
 * @param origin scheme, host and port
 * @param allowUnauthorizedCerts whether the server's certificate is left unchecked
 * @throws {UnusableProxy} if the environment's proxy cannot be used
 */
export type FindRoute = (origin: string, allowUnauthorizedCerts: boolean, helpers: NetworkHelpers) => Route;
