import { runItems } from '../../items/runItems';
import { serviceIdFinder } from '../endpointService/describe';
import { endpointServiceField, locatorReader } from '../endpointService/locator';
import { limitReader, listFields } from '../listFields';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import { readRecords } from '../records';
import type { Operation } from '../resource';

/*
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Querying the Whitelist of a VPC Endpoint Service"
 * (ListServicePermissionsDetails).
 */

/** Lists who may connect to an endpoint service. */
export const getAll: Operation = {
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many whitelist permissions',
	description: 'Get the whitelist of one of your VPC endpoint services: the accounts that may connect to it',
	fields: [endpointServiceField, ...listFields, ownerOptions()],
	run: async (context) =>
		await runItems(context, async () => {
			const { maxConcurrency, readClient } = await prepareOwnerSide(context, {
				permission: 'vpcep:permissions:list',
				byName: 'vpcep:epservices:get',
			});
			const readLocator = locatorReader(context);
			const readLimit = limitReader(context);
			const findId = serviceIdFinder();
			return {
				maxConcurrency,
				read: async (itemIndex) => ({
					locator: readLocator(itemIndex),
					limit: readLimit(itemIndex),
					client: await readClient(itemIndex),
				}),
				send: async ({ client, locator, limit }) => {
					const id = await findId(client, locator);
					const list = { path: `/vpc-endpoint-services/${id}/permissions`, field: 'permissions' };
					const { records } = await readRecords(client, list, limit);
					return { json: records.map((record) => ({ ...record, endpoint_service_id: id })) };
				},
				identify: ({ client: { place }, locator, limit }) => JSON.stringify([place, locator, limit]),
			};
		}),
};
