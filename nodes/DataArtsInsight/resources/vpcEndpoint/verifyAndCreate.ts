import type { IDataObject, IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { InputError, RequestError } from '../../transport/errors/errors';
import { type ItemClient, clientReader } from '../clients';
import { readRunOptions, runOptions, switchReader, textReader } from '../../items/parameters';
import { runItems, type Sent } from '../../items/runItems';
import {
	acceptanceHints,
	acceptanceOptions,
	isPending,
	type AcceptanceWait,
	readAcceptanceWait,
	delayBeforeNextPoll,
	leavesStatusOpen,
} from './acceptance';
import { isAnswerTo, readEndpoint, simplifyEndpoint } from './endpoint';

/*
 * Source: Huawei Cloud, DataArts Insight API Reference, "Verifying a VPC Endpoint Service and Creating a VPC
 * Endpoint" (VerifyAndCreateVpcEp).
 */

const showOnlyForVerifyAndCreate = { resource: ['vpcEndpoint'], operation: ['verifyAndCreate'] };

export const description: INodeProperties[] = [
	{
		displayName: 'Data Source Type',
		name: 'dsType',
		type: 'options',
		default: 'DWS',
		description: 'The kind of data source that the endpoint service leads to',
		options: [
			{ name: 'API', value: 'API' },
			{ name: 'ClickHouse', value: 'ClickHouse' },
			{ name: 'Doris', value: 'Doris' },
			{ name: 'GaussDB', value: 'OpenGauss' },
			{ name: 'GaussDB(DWS)', value: 'DWS' },
			{ name: 'Hive', value: 'HIVE' },
			{ name: 'MySQL', value: 'MySQL' },
			{ name: 'PostgreSQL', value: 'PostgreSQL' },
		],
		displayOptions: { show: showOnlyForVerifyAndCreate },
	},
	{
		displayName: 'Look Up Endpoint Service',
		name: 'lookupMode',
		type: 'options',
		default: 'name',
		description:
			'What you know about the VPC endpoint service. Its owner finds both in the VPC Endpoint console.',
		options: [
			{ name: 'By Name', value: 'name' },
			{ name: 'By ID', value: 'id' },
			{ name: 'By Name and ID', value: 'nameAndId' },
			{
				name: 'From List',
				value: 'list',
				description: 'One of the endpoint services of your own account. Its ID is sent.',
			},
		],
		displayOptions: { show: showOnlyForVerifyAndCreate },
	},
	{
		displayName: 'Endpoint Service Name',
		name: 'vpcEpServerName',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. cn-north-4.sales-warehouse.6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb',
		description: 'Full name of the VPC endpoint service: region, name and ID, joined by dots',
		hint: 'The owner of the endpoint service has to allow DataArts Insight on its whitelist',
		displayOptions: { show: { ...showOnlyForVerifyAndCreate, lookupMode: ['name', 'nameAndId'] } },
	},
	{
		displayName: 'Endpoint Service ID',
		name: 'vpcEpServerId',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb',
		description: 'ID of the VPC endpoint service',
		displayOptions: { show: { ...showOnlyForVerifyAndCreate, lookupMode: ['id', 'nameAndId'] } },
	},
	{
		displayName: 'Endpoint Service',
		name: 'vpcEpServer',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		// Not `required`: where an expression gives the lookup mode, n8n would ask for it in all modes.
		description: 'An endpoint service of the project, as the VPC Endpoint service lists them',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Choose an endpoint service',
				typeOptions: { searchListMethod: 'searchEndpointServices', searchable: true },
			},
		],
		displayOptions: { show: { ...showOnlyForVerifyAndCreate, lookupMode: ['list'] } },
	},
	{
		displayName: 'Simplify',
		name: 'simplify',
		type: 'boolean',
		default: false,
		description: 'Whether to return a simplified version of the response instead of the raw data',
		displayOptions: { show: showOnlyForVerifyAndCreate },
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options: [...runOptions, ...acceptanceOptions],
		displayOptions: { show: showOnlyForVerifyAndCreate },
	},
];

/** What is sent: a field that is blank is left out. */
export interface VerifyRequest {
	ds_type: string;
	vpc_ep_server_name?: string;
	vpc_ep_server_id?: string;
}

/** One item, from its parameters to its last answer. */
interface Verification {
	client: ItemClient;
	body: VerifyRequest;
	simplify: boolean;
	/** What came last, while the endpoint is waited for, and how long to rest before the next look. */
	pending?: { status: string; json: IDataObject; rest: () => number | undefined };
}

/**
 * Verifies a VPC endpoint service for each item and creates the VPC endpoint to it. Verifying again shows
 * the present state of the endpoint, so this is also how acceptance is waited for.
 */
export async function execute(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	let patience: AcceptanceWait | undefined;
	const lastLooks: string[] = [];
	const items = await runItems(context, async () => {
		const { maxConcurrency, ...limits } = readRunOptions(context);
		patience = readAcceptanceWait(context);
		const readClient = await clientReader(context, limits);
		const readBody = requestReader(context);
		const readSimplify = switchReader(context, 'simplify');

		return {
			maxConcurrency,
			read: async (itemIndex): Promise<Verification> => ({
				body: readBody(itemIndex),
				simplify: readSimplify(itemIndex),
				client: await readClient(itemIndex),
			}),
			send: async (item) => await verify(item, patience, lastLooks),
			identify: ({ client: { place }, body, simplify }) => JSON.stringify([place, body, simplify]),
		};
	});
	const hints = acceptanceHints(items, patience, lastLooks);
	if (hints.length > 0) context.addExecutionHints(...hints);
	return items;
}

/** @param lastLooks gets to know why, where the last call for an item brought no answer */
async function verify(
	item: Verification,
	patience: AcceptanceWait | undefined,
	lastLooks: string[],
): Promise<Sent> {
	const { client, body, simplify, pending } = item;
	const path = `/v1/${client.projectId}/connections/vpc-endpoint`;
	return await client
		.call({
			method: 'POST',
			path,
			body,
			isAnswer: (answer) => isAnswerTo({ ...body }, answer),
			// While it waits the next look is the repetition, and comes in its time.
			maxRetries: pending && 0,
		})
		.then(readEndpoint)
		.then(
			(endpoint): Sent => {
				const json = simplify ? simplifyEndpoint(endpoint) : endpoint;
				const status = endpoint.vpc_ep_client_status;
				if (!patience || !isPending(status)) return { json };
				const now = performance.now();
				const rest = pending?.rest ?? (() => delayBeforeNextPoll(now, patience));
				item.pending = { status, json, rest };
				return { json, sendAgainAfter: rest() };
			},
			(error: Error): Sent => {
				if (!pending || !(error instanceof RequestError)) throw error;
				error.known = `Before this call the VPC endpoint was ${pending.status}`;
				if (!leavesStatusOpen(error)) throw error;
				// The endpoint is there, and to verify again is what waiting does.
				const sendAgainAfter = pending.rest();
				if (sendAgainAfter === undefined) lastLooks.push(error.message);
				return { json: pending.json, sendAgainAfter };
			},
		);
}

/** @returns a function that throws an InputError if a field that the lookup mode needs is blank */
function requestReader(context: IExecuteFunctions): (itemIndex: number) => VerifyRequest {
	const lookupMode = textReader(context, 'lookupMode', 'Look Up Endpoint Service');
	const type = requiredReader('dsType', 'Data Source Type');
	const name = requiredReader('vpcEpServerName', 'Endpoint Service Name');
	const id = requiredReader('vpcEpServerId', 'Endpoint Service ID');
	const listed = requiredReader('vpcEpServer', 'Endpoint Service');

	return (itemIndex) => {
		const mode = lookupMode(itemIndex);
		if (!['name', 'id', 'nameAndId', 'list'].includes(mode)) {
			throw new InputError(
				`'Look Up Endpoint Service' is '${mode}', which is no lookup mode`,
				'Choose a mode from the list, or let the expression give name, id, nameAndId or list',
			);
		}
		const request: VerifyRequest = { ds_type: type(itemIndex) };
		if (mode === 'name' || mode === 'nameAndId') request.vpc_ep_server_name = name(itemIndex);
		if (mode === 'id' || mode === 'nameAndId') request.vpc_ep_server_id = id(itemIndex);
		if (mode === 'list') request.vpc_ep_server_id = listed(itemIndex);
		return request;
	};

	function requiredReader(parameter: string, label: string) {
		const read = textReader(context, parameter, label);
		return (itemIndex: number) => {
			const text = read(itemIndex);
			if (text) return text;
			throw new InputError(
				`'${label}' is blank`,
				`Fill in '${label}', or check what its expression gives for this item`,
			);
		};
	}
}
