import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { optionsField, readRunOptions, runAdvice, runOptions, switchReader } from '../../items/parameters';
import { runItems, type Sent } from '../../items/runItems';
import { clientReader, type ItemClient } from '../clients';
import { insightPlaceOptions } from '../place';
import type { Operation } from '../resource';
import { afterFailedPoll, delayBeforeNextPoll, type Wait, type Waiting } from '../waiting';
import { acceptance, acceptanceHints, isPending } from './acceptance';
import { type Check, checkFirst, checkReader } from './checkFirst';
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
	optionsField([...runOptions, ...acceptance.properties, ...insightPlaceOptions, checkFirst]),
];

/** One item, from its parameters to its last response. */
interface Verification {
	client: ItemClient;
	body: VerifyRequest;
	simplify: boolean;
	/** Given only if the endpoint service is to be looked for before. */
	check?: Check;
	/** While acceptance is waited for. */
	pending?: Waiting;
}

const CHECK_ENDPOINT_SERVICE =
	"Check the name or ID of the endpoint service, 'Region' in the credential, and the project and the workspace in the credential or the options";

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
	let acceptanceWait: Wait | undefined;
	const failedPolls: string[] = [];
	const items = await runItems(context, async () => {
		const { maxConcurrency, ...limits } = readRunOptions(context);
		acceptanceWait = acceptance.read(context);
		const advice = { ...runAdvice, notFound: CHECK_ENDPOINT_SERVICE };
		const readClient = await clientReader(context, { ...limits, advice });
		const readBody = requestReader(context);
		const readSimplify = switchReader(context, 'simplify', 'Simplify');
		const readCheck = checkReader(context, limits);

		return {
			maxConcurrency,
			doubt: DOUBT,
			read: async (itemIndex): Promise<Verification> => {
				const body = readBody(itemIndex);
				const simplify = readSimplify(itemIndex);
				const client = await readClient(itemIndex);
				return { body, simplify, client, check: await readCheck(itemIndex, body) };
			},
			send: async (item) => {
				// Whoever waits for acceptance knows that the endpoint service exists.
				if (!item.pending) await item.check?.();
				return await verify(item, acceptanceWait, failedPolls);
			},
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
	acceptanceWait: Wait | undefined,
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
			// Once the endpoint is there, verifying again is what waiting does.
			(error: unknown) => afterFailedPoll(error, pending, 'the VPC endpoint', failedPolls),
		);
}
