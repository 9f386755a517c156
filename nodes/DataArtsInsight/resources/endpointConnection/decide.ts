import type { IExecuteFunctions, INodeExecutionData, INodeProperties, JsonObject } from 'n8n-workflow';

import { runItems, type Sent } from '../../items/runItems';
import { RequestError } from '../../transport/errors/errors';
import type { ItemClient } from '../clients';
import { serviceIdFinder } from '../endpointService/describe';
import { endpointServiceField, locatorReader, type ServiceLocator } from '../endpointService/locator';
import { ownerOptions, prepareOwnerSide } from '../ownerSide';
import type { Operation } from '../resource';
import {
	afterFailedPoll,
	delayBeforeNextPoll,
	statusHints,
	type Wait,
	type Waiting,
	waitOptions,
} from '../waiting';
import {
	CONNECTION,
	connectionIn,
	connectionsOf,
	endpointIdField,
	endpointIdReader,
	readConnection,
	statusOf,
} from './connections';

/*
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Accepting or Rejecting a VPC Endpoint" (AcceptOrRejectEndpoint).
 */

/** What the owner of an endpoint service decides about an endpoint, and how that comes about. */
export interface Decision extends Pick<Operation, 'value' | 'name' | 'action' | 'description'> {
	/** What the form says above the fields. */
	notices: INodeProperties[];
	/** The service's word for it. */
	command: 'receive' | 'reject';
	/** The status that the connection is to get, and those that it has on the way there. */
	signs: [end: string, ...onTheWay: string[]];
	/** The statuses in which the connection is waited for. */
	undecided: string[];
	/** What to say about a connection that has another status than was asked for. */
	toDo: Record<string, string>;
}

/** One item, from its parameters to its last response. */
interface DecisionItem {
	client: ItemClient;
	locator: ServiceLocator;
	endpointId: string;
	/** While the end is waited for. */
	waiting?: Waiting;
}

const waitUntilDone = waitOptions(
	{
		displayName: 'Wait Until Done',
		name: 'waitUntilDone',
		type: 'boolean',
		default: false,
		description:
			'Whether to read the status of the connection again and again, until the service has done what was asked for, or can no longer do so',
	},
	'reading the status again',
	{ pollInterval: 5, maxWait: 600 },
);

const LOOK = 'Endpoint Connection > Get Many shows the present state';

const advice = {
	permission: "vpcep:connections:update, and vpcep:connections:list for 'Wait Until Done'",
	byName: 'vpcep:epservices:get',
	notFound:
		"Check 'Endpoint ID', and that 'Endpoint Service' belongs to the project and region of the credential, or to 'Project ID' in the options: Endpoint Connection > Get Many shows which endpoints there are",
};

/** Makes the operation by which the owner of an endpoint service decides about one endpoint for each item. */
export function decidingOperation(decision: Decision): Operation {
	const { value, name, action, description, notices } = decision;
	return {
		value,
		name,
		action,
		description,
		fields: [
			...notices,
			endpointServiceField,
			{ ...endpointIdField, required: true },
			ownerOptions(...waitUntilDone.properties),
		],
		run: async (context) => await run(context, decision),
	};
}

async function run(context: IExecuteFunctions, decision: Decision): Promise<INodeExecutionData[]> {
	let wait: Wait | undefined;
	const failedPolls: string[] = [];
	const items = await runItems(context, async () => {
		const { maxConcurrency, readClient } = await prepareOwnerSide(context, advice);
		wait = waitUntilDone.read(context);
		const readLocator = locatorReader(context);
		const readEndpointId = endpointIdReader(context);
		const findServiceId = serviceIdFinder();

		return {
			maxConcurrency,
			doubt: doubtAbout(decision),
			read: async (itemIndex): Promise<DecisionItem> => ({
				locator: readLocator(itemIndex),
				endpointId: readEndpointId(itemIndex),
				client: await readClient(itemIndex),
			}),
			send: async (item) => {
				const { client, locator, endpointId, waiting } = item;
				const serviceId = await findServiceId(client, locator);
				// While the end is waited for, the next poll is the retry.
				const connection = waiting
					? readConnection(client, serviceId, endpointId, 0)
					: decide(client, serviceId, endpointId, decision);
				return await connection.then(
					(found) => sentOf(item, { ...found, endpoint_service_id: serviceId }, decision, wait),
					(error: unknown) => afterFailedPoll(error, waiting, 'the connection', failedPolls),
				);
			},
			identify: ({ client: { place }, locator, endpointId }) =>
				JSON.stringify([place, decision.command, locator, endpointId, wait]),
		};
	});
	const hints = statusHints(items, { field: 'status', look: LOOK, ...decision }, wait, failedPolls);
	if (hints.length > 0) context.addExecutionHints(...hints);
	return items;
}

/** What comes of an item, now that its connection is in this state. */
function sentOf(item: DecisionItem, json: JsonObject, { undecided }: Decision, wait?: Wait): Sent {
	const status = statusOf(json);
	if (!wait || !undecided.includes(status)) return { json };
	const now = performance.now();
	const delay = item.waiting?.delay ?? (() => delayBeforeNextPoll(now, wait));
	item.waiting = { status, json, delay };
	return { json, sendAgainAfter: delay() };
}

/**
 * Tells the service what its owner has decided about an endpoint. Where nobody can tell whether the request acted, the
 * connection is read once.
 *
 * @returns the connection
 * @throws {RequestError} if the service refused, or has not acted as far as anybody can tell
 */
async function decide(
	client: ItemClient,
	serviceId: string,
	endpointId: string,
	decision: Decision,
): Promise<JsonObject> {
	return await client
		.call({
			method: 'POST',
			path: `/v1/${client.projectId}${connectionsOf(serviceId).path}/action`,
			// The service takes one endpoint a call.
			body: { action: decision.command, endpoints: [endpointId] },
			doubt: doubtAbout(decision),
			statedEnd: true,
			missing: (response) => (connectionIn(response, endpointId) ? undefined : CONNECTION),
		})
		.then(
			(response) => connectionIn(response, endpointId) ?? {},
			async (error: unknown) => {
				if (!(error instanceof RequestError) || !error.details.outcomeUnknown) throw error;
				return await readConnection(client, serviceId, endpointId).then(
					(connection) => {
						const status = statusOf(connection);
						if (decision.signs.includes(status)) return connection;
						throw error.with({ notes: [`Now the connection is ${status}`] });
					},
					(failure: unknown) => {
						if (!(failure instanceof RequestError)) throw failure;
						throw error.with({ notes: [`The connection could not be read (${failure.message})`] });
					},
				);
			},
		);
}

function doubtAbout({ signs }: Decision): string {
	return `The endpoint may be ${signs[0]} nonetheless: ${LOOK}`;
}
