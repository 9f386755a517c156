import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';

import { createClient } from '../transport/client';
import { type Advice, InputError, RequestError } from '../transport/errors/errors';
import { type CloudService, INSIGHT } from '../transport/identity/address';
import { probeOf } from '../transport/identity/probe';

/** How long the service may take, in milliseconds: somebody is looking at the form. */
const TIMEOUT = 15_000;

/** What can be done about a refusal of the VPC Endpoint service, which the owners of endpoint services call. */
const OWNER_ADVICE: Advice = {
	forbidden:
		"The caller is known, but lacks the permission vpcep:epservices:list. Ask an administrator to grant it, or fill in 'Workspace ID' to use DataArts Insight alone",
	notFound: "Check 'Region' and 'Project ID' in the credential",
};

/**
 * Proves as much of a credential as one request can that creates nothing: with a workspace who calls, the project and the
 * workspace, without one who calls and the project. What is wrong is said in the words that the node uses.
 */
export async function dataArtsInsightApiTest(
	this: ICredentialTestFunctions,
	{ data = {} }: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	try {
		const { service, credential, path } = probeOf(data);
		const advice = service === INSIGHT ? undefined : OWNER_ADVICE;
		const call = createClient(credential, { helpers: this.helpers, timeout: TIMEOUT, maxRetries: 0, advice });
		await call({ method: 'GET', path });
		return { status: 'OK', message: provenBy(service, CALLERS[credential.authentication.mode]) };
	} catch (error) {
		if (error instanceof InputError || error instanceof RequestError) {
			return { status: 'Error', message: `${error.message}. ${error.description}.` };
		}
		return { status: 'Error', message: String(error) };
	}
}

/** What says who calls, in the words of the form. */
const CALLERS = {
	token: ['user token'],
	password: ['login'],
	accessKey: ['access key'],
	agency: ['access key', 'agency'],
};

function provenBy(service: CloudService, callers: string[]): string {
	const caller = `The ${callers.join(', the ')}`;
	return service === INSIGHT
		? `${caller}, the project and the workspace were accepted`
		: `${caller} and the project were accepted by the VPC Endpoint service. Without 'Workspace ID' nothing else was tried`;
}
