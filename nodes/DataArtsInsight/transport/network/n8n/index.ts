import type { FindRoute } from '../network';
import { exchange } from './exchange';

/** Requests by n8n's request helper. Its proxies and egress policy are n8n's own. */
export const findRoute: FindRoute = (origin, allowUnauthorizedCerts, helpers) => ({
	host: new URL(origin).host,
	send: async (request, limits, read) =>
		read(await exchange(helpers, request, allowUnauthorizedCerts, limits), () => undefined),
});
