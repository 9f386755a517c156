import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	JsonObject,
} from 'n8n-workflow';

import { InputError, unexpectedAnswer } from '../../transport/errors';
import { connect } from '../../transport/service';
import { openSession } from '../../transport/session';
import { readRunOptions, runOptions, switchReader, textReader } from '../parameters';
import { runItems } from '../runItems';

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
		options: runOptions,
		displayOptions: { show: showOnlyForVerifyAndCreate },
	},
];

/** What is sent: a field that is blank is left out. */
export interface VerifyRequest {
	ds_type: string;
	vpc_ep_server_name?: string;
	vpc_ep_server_id?: string;
}

/** The ten fields that people act on. */
const SIMPLE_FIELDS = [
	'id',
	'vpc_ep_client_status',
	'vpc_ep_client_id',
	'vpc_ep_server_name',
	'vpc_ep_server_id',
	'ds_type',
	'project_id',
	'create_user_name',
	'create_date',
	'update_date',
];

/**
 * Verifies a VPC endpoint service for each item and creates the VPC endpoint to it. Verifying again shows
 * the present state of the endpoint.
 */
export async function execute(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	return await runItems(context, async () => {
		const session = openSession(await context.getCredentials('dataArtsInsightApi', 0));
		const { maxConcurrency, ...limits } = readRunOptions(context);
		const call = await connect(session, {
			...limits,
			signal: context.getExecutionCancelSignal(),
			egress: context.helpers.getSecureEgressFilter?.(),
		});
		const path = `/v1/${session.projectId}/connections/vpc-endpoint`;
		const readBody = requestReader(context);
		const readSimplify = switchReader(context, 'simplify');

		return {
			maxConcurrency,
			read: (itemIndex) => ({ body: readBody(itemIndex), simplify: readSimplify(itemIndex) }),
			send: async ({ body, simplify }) => {
				const endpoint = readEndpoint(await call({ method: 'POST', path, body }));
				return simplify ? simplifyEndpoint(endpoint) : endpoint;
			},
		};
	});
}

/** @returns a function that throws an InputError if a field that the lookup mode needs is blank */
function requestReader(context: IExecuteFunctions): (itemIndex: number) => VerifyRequest {
	const lookupMode = textReader(context, 'lookupMode', 'Look Up Endpoint Service');
	const type = requiredReader('dsType', 'Data Source Type');
	const name = requiredReader('vpcEpServerName', 'Endpoint Service Name');
	const id = requiredReader('vpcEpServerId', 'Endpoint Service ID');

	return (itemIndex) => {
		const mode = lookupMode(itemIndex);
		if (!['name', 'id', 'nameAndId'].includes(mode)) {
			throw new InputError(
				`'Look Up Endpoint Service' is '${mode}', which is no lookup mode`,
				'Choose a mode from the list, or let the expression give name, id or nameAndId',
			);
		}
		const request: VerifyRequest = { ds_type: type(itemIndex) };
		if (mode !== 'id') request.vpc_ep_server_name = name(itemIndex);
		if (mode !== 'name') request.vpc_ep_server_id = id(itemIndex);
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

/**
 * All that the service says about the endpoint, as it says it.
 *
 * @throws {RequestError} if the answer does not describe an endpoint
 */
function readEndpoint(answer: JsonObject): IDataObject {
	if (typeof answer.id !== 'number' && (typeof answer.id !== 'string' || !answer.id)) {
		throw unexpectedAnswer("the 'id' of a VPC endpoint", true);
	}
	return answer;
}

/** The fields that people act on, with times as ISO 8601. Those that the answer lacks are left out. */
function simplifyEndpoint(endpoint: IDataObject): IDataObject {
	const simple: IDataObject = {};
	for (const field of SIMPLE_FIELDS) {
		const value = endpoint[field];
		if (value === undefined) continue;
		simple[field] = field.endsWith('_date') ? isoTime(value) : value;
	}
	return simple;
}

/** @param value milliseconds since 1970; anything else is given back as it is */
function isoTime(value: IDataObject[string]) {
	const time = typeof value === 'number' ? new Date(value) : undefined;
	return time && !Number.isNaN(time.getTime()) ? time.toISOString() : value;
}
