import type { IDataObject, IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { readRunOptions, runAdvice, runOptions, switchReader } from '../../items/parameters';
import { runItems, type Sent } from '../../items/runItems';
import { RequestError } from '../../transport/errors/errors';
import { clientReader, type ItemClient } from '../clients';
import type { Operation } from '../resource';
import {
	acceptanceHints,
	acceptanceOptions,
	type AcceptanceWait,
	delayBeforeNextPoll,
	isPending,
	leavesStatusOpen,
	readAcceptanceWait,
} from './acceptance';
import { missingIn, simplifyEndpoint } from './endpoint';
import { requestFields, requestReader, type VerifyRequest } from './verifyRequest';

/*
 * Source: Huawei Cloud, DataArts Insight API Reference, "Verifying a VPC Endpoint Service and Creating a VPC
 * Endpoint" (VerifyAndCreateVpcEp).
 */

const fields: INodeProperties[] = [
	...requestFields,
	{
		displayName: 'Simplify',
		name: 'simplify',
		type: 'boolean',
		default: false,
		description: 'Whether to return a simplified version of the response instead of the raw data',
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options: [...runOptions, ...acceptanceOptions],
	},
];

/** One item, from its parameters to its last response. */
interface Verification {
	client: ItemClient;
	body: VerifyRequest;
	simplify: boolean;
	/** While acceptance is waited for: the last response, and how long to wait before the next request. */
	pending?: { status: string; json: IDataObject; delay: () => number | undefined };
}

const CHECK_ENDPOINT_SERVICE =
	"Check the name or ID of the endpoint service, and 'Region', 'Project ID' and 'Workspace ID' in the credential";

/** What to say where nobody can tell whether a request has created an endpoint. */
const DOUBT =
	'The request may have reached the service, so it was not repeated and a VPC endpoint may exist: run the node again to see its state';

/**
 * Verifies a VPC endpoint service for each item and creates the VPC endpoint to it. Verifying again shows
 * the present state of the endpoint, so this is also how acceptance is waited for.
 */
export const verifyAndCreate: Operation = {
	value: 'verifyAndCreate',
	name: 'Verify and Create',
	action: 'Verify a VPC endpoint service and create the endpoint',
	description:
		'Verify a VPC endpoint service, create the VPC endpoint to it, and get its status; do it again to refresh the status',
	fields,
	run,
};

async function run(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	let acceptanceWait: AcceptanceWait | undefined;
	const failedPolls: string[] = [];
	const items = await runItems(context, async () => {
		const { maxConcurrency, ...limits } = readRunOptions(context);
		acceptanceWait = readAcceptanceWait(context);
		const advice = { ...runAdvice, notFound: CHECK_ENDPOINT_SERVICE };
		const readClient = await clientReader(context, { ...limits, advice });
		const readBody = requestReader(context);
		const readSimplify = switchReader(context, 'simplify');

		return {
			maxConcurrency,
			doubt: DOUBT,
			read: async (itemIndex): Promise<Verification> => ({
				body: readBody(itemIndex),
				simplify: readSimplify(itemIndex),
				client: await readClient(itemIndex),
			}),
			send: async (item) => await verify(item, acceptanceWait, failedPolls),
			identify: ({ client: { place }, body, simplify }) => JSON.stringify([place, body, simplify]),
		};
	});
	const hints = acceptanceHints(items, acceptanceWait, failedPolls);
	if (hints.length > 0) context.addExecutionHints(...hints);
	return items;
}

/** @param failedPolls gets the reason, where the last request for an item brought no status */
async function verify(
	item: Verification,
	acceptanceWait: AcceptanceWait | undefined,
	failedPolls: string[],
): Promise<Sent> {
	const { client, body, simplify, pending } = item;
	return await client
		.call({
			method: 'POST',
			path: `/v1/${client.projectId}/connections/vpc-endpoint`,
			body,
			doubt: DOUBT,
			missing: (response) => missingIn(response, { ...body }),
			// While acceptance is waited for, the next poll is the retry.
			maxRetries: pending && 0,
		})
		.then(
			(endpoint): Sent => {
				const json = simplify ? simplifyEndpoint(endpoint) : endpoint;
				const status = endpoint.vpc_ep_client_status;
				if (!acceptanceWait || !isPending(status)) return { json };
				const now = performance.now();
				const delay = pending?.delay ?? (() => delayBeforeNextPoll(now, acceptanceWait));
				item.pending = { status, json, delay };
				return { json, sendAgainAfter: delay() };
			},
			(error: unknown): Sent => {
				if (!pending || !(error instanceof RequestError)) throw error;
				if (!leavesStatusOpen(error)) {
					throw error.with({ notes: [`Before this request the VPC endpoint was ${pending.status}`] });
				}
				// The endpoint is there, and to verify again is what waiting does.
				const sendAgainAfter = pending.delay();
				if (sendAgainAfter === undefined) failedPolls.push(error.message);
				return { json: pending.json, sendAgainAfter };
			},
		);
}
