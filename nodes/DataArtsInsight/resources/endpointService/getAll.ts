import type { INodeProperties } from 'n8n-workflow';

import { runItems } from '../../items/runItems';
import { filterReader, filtersField, limitReader, listFields } from '../listFields';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import { readRecords } from '../records';
import type { Operation } from '../resource';

/*
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Querying VPC Endpoint Services" (ListEndpointService).
 */

const name: INodeProperties = {
	displayName: 'Name',
	name: 'name',
	type: 'string',
	default: '',
	placeholder: 'e.g. sales-warehouse',
	description: 'A part of the name',
};

const status: INodeProperties = {
	displayName: 'Status',
	name: 'status',
	type: 'options',
	default: 'available',
	description: 'The status of the endpoint service',
	options: [
		{ name: 'Available', value: 'available' },
		{ name: 'Creating', value: 'creating' },
		{ name: 'Deleting', value: 'deleting' },
		{ name: 'Failed', value: 'failed' },
	],
};

/** Lists the endpoint services of a project. */
export const getAll: Operation = {
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many endpoint services',
	description: 'Get the VPC endpoint services that your project owns',
	fields: [...listFields, filtersField(name, status), ownerOptions()],
	run: async (context) =>
		await runItems(context, async () => {
			const { maxConcurrency, readClient } = await prepareOwnerSide(context, {
				permission: 'vpcep:epservices:list',
			});
			const readLimit = limitReader(context);
			const readName = filterReader(context, name);
			const readStatus = filterReader(context, status);
			return {
				maxConcurrency,
				read: async (itemIndex) => ({
					limit: readLimit(itemIndex),
					query: { endpoint_service_name: readName(itemIndex), status: readStatus(itemIndex) },
					client: await readClient(itemIndex),
				}),
				send: async ({ client, limit, query }) => {
					const list = { path: '/vpc-endpoint-services', field: 'endpoint_services', query };
					const { records } = await readRecords(client, list, limit);
					return { json: records };
				},
				identify: ({ client: { place }, limit, query }) => JSON.stringify([place, limit, query]),
			};
		}),
};
