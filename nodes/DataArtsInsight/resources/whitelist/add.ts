import type { IDataObject } from 'n8n-workflow';

import { runItems } from '../../items/runItems';
import type { ItemClient } from '../clients';
import { serviceIdFinder } from '../endpointService/describe';
import { endpointServiceField, locatorReader } from '../endpointService/locator';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import type { Operation } from '../resource';
import { allowEveryone, type Permission, permissionField, permissionReader } from './permission';

/*
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Batch Adding or Deleting Whitelist Records of a VPC Endpoint
 * Service" (AddOrRemoveServicePermissions).
 */

/** What to say where nobody can tell whether a request has added the permission. */
const DOUBT =
	'The request may have reached the service, so it was not repeated and the permission may be on the whitelist: see Whitelist > Get Many before you run the node again';

/** Lets an account connect to an endpoint service. */
export const add: Operation = {
	value: 'add',
	name: 'Add',
	action: 'Add whitelist permission',
	description:
		'Let an account connect to one of your VPC endpoint services, such as that of DataArts Insight',
	fields: [endpointServiceField, permissionField, ownerOptions(allowEveryone)],
	run: async (context) =>
		await runItems(context, async () => {
			const { maxConcurrency, readClient } = await prepareOwnerSide(context, {
				permission: 'vpcep:permissions:update',
				byName: 'vpcep:epservices:get',
			});
			const readLocator = locatorReader(context);
			const readPermission = permissionReader(context);
			const findId = serviceIdFinder();
			return {
				maxConcurrency,
				doubt: DOUBT,
				read: async (itemIndex) => ({
					locator: readLocator(itemIndex),
					body: readPermission(itemIndex),
					client: await readClient(itemIndex),
				}),
				send: async ({ client, locator, body }) => ({
					json: await addPermission(client, await findId(client, locator), body),
				}),
				identify: ({ client: { place }, locator, body }) => JSON.stringify([place, locator, body]),
			};
		}),
};

/** @returns the permission that was added, as the response gives it, and the endpoint service's ID */
async function addPermission(
	{ call, projectId }: ItemClient,
	id: string,
	body: Permission,
): Promise<IDataObject> {
	const response = await call({
		method: 'POST',
		path: `/v1/${projectId}/vpc-endpoint-services/${id}/permissions/action`,
		body: { ...body, action: 'add' },
		doubt: DOUBT,
		missing: (object) =>
			added(object.permissions, body) ? undefined : 'the permission that was to be added',
	});
	const { permissions, ...rest } = response;
	return { permission: added(permissions, body), ...rest, endpoint_service_id: id };
}

function added(answered: unknown, { permissions: [wanted] }: Permission): string | undefined {
	const texts = Array.isArray(answered) ? answered.filter((one) => typeof one === 'string') : [];
	return texts.find((one) => one.toLowerCase() === wanted.toLowerCase());
}
