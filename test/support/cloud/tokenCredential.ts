import type { ClientLimits } from '../../../nodes/DataArtsInsight/transport/client';
import { transport } from '../engine/built';

/** What n8n stores of a credential with a user token, for a service at this address. */
export const tokenCredential = (baseUrl: string) => ({
	authentication: 'token',
	region: 'custom',
	baseUrl,
	token: 'MIIsecret',
	projectId: 'p',
	workspaceId: 'w',
});

/** Opens the service at an address by the built package, without the node. Nothing is repeated unless `limits` says so. */
export async function connectTo(
	baseUrl: string,
	limits: Partial<ClientLimits> = {},
	credential: object = {},
) {
	const session = transport.readCredential({ ...tokenCredential(baseUrl), ...credential });
	return await transport.createClient(session, { timeout: 10_000, maxRetries: 0, ...limits });
}
