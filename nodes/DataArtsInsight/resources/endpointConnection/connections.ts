import type { IExecuteFunctions, INodeProperties, JsonObject } from 'n8n-workflow';

import { textReader } from '../../items/parameters';
import { isObject, unexpectedResponse } from '../../transport/errors/answer';
import { RequestError } from '../../transport/errors/errors';
import type { ItemClient } from '../clients';
import { checked } from '../endpointService/locator';
import { queryOf, type RecordList } from '../records';

/*
 * The connections of an endpoint service: the VPC endpoints to it, as its owner sees them.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Querying Connections of a VPC Endpoint Service".
 */

const LABEL = 'Endpoint ID';

/** Which endpoint is meant. */
export const endpointIdField: INodeProperties = {
	displayName: LABEL,
	name: 'endpointId',
	type: 'string',
	default: '',
	placeholder: 'e.g. 705290f3-0d00-41f2-aedc-71f09844e879',
	description:
		'ID of the VPC endpoint. Get Many shows it, and Verify and Create gives it as vpc_ep_client_id.',
};

/**
 * Prepares to read which endpoint each item means.
 *
 * @returns a function that throws an InputError if the value is blank, no text, or no single ID
 */
export function endpointIdReader(context: IExecuteFunctions): (itemIndex: number) => string {
	const read = textReader(context, endpointIdField.name, LABEL);
	return (itemIndex) => checkedEndpointId(read(itemIndex));
}

/** @throws {InputError} if the text is not one ID */
export function checkedEndpointId(text: string): string {
	return checked(text, 'id', LABEL);
}

/** What a response without the wanted connection lacks. */
export const CONNECTION = 'the connection of the endpoint';

/** The list of an endpoint service's connections. */
export function connectionsOf(serviceId: string, query?: RecordList['query']): RecordList {
	const path = `/vpc-endpoint-services/${encodeURIComponent(serviceId)}/connections`;
	return { path, field: 'connections', query };
}

/** The connection of an endpoint in a response that lists connections; nothing if it is not there. */
export function connectionIn({ connections }: JsonObject, endpointId: string): JsonObject | undefined {
	const listed: unknown[] = Array.isArray(connections) ? connections : [];
	const wanted = endpointId.toLowerCase();
	return listed.filter(isObject).find(({ id }) => typeof id === 'string' && id.toLowerCase() === wanted);
}

/**
 * Reads the connection of one endpoint.
 *
 * @param maxRetries how often it is asked for again, where that is not what the options say
 * @throws {RequestError} if there is none, or none can be read
 */
export async function readConnection(
	{ call, projectId }: Pick<ItemClient, 'call' | 'projectId'>,
	serviceId: string,
	endpointId: string,
	maxRetries?: number,
): Promise<JsonObject> {
	const { path, field } = connectionsOf(serviceId);
	const page = await call({
		method: 'GET',
		path: `/v1/${projectId}${path}?${queryOf({ id: endpointId })}`,
		missing: ({ connections }) => (Array.isArray(connections) ? undefined : `the list '${field}'`),
		maxRetries,
	});
	const found = connectionIn(page, endpointId);
	if (found) return found;
	// Who gives the connections of others has not looked for this one.
	if ((page[field] as unknown[]).length > 0) throw unexpectedResponse(CONNECTION);
	throw new RequestError(
		'The endpoint service has no connection of this endpoint',
		'Whoever made the endpoint may have deleted it: Endpoint Connection > Get Many shows those that are there',
		{ code: 'NO_CONNECTION', httpStatus: 200, outcomeUnknown: false },
	);
}

/** The status of a connection, as a word that may stand in a sentence. */
export function statusOf({ status }: JsonObject): string {
	return typeof status === 'string' && /^\w{1,64}$/.test(status) ? status : 'in an unknown state';
}
