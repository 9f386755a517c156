import type { IPollFunctions, JsonObject } from 'n8n-workflow';

import { createClient } from '../../transport/client';
import { missingPermission } from '../../transport/errors/advice';
import { type Advice, RequestError } from '../../transport/errors/errors';
import { VPC_ENDPOINT } from '../../transport/identity/address';
import { readCredential } from '../../transport/identity/credential';
import type { ItemClient } from '../clients';
import { describeService, isNoService } from '../endpointService/describe';
import { endpointServiceField, isId, locatorOf } from '../endpointService/locator';
import { readRecords } from '../records';
import type { ConnectionEvent } from './changes';
import { connectionsOf } from './connections';

/*
 * What a poll of the trigger watches, and how it is read.
 */

/** How many milliseconds a poll may take where n8n (before 2.41) does not say. */
const DEFAULT_BUDGET = 5 * 60_000;

/** The share of its time that a poll uses for requests. The rest is for what comes after them. */
const SHARE = 0.9;

/** How many milliseconds the service may take for one page. */
const TIMEOUT = 30_000;

const MAX_RETRIES = 3;

const ADVICE: Advice = {
	invalid: 'Check the values of the trigger and of the credential',
	notFound:
		"Check 'Endpoint Service', and that it belongs to the project and region of the credential: the trigger sees what its owner sees",
	throttled: 'The service takes no more requests for the moment. The next poll asks again',
	timeout: 'The next poll asks again. If this happens often, check the network between n8n and Huawei Cloud',
};

export interface Service {
	id: string;
	name: string;
}

/** What is watched, and what reads it. */
export interface Watch {
	event: ConnectionEvent;
	client: Pick<ItemClient, 'call' | 'projectId'>;
	services: Service[];
	/** Text that tells it from other ones. */
	watched: string;
	/** Aborted when the time of the poll is up. */
	signal: AbortSignal;
	/** Whether an error says only that the endpoint service was deleted meanwhile. */
	isGone: (error: unknown) => boolean;
}

/**
 * Reads the trigger's parameters and its credential, and which endpoint services there are.
 *
 * @throws {InputError} if a parameter or the credential cannot be used
 * @throws {RequestError} if the endpoint services could not be read, or not in time
 */
export async function prepareWatch(context: IPollFunctions): Promise<Watch> {
	const budget = Math.ceil(budgetOf(context) * SHARE);
	const signal = AbortSignal.timeout(budget);
	const event = context.getNodeParameter('event') as ConnectionEvent;
	const isOne = context.getNodeParameter('watch') === 'endpointService';
	const locator = isOne ? locatorOf(context.getNodeParameter(endpointServiceField.name)) : undefined;
	const credential = readCredential(await context.getCredentials('dataArtsInsightApi'), VPC_ENDPOINT);
	const { origin, projectId } = credential;
	const timeout = Math.min(TIMEOUT, budget);
	const forbidden = missingPermission(
		`vpcep:epservices:${isOne ? 'get' : 'list'} and vpcep:connections:list`,
	);
	const advice = { ...ADVICE, forbidden };
	const limits = { helpers: context.helpers, timeout, maxRetries: MAX_RETRIES, signal, advice };
	const client = { call: createClient(credential, limits), projectId };
	const found = await (
		locator ? describeService(client, locator).then((one) => [one]) : listServices(client)
	).catch((error: unknown) => {
		throw signal.aborted ? timeUp() : error;
	});
	const services = found.flatMap(({ id, service_name: name }) =>
		isId(id) ? [{ id, name: typeof name === 'string' ? name : '' }] : [],
	);
	const scope = locator ? (services[0]?.id ?? '') : '*';
	const watched = [origin, projectId, scope].join(' ');
	return { event, client, services, watched, signal, isGone: (error) => !isOne && isNoService(error) };
}

/** n8n before 2.41 has no such function. */
function budgetOf(context: Partial<Pick<IPollFunctions, 'getPollBudgetMs'>>): number {
	return context.getPollBudgetMs?.() ?? DEFAULT_BUDGET;
}

async function listServices(client: Watch['client']): Promise<JsonObject[]> {
	return (await readRecords(client, { path: '/vpc-endpoint-services', field: 'endpoint_services' })).records;
}

/**
 * Reads the connections of an endpoint service.
 *
 * @returns the records, or why they could not be read
 */
export async function readConnections(
	client: Watch['client'],
	{ id }: Service,
	query?: Record<string, string | undefined>,
	limit?: number,
): Promise<{ records?: JsonObject[]; total?: number; error?: unknown }> {
	return await readRecords(client, connectionsOf(id, query), limit).catch((error: unknown) => ({ error }));
}

/** The error for what could not be read in the time of a poll. */
export function timeUp(): RequestError {
	return new RequestError(
		'The endpoint connections could not be read in the time that n8n gives a poll',
		'The next poll asks again. If this happens often, watch a single endpoint service, or check the network between n8n and Huawei Cloud',
		{ code: 'TIMEOUT', outcomeUnknown: false },
	);
}
