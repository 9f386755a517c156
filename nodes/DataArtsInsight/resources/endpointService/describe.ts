import type { JsonObject } from 'n8n-workflow';

import { RequestError } from '../../transport/errors/errors';
import type { ItemClient } from '../clients';
import { queryOf } from '../records';
import { isId, type ServiceLocator } from './locator';

/**
 * What the VPC Endpoint service tells of one endpoint service, whoever owns it. It creates nothing.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Querying Basic Information of a VPC Endpoint Service".
 *
 * @throws {RequestError} if there is none of that name or ID
 */
export async function describeService(
	{ call, projectId }: Pick<ItemClient, 'call' | 'projectId'>,
	locator: ServiceLocator,
): Promise<JsonObject> {
	const search = queryOf({ [locator.by === 'id' ? 'id' : 'endpoint_service_name']: locator.value });
	return await call({
		method: 'GET',
		path: `/v1/${projectId}/vpc-endpoint-services/describe?${search}`,
		missing: (service) => missingIn(service, locator),
	});
}

/**
 * What a response lacks to be the endpoint service that was asked for. What is changed next must not be that of somebody
 * else, whose response came in its place.
 */
function missingIn(
	{ id, service_name: name }: JsonObject,
	{ by, value }: ServiceLocator,
): string | undefined {
	if (!isId(id)) return "the 'id' of an endpoint service";
	const answered = by === 'id' ? id : name;
	if (typeof answered !== 'string' || !answered) return undefined;
	// A name may stand with or without the region in front of it and the ID behind it; a region alone names no service.
	const [asked, given] = [`.${value}.`.toLowerCase(), `.${answered}.`.toLowerCase()];
	const isRegion = given.startsWith(asked) && !value.includes('.') && answered.includes('.');
	return !isRegion && (asked.includes(given) || given.includes(asked)) ? undefined : 'what was asked for';
}

/**
 * Whether the VPC Endpoint service has said that there is no such endpoint service. A gateway without this API answers
 * 404 as well, and so do IAM and servers that are none of Huawei Cloud's.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Error Codes".
 */
export function isNoService(error: unknown): error is RequestError {
	if (!(error instanceof RequestError)) return false;
	const { code, httpStatus } = error.details;
	return (
		['EndPoint.2003', 'EndPoint.3062'].includes(code) || (httpStatus === 404 && code.startsWith('EndPoint.'))
	);
}

/** Gives the ID of an endpoint service, and throws what {@link describeService} throws. */
export type FindService = (client: ItemClient, locator: ServiceLocator) => Promise<string>;

/**
 * Creates what finds endpoint services. Each is asked for once in a run, however many items mean it, also if there is
 * none; only where another failure leaves that open, the next item asks again.
 */
export function serviceFinder(): FindService {
	const known = new Map<string, Promise<string>>();

	async function ask(key: string, client: ItemClient, locator: ServiceLocator): Promise<string> {
		const { id } = await describeService(client, locator).catch((error: unknown) => {
			if (!isNoService(error)) known.delete(key);
			throw error;
		});
		return id as string;
	}

	return async (client, locator) => {
		const key = JSON.stringify([client.place, locator]);
		const asked = known.get(key) ?? ask(key, client, locator);
		known.set(key, asked);
		return await asked;
	};
}

/** The same, where an ID is taken as it is, and only a name is asked for. */
export function serviceIdFinder(): FindService {
	const find = serviceFinder();
	return async (client, locator) => (locator.by === 'id' ? locator.value : await find(client, locator));
}
