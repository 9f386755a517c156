import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

/**
 * The text of a credential's field, without the blanks and line breaks that come along when a value is
 * pasted. Anything but text counts as blank.
 */
export function credentialText(credentials: ICredentialDataDecryptedObject, field: string): string {
	const value = credentials[field];
	return typeof value === 'string' ? value.trim() : '';
}

/**
 * The headers that say who is calling and in which workspace. Both the node and n8n's HTTP Request node
 * send exactly these.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, "Authentication" and
 * "Verifying a VPC Endpoint Service and Creating a VPC Endpoint".
 */
export function authenticationHeaders(credentials: ICredentialDataDecryptedObject): Record<string, string> {
	return {
		'X-Auth-Token': credentialText(credentials, 'token'),
		'X-Workspace-Id': credentialText(credentials, 'workspaceId'),
	};
}
