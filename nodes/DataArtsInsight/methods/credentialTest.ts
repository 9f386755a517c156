import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';

import { createClient } from '../transport/client';
import { InputError, RequestError } from '../transport/errors/errors';
import { readCredential } from '../transport/identity/credential';

/** How long the service may take, in milliseconds: somebody is looking at the form. */
const TIMEOUT = 15_000;

/**
 * Proves the token, the project and the workspace of a credential at once by listing one data connection,
 * which creates nothing. What is wrong is said in the words that the node uses.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, `GET /v1/{project_id}/connections`.
 */
export async function dataArtsInsightApiTest(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	try {
		const credentials = readCredential(credential.data ?? {});
		const path = `/v1/${credentials.projectId}/connections?limit=1&offset=0`;
		const call = createClient(credentials, { helpers: this.helpers, timeout: TIMEOUT, maxRetries: 0 });
		await call({ method: 'GET', path });
		return { status: 'OK', message: 'The token, the project and the workspace were accepted' };
	} catch (error) {
		if (error instanceof InputError || error instanceof RequestError) {
			return { status: 'Error', message: `${error.message}. ${error.description}.` };
		}
		return { status: 'Error', message: String(error) };
	}
}
