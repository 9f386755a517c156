import type { ClientLimits, ClientRequest } from '../../../nodes/DataArtsInsight/transport/client';
import { helpers, transport } from '../engine/built';

/** What n8n stores of a credential with a user token, for a service at this address. */
export const tokenCredential = (baseUrl: string) => ({
	authentication: 'token',
	region: 'custom',
	baseUrl,
	token: 'MIIsecret',
	projectId: 'p',
	workspaceId: 'w',
});

/** What a client of these tests says where nobody can tell whether a POST acted. */
export const DOUBT = 'It may have acted';

/** Creates a client of the built package, without the node. Nothing is retried unless `limits` says so. */
export function connectTo(baseUrl: string, limits: Partial<ClientLimits> = {}, change: object = {}) {
	const credential = transport.readCredential({ ...tokenCredential(baseUrl), ...change });
	const client = transport.createClient(credential, { helpers, timeout: 10_000, maxRetries: 0, ...limits });
	return async (request: Pick<ClientRequest, 'method' | 'path' | 'body'>) =>
		await client(
			request.method === 'POST'
				? { ...request, method: request.method, doubt: DOUBT }
				: { ...request, method: request.method },
		);
}
