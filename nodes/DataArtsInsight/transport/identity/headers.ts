/**
 * The headers that say who calls and in which workspace, with a user token. Both the node and n8n's HTTP
 * Request node send exactly these.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, "Authentication" and
 * "Verifying a VPC Endpoint Service and Creating a VPC Endpoint".
 */
export function tokenHeaders(token: string, workspaceId: string): Record<string, string> {
	return { 'X-Auth-Token': token, 'X-Workspace-Id': workspaceId };
}

/** The headers that a request signed with an access key carries in addition to its signature. */
export function accessKeyHeaders(projectId: string, workspaceId: string): Record<string, string> {
	return { 'X-Project-Id': projectId, 'X-Workspace-Id': workspaceId };
}
