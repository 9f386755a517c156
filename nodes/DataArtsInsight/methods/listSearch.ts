import type {
	ILoadOptionsFunctions,
	INodeListSearchItems,
	INodeListSearchResult,
	JsonObject,
} from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import { createClient } from '../transport/client';
import { isObject, unexpectedResponse } from '../transport/errors/answer';
import { InputError, RequestError } from '../transport/errors/errors';
import { readCredential, VPC_ENDPOINT } from '../transport/identity/credential';

/** How many endpoint services are fetched at a time; the service gives up to 1000. */
const PAGE_SIZE = 50;

/** How long the service may take, in milliseconds: somebody is looking at the list. */
const TIMEOUT = 15_000;

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

const ASK_FOR_PERMISSION =
	'Ask an administrator to let this IAM user list VPC endpoint services (vpcep:epservices:list)';

/**
 * The endpoint services of the project, for the list in the form. It creates nothing.
 *
 * Source: Huawei Cloud, VPC Endpoint API Reference, "Querying VPC Endpoint Services" (ListEndpointService).
 *
 * @param filter an ID, or a part of the name
 * @param paginationToken how many were listed already
 * @throws {NodeApiError} that says why there is no list, and how to do without
 */
export async function searchEndpointServices(
	this: ILoadOptionsFunctions,
	filter = '',
	paginationToken = '0',
): Promise<INodeListSearchResult> {
	try {
		const credential = readCredential(await this.getCredentials('dataArtsInsightApi'), VPC_ENDPOINT);
		const call = createClient(credential, { helpers: this.helpers, timeout: TIMEOUT, maxRetries: 1 });
		const text = filter.trim();
		const search = text && `&${UUID.test(text) ? 'id' : 'endpoint_service_name'}=${encodeURIComponent(text)}`;
		const offset = Number(paginationToken);
		const page = `limit=${PAGE_SIZE}&offset=${offset}`;
		const path = `/v1/${credential.projectId}/vpc-endpoint-services?${page}${search}`;
		const { endpoint_services: services, total_count: total } = await call({ method: 'GET', path });
		if (!Array.isArray(services)) throw unexpectedResponse("the list 'endpoint_services'");

		const listed = offset + services.length;
		return {
			results: services.filter(isObject).map(listItem),
			paginationToken: services.length > 0 && listed < Number(total) ? String(listed) : undefined,
		};
	} catch (error) {
		throw new NodeApiError(this.getNode(), {}, explain(error));
	}
}

/**
 * Shows name, status and ID. The editor cuts what is longer than about 45 characters, and the full name of an endpoint
 * service mostly ends in its ID: so that comes last, once.
 */
function listItem(service: JsonObject): INodeListSearchItems {
	const [name = '', id = '', status = ''] = ['service_name', 'id', 'status'].map((field) => {
		const value = service[field];
		return typeof value === 'string' ? value : '';
	});
	const shortName = name.endsWith(`.${id}`) ? name.slice(0, -id.length - 1) : name;
	return { name: `${shortName} (${status}) ${id}`, value: id };
}

/**
 * What the editor shows in place of the list. It takes dashes out of a message, and so out of the names of hosts: the
 * reason goes into the description.
 */
function explain(error: unknown) {
	const message = 'The endpoint services could not be listed';
	const otherwise = "To do without the list, choose 'By Name' or 'By ID' above";
	if (!(error instanceof RequestError || error instanceof InputError)) {
		const reason = error instanceof Error ? error.message : String(error);
		return { message, description: `${reason}. ${otherwise}` };
	}
	const httpStatus = error instanceof RequestError ? error.details.httpStatus : undefined;
	const advice = httpStatus === 403 ? ASK_FOR_PERMISSION : error.description;
	return {
		message,
		description: `${error.message}. ${advice}. ${otherwise}`,
		httpCode: httpStatus?.toString(),
	};
}
