import type { IncomingMessage } from 'node:http';

/**
 * Path and query of a request that a server received. The request line may hold the whole address: a client that takes
 * the server for its proxy sends it so, and every server has to take that (RFC 9112, section 3.2.2).
 */
export function pathOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
	return url.replace(/^http:\/\/[^/]*/, '');
}
