import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { type CloudService, INSIGHT, VPC_ENDPOINT } from './address';
import { type Credential, readCredential } from './credential';
import { credentialText } from './fields';

/** A request that proves who calls, and creates nothing. */
export interface Probe {
	service: CloudService;
	credential: Credential;
	path: string;
}

/**
 * The request that proves as much of a credential as one can: with a workspace it lists a data connection. Whoever owns
 * endpoint services alone has no workspace: then it lists an endpoint service.
 *
 * Sources: Huawei Cloud, DataArts Insight API Reference, `GET /v1/{project_id}/connections`; VPC Endpoint API Reference,
 * "Querying VPC Endpoint Services".
 *
 * @throws {InputError} that names the field, if a value of the credential cannot be used
 */
export function probeOf(credentials: ICredentialDataDecryptedObject): Probe {
	const service = credentialText(credentials, 'workspaceId') ? INSIGHT : VPC_ENDPOINT;
	const list = service === INSIGHT ? 'connections' : 'vpc-endpoint-services';
	const credential = readCredential(credentials, service);
	return { service, credential, path: `/v1/${credential.projectId}/${list}?limit=1&offset=0` };
}
