import type {
	ILoadOptionsFunctions,
	INodeListSearchItems,
	INodeListSearchResult,
	JsonObject,
} from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import { createClient } from '../transport/client';
import { missingPermission } from '../transport/errors/advice';
import { isObject, unexpectedResponse } from '../transport/errors/answer';
import { VPC_ENDPOINT } from '../transport/identity/address';
import { readCredential } from '../transport/identity/credential';
import { explain, projectInForm, TIMEOUT } from './formList';

/** How many endpoint services are fetched at a time; the service gives up to 1000. */
const PAGE_SIZE = 50;

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

const ADVICE = { forbidden: missingPermission('vpcep:epservices:list') };

const WORDS = {
	message: 'The endpoint services could not be listed',
	otherwise: "To do without the list, choose 'By Name' or 'By ID' instead",
};

/**
 * The endpoint services of the project, for the list in the form: of that in the node's options, or the credential's. It
 * creates nothing.
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
		const place = { projectId: projectInForm(this) };
		const credential = readCredential(await this.getCredentials('dataArtsInsightApi'), VPC_ENDPOINT, place);
		const limits = { helpers: this.helpers, timeout: TIMEOUT, maxRetries: 1, advice: ADVICE };
		const call = createClient(credential, limits);
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
		throw new NodeApiError(this.getNode(), {}, explain(error, WORDS));
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
