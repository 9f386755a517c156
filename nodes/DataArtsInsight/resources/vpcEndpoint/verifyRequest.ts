import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { textReader } from '../../items/parameters';
import { InputError } from '../../transport/errors/errors';

/** The fields that say which endpoint service is meant. */
export const requestFields: INodeProperties[] = [
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
				description: 'One of the endpoint services of your own project. Its ID is sent.',
			},
		],
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
		displayOptions: { show: { lookupMode: ['name', 'nameAndId'] } },
	},
	{
		displayName: 'Endpoint Service ID',
		name: 'vpcEpServerId',
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb',
		description: 'ID of the VPC endpoint service',
		displayOptions: { show: { lookupMode: ['id', 'nameAndId'] } },
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
		displayOptions: { show: { lookupMode: ['list'] } },
	},
];

/** What is sent: a field that is blank is left out. */
export interface VerifyRequest {
	ds_type: string;
	vpc_ep_server_name?: string;
	vpc_ep_server_id?: string;
}

/**
 * Prepares to read what is sent for each item.
 *
 * @returns a function that throws an InputError if a field that the lookup mode needs is blank
 */
export function requestReader(context: IExecuteFunctions): (itemIndex: number) => VerifyRequest {
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
