/**
 * The header that says who calls, with a user token. Both the node and n8n's HTTP Request node send exactly this.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, "Authentication".
 */
export function tokenHeaders(token: string): Record<string, string> {
	return { 'X-Auth-Token': token };
}

/** The header that a request signed with an access key carries in addition to its signature. */
export function accessKeyHeaders(projectId: string): Record<string, string> {
	return { 'X-Project-Id': projectId };
}

/**
 * The header that says which workspace is meant. The VPC Endpoint service and IAM know of none.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, "Verifying a VPC Endpoint Service and Creating a VPC Endpoint".
 */
export function workspaceHeaders({ workspaceId }: { workspaceId?: string }): Record<string, string> {
	return workspaceId === undefined ? {} : { 'X-Workspace-Id': workspaceId };
}

/** What the headers of a request hold that no item, error or log may show: a token from IAM, or a signature. */
export function secretsIn({
	'X-Auth-Token': token,
	'X-Security-Token': securityToken,
	Authorization: authorization,
}: Record<string, string>): string[] {
	const signature = authorization?.split('Signature=')[1];
	return [token, securityToken, signature].filter((secret) => secret !== undefined);
}
