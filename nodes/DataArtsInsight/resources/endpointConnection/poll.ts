import type { INodeExecutionData, IPollFunctions, JsonObject } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import { toNodeError } from '../../items/nodeError';
import { compare, isEvent, knownServices, type Memory, readMemory, STATUS_OF } from './changes';
import { prepareWatch, readConnections, type Service, timeUp, type Watch } from './watch';

/*
 * The polls of the trigger. They only read.
 *
 * What n8n does around a poll, by the code of n8n-core and n8n 2.41 (`PollTriggerExecutor`, `TriggerExecutionContextFactory`,
 * `PollCursorService`):
 *
 * - The static data of a node is one object in memory for as long as the workflow is active. n8n saves it after the
 *   activation and whenever a poll has found something, right before it starts the execution. What a poll without items
 *   has remembered is saved with the next one that has some. So after a restart the changes are those since the last
 *   saved state: all that were reported are in it, and none is reported twice. A status that came and went meanwhile,
 *   and was not the event, is not seen.
 * - With durable cursors each poll gets a copy of the static data. n8n keeps it together with the execution, or alone
 *   where the poll found nothing. Where the poll throws, the copy is dropped. So it is after a poll of the activation that
 *   found nothing: the next poll is the first that remembers.
 * - An execution that cannot be started is lost, unless cursors are durable: the state was saved before.
 * - A poll may begin while another one is running. Without durable cursors both have the same static data, so the second
 *   one ends at once. With them n8n keeps the result of one of the two.
 * - The first poll is part of the activation: what it throws refuses the activation. Of what others throw n8n makes a failed
 *   execution, and goes on polling.
 * - The static data belongs to the name of the node: after a change of the name the trigger begins anew.
 */

/** The static data of the polls that are running. */
const running = new WeakSet<object>();

/**
 * Finds what has happened to the endpoint connections since the last poll, by the trigger's parameters. The first poll
 * finds nothing and remembers what is there; so does the first one after another credential, project or endpoint service was
 * chosen. Where somebody tries the trigger in the editor, it gives one connection as it is, and remembers nothing.
 *
 * Endpoint services that were not reached in the poll's time come first at the next poll. Where some cannot be read, what the
 * others bring is kept: the error is thrown by the next poll that finds and remembers nothing new.
 *
 * @returns `null` if nothing has happened
 * @throws {NodeApiError} if the service refused, could not be reached, or did not answer in time
 * @throws {NodeOperationError} if a parameter or the credential cannot be used, or if there is no connection to show
 */
export async function pollConnections(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	const items = await (context.getMode() === 'manual' ? sample(context) : alone(context)).catch(
		(error: unknown) => {
			throw toNodeError(context.getNode(), error);
		},
	);
	return items.length > 0 ? [items] : null;
}

/** Polls unless another poll of the same trigger is running, which will find whatever there is. */
async function alone(context: IPollFunctions): Promise<INodeExecutionData[]> {
	const data = context.getWorkflowStaticData('node');
	if (running.has(data)) return [];
	running.add(data);
	try {
		const watch = await prepareWatch(context);
		const { items, failure, ...memory } = await readChanges(watch, readMemory(data, watch.watched));
		const isNew = JSON.stringify(data.services) !== JSON.stringify(memory.services);
		// n8n notices a change of the fields, not of what is in them.
		Object.assign(data, memory);
		if (!failure) return items;
		if (items.length === 0 && !(failure.read > 0 && isNew)) throw failure.error;
		const reason = failure.error instanceof Error ? failure.error.message : 'unknown';
		context.logger.warn(`Not all endpoint services could be read: ${reason}`);
		return items;
	} finally {
		running.delete(data);
	}
}

interface Reading extends Memory {
	items: INodeExecutionData[];
	/** Why an endpoint service could not be read, and how many could. */
	failure?: { error: unknown; read: number };
}

async function readChanges(watch: Watch, memory: Memory | undefined): Promise<Reading> {
	const { event, client, services, watched, signal, isGone } = watch;
	const { services: known, unlisted } = knownServices(
		memory,
		services.map(({ id }) => id),
	);
	const items: INodeExecutionData[] = [];
	const notReached: string[] = [];
	const failed: string[] = [];
	let [error, read]: [unknown, number] = [undefined, 0];

	for (const [index, service] of inOrder(services, memory?.first ?? []).entries()) {
		const { id } = service;
		const result = signal.aborted ? undefined : await readConnections(client, service);
		if (result?.records) {
			const { changes, next } = compare(known[id] ?? null, result.records, result.total);
			known[id] = next;
			const events = changes.filter((change) => isEvent(event, change));
			items.push(...events.map(({ connection, previous }) => toItem(service, connection, previous)));
			read++;
		} else if (signal.aborted && index > 0) {
			notReached.push(id);
		} else if (!isGone(result?.error)) {
			// The first one had all the time there is. It must not take that from the others again.
			failed.push(id);
			error ??= signal.aborted ? timeUp() : result?.error;
		}
	}
	const failure = error === undefined ? undefined : { error, read };
	return { items, failure, watched, services: known, unlisted, first: [...notReached, ...failed] };
}

/** One connection that the event could be about, or any. */
async function sample(context: IPollFunctions): Promise<INodeExecutionData[]> {
	const { event, client, services, signal, isGone } = await prepareWatch(context);
	for (const status of new Set([STATUS_OF[event], undefined])) {
		for (const service of services) {
			const { records, error } = await readConnections(client, service, { status }, 1);
			if (!records && !isGone(error)) throw signal.aborted ? timeUp() : error;
			const [connection] = records ?? [];
			if (connection) return [toItem(service, connection, null)];
		}
	}
	throw new NodeOperationError(context.getNode(), 'No endpoint connection could be found', {
		description:
			"There is none to show yet. Activate the workflow to be told of the first one, or choose another endpoint service in 'Watch'",
	});
}

/** Those that come first, in their order, and the others behind them. */
function inOrder(services: Service[], first: string[]): Service[] {
	const places = new Map(first.map((id, place) => [id, place]));
	const placeOf = ({ id }: Service) => places.get(id) ?? first.length;
	return [...services].sort((one, other) => placeOf(one) - placeOf(other));
}

function toItem({ id, name }: Service, connection: JsonObject, previous: string | null): INodeExecutionData {
	return {
		json: {
			...connection,
			endpoint_service_id: id,
			endpoint_service_name: name,
			previous_status: previous,
		},
	};
}
