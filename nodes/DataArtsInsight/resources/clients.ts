import { type IExecuteFunctions, isExpression, type IWorkflowExecuteAdditionalData } from 'n8n-workflow';

import { type Client, type ClientLimits, createClient } from '../transport/client';
import { readCredential } from '../transport/identity/credential';

const CREDENTIAL = 'dataArtsInsightApi';

/** The service as the credential of an item leads to it. */
export interface ItemClient {
	call: Client;
	projectId: string;
	/** The project and workspace that it acts in, and where. */
	place: string;
}

/**
 * Prepares to find each item's client. A credential without an expression is the same for all items and is read once,
 * since n8n reads its database each time. Items whose credentials turn out equal share a client, and so its login and
 * its connections.
 *
 * @returns a function that throws an InputError if the item's credential, or the proxy of n8n's environment, cannot be
 * used
 */
export async function clientReader(
	context: IExecuteFunctions,
	limits: Omit<ClientLimits, 'helpers' | 'signal'>,
): Promise<(itemIndex: number) => Promise<ItemClient>> {
	const { helpers } = context;
	const signal = context.getExecutionCancelSignal();
	const clients = new Map<string, ItemClient>();

	async function read(itemIndex: number): Promise<ItemClient> {
		const credential = await context.getCredentials(CREDENTIAL, itemIndex);
		const content = JSON.stringify(credential);
		const known = clients.get(content);
		if (known) return known;
		const readyCredential = readCredential(credential);
		const { origin, projectId, workspaceId } = readyCredential;
		const client = {
			call: createClient(readyCredential, { ...limits, helpers, signal }),
			projectId,
			place: [origin, projectId, workspaceId].join(' '),
		};
		clients.set(content, client);
		return client;
	}

	if (context.getInputData().length > 1 && (await holdsExpression(context))) return read;
	const only = read(0);
	// Whoever asks is told; the promise itself must not be called unhandled before.
	only.catch(() => undefined);
	return async () => await only;
}

/** n8n shows a node the values of its credential only. What was written stands behind a helper that n8n keeps to itself. */
async function holdsExpression(context: IExecuteFunctions): Promise<boolean> {
	const { additionalData } = context as { additionalData?: IWorkflowExecuteAdditionalData };
	const stored = context.getNode().credentials?.[CREDENTIAL];
	if (!additionalData || !stored) return true;
	const written = await additionalData.credentialsHelper.getDecrypted(
		additionalData,
		stored,
		CREDENTIAL,
		context.getMode(),
		context.getExecuteData(),
		true,
	);
	return Object.values(written).some(isExpression);
}
