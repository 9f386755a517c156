import type { EndpointService } from './cloud';
import type { Simulator } from './simulator';

/** Asks for an endpoint, as DataArts Insight does for its user. */
export async function requestEndpoint(
	simulator: Simulator,
	service: EndpointService,
	ds_type = 'DWS',
): Promise<void> {
	await post(simulator, 'connections/vpc-endpoint', { ds_type, vpc_ep_server_id: service.id });
}

/** Accepts or rejects an endpoint, as the owner of its endpoint service does. */
export async function decide(
	simulator: Simulator,
	service: EndpointService,
	endpointId: string | undefined,
	action: 'receive' | 'reject',
): Promise<void> {
	const path = `vpc-endpoint-services/${service.id}/connections/action`;
	await post(simulator, path, { action, endpoints: [endpointId] });
}

async function post({ url, credentials }: Simulator, path: string, body: object): Promise<void> {
	const { projectId, workspaceId, token } = credentials;
	const response = await fetch(`${url}/v1/${projectId}/${path}`, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			'X-Auth-Token': token,
			'X-Workspace-Id': workspaceId,
		},
		body: JSON.stringify(body),
	});
	if (!response.ok) throw new Error(await response.text());
}
