import type { FindRoute } from '../network';
import { exchange } from './exchange';
import { findConnections } from './connections';

/** Requests over undici, on connections that are kept for the next request. */
export const findRoute: FindRoute = (origin, allowUnauthorizedCerts, helpers) => {
	const egress = helpers.getSecureEgressFilter?.();
	const { host, proxyHost, withConnection } = findConnections(origin, allowUnauthorizedCerts, egress);
	return {
		host,
		proxyHost,
		send: async (request, { timeout, signal }, read) =>
			await withConnection(
				async (connection) =>
					read(await exchange(connection, request, timeout, signal), () => connection.discard()),
				signal,
			),
	};
};
