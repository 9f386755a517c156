import { runItems } from '../../items/runItems';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import type { Operation } from '../resource';
import { describeService } from './describe';
import { endpointServiceField, locatorReader } from './locator';

const CHECK_NAME =
	'Check the ID or name of the endpoint service with its owner, and that it is in the region of the credential';

/** Tells whether there is an endpoint service of a name or ID, whoever owns it. */
export const get: Operation = {
	value: 'get',
	name: 'Get',
	action: 'Get endpoint service',
	description:
		'Check that a VPC endpoint service exists, whoever owns it, and get what everybody may know of it',
	fields: [endpointServiceField, ownerOptions()],
	run: async (context) =>
		await runItems(context, async () => {
			const { maxConcurrency, readClient } = await prepareOwnerSide(context, {
				permission: 'vpcep:epservices:get',
				notFound: CHECK_NAME,
			});
			const readLocator = locatorReader(context);
			return {
				maxConcurrency,
				read: async (itemIndex) => ({
					locator: readLocator(itemIndex),
					client: await readClient(itemIndex),
				}),
				send: async ({ client, locator }) => ({ json: await describeService(client, locator) }),
				identify: ({ client: { place }, locator }) => JSON.stringify([place, locator]),
			};
		}),
};
