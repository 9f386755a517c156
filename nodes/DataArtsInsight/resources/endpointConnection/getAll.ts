import type { INodeProperties } from 'n8n-workflow';

import { runItems } from '../../items/runItems';
import { serviceIdFinder } from '../endpointService/describe';
import { endpointServiceField, locatorReader } from '../endpointService/locator';
import { filterReader, filtersField, limitReader, listFields } from '../listFields';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import { readRecords } from '../records';
import type { Operation } from '../resource';
import { checkedEndpointId, connectionsOf, endpointIdField } from './connections';

/** The options are the statuses that the service can look for. */
const status: INodeProperties = {
	displayName: 'Status',
	name: 'status',
	type: 'options',
	default: 'pendingAcceptance',
	description: 'The status that the connections have',
	options: [
		{ name: 'Accepted', value: 'accepted' },
		{ name: 'Failed', value: 'failed' },
		{ name: 'Pending Acceptance', value: 'pendingAcceptance' },
		{ name: 'Rejected', value: 'rejected' },
	],
};

/** Lists the connections of an endpoint service, the oldest first. It creates nothing. */
export const getAll: Operation = {
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many endpoint connections',
	description: 'Get the VPC endpoints that are connected to an endpoint service, or want to be',
	fields: [endpointServiceField, ...listFields, filtersField(endpointIdField, status), ownerOptions()],
	run: async (context) =>
		await runItems(context, async () => {
			const { maxConcurrency, readClient } = await prepareOwnerSide(context, {
				permission: 'vpcep:connections:list',
				byName: 'vpcep:epservices:get',
			});
			const readLocator = locatorReader(context);
			const readLimit = limitReader(context);
			const readStatus = filterReader(context, status);
			const readEndpointId = filterReader(context, endpointIdField);
			const findServiceId = serviceIdFinder();

			return {
				maxConcurrency,
				read: async (itemIndex) => {
					const endpointId = readEndpointId(itemIndex);
					const id = endpointId === undefined ? undefined : checkedEndpointId(endpointId);
					return {
						locator: readLocator(itemIndex),
						limit: readLimit(itemIndex),
						query: { id, status: readStatus(itemIndex) },
						client: await readClient(itemIndex),
					};
				},
				send: async ({ client, locator, limit, query }) => {
					const serviceId = await findServiceId(client, locator);
					const { records } = await readRecords(client, connectionsOf(serviceId, query), limit);
					return { json: records.map((record) => ({ ...record, endpoint_service_id: serviceId })) };
				},
				identify: ({ client: { place }, locator, limit, query }) =>
					JSON.stringify([place, locator, limit, query]),
			};
		}),
};
