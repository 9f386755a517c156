import {
	type ICredentialDataDecryptedObject,
	type IExecuteFunctions,
	isExpression,
	type IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { type Client, type ClientLimits, createClients } from '../transport/client';
import { type CloudService, INSIGHT } from '../transport/identity/address';
import { readCredential } from '../transport/identity/credential';
import { placeReader } from './place';

const CREDENTIAL = 'dataArtsInsightApi';

/** The service as the credential of an item leads to it. */
export interface ItemClient {
	call: Client;
	projectId: string;
	/** The project and workspace that it acts in, and where. */
	place: string;
}

/** Those who call with the same credential, but for its project and workspace. */
interface Callers {
	/** What their credential says beside the project and the workspace. */
	common: ICredentialDataDecryptedObject;
	/** Gives the client of one project and workspace. */
	connect: ReturnType<typeof createClients>;
	/** The clients by project and workspace. */
	clients: Map<string, ItemClient>;
}

/** What the credential says for one item. */
interface ItemCredential {
	credential: ICredentialDataDecryptedObject;
	callers: Callers;
}

/**
 * Prepares to find each item's client: for its credential, and for the project and the workspace in its options. A
 * credential without an expression is the same for all items and is read once, since n8n reads its database each time.
 * Items for which all of that is equal share a client. Those that differ in the project and the workspace alone, whether
 * by the options or by expressions in the credential, share connections and pace, and those of one project the login.
 *
 * @param service which one is called
 * @returns a function that throws an InputError if the item's credential or options, or the proxy of n8n's environment,
 * cannot be used
 */
export async function clientReader(
	context: IExecuteFunctions,
	limits: Omit<ClientLimits, 'helpers' | 'signal'>,
	service: CloudService = INSIGHT,
): Promise<(itemIndex: number) => Promise<ItemClient>> {
	const { helpers } = context;
	const signal = context.getExecutionCancelSignal();
	const readPlace = placeReader(context, service);
	const readCredentialOf = await credentialReader(context, () =>
		createClients({ ...limits, helpers, signal }),
	);

	return async (itemIndex) => {
		const itemPlace = readPlace(itemIndex);
		const { credential, callers } = await readCredentialOf(itemIndex);
		// Not the whole credential: a token is long, and there may be thousands of workspaces.
		const key = JSON.stringify([itemPlace, credential.projectId, credential.workspaceId]);
		const known = callers.clients.get(key);
		if (known) return known;
		const ready = readCredential(credential, service, itemPlace);
		const { origin, projectId, workspaceId = '' } = ready;
		const place = [origin, projectId, workspaceId].join(' ');
		const client = { call: callers.connect(ready), projectId, place };
		callers.clients.set(key, client);
		return client;
	};
}

async function credentialReader(
	context: IExecuteFunctions,
	createConnect: () => Callers['connect'],
): Promise<(itemIndex: number) => Promise<ItemCredential>> {
	const all = new Map<string, Callers>();

	async function read(itemIndex: number): Promise<ItemCredential> {
		const { projectId, workspaceId, ...common } = await context.getCredentials(CREDENTIAL, itemIndex);
		const content = JSON.stringify(common);
		const callers = all.get(content) ?? { common, connect: createConnect(), clients: new Map() };
		all.set(content, callers);
		// The values of the first one, since a token is long, and n8n makes another copy of it for each item.
		const credential = { ...callers.common, projectId, workspaceId } as ICredentialDataDecryptedObject;
		return { credential, callers };
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
