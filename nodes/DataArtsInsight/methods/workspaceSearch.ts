import type {
	ILoadOptionsFunctions,
	INodeListSearchItems,
	INodeListSearchResult,
	JsonObject,
} from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import { type Client, createClient } from '../transport/client';
import { isObject, unexpectedResponse } from '../transport/errors/answer';
import { INSIGHT } from '../transport/identity/address';
import { readProjectCredential } from '../transport/identity/credential';
import { explain, projectInForm, TIMEOUT } from './formList';

/** How many workspaces are fetched at a time. The service gives up to 1000, which may be too large to be read. */
const PAGE_SIZE = 200;

/** With so many entries a list is long enough for the moment. */
const ENOUGH = 50;

/** The most pages for one part of the list, however few workspaces of them match: somebody is looking at the list. */
const MAX_PAGES = 20;

const ADVICE = {
	forbidden: 'Ask an administrator for the permission to list the workspaces of DataArts Insight',
};

const WORDS = {
	message: 'The workspaces could not be listed',
	otherwise:
		"To do without the list, choose 'By ID' and copy the ID from the DataArts Insight console, which calls a workspace a project",
};

/** Where to read on: how many instances, and how many workspaces of the next one, were read already. */
interface Position {
	instance: number;
	workspace: number;
}

/**
 * The workspaces of the project, for the list in the form: those of each instance of DataArts Insight in it. The project
 * is that of the credential, or a fixed one in the options. It creates nothing.
 *
 * Source: Huawei Cloud, DataArts Insight API Reference, `GET /v1/{project_id}/instances` and
 * `GET /v1/{project_id}/instances/{instance_id}/workspaces`, which can search for nothing.
 *
 * @param filter a part of the name or of the ID
 * @param paginationToken where to read on
 * @throws {NodeApiError} that says why there is no list, and how to do without
 */
export async function searchWorkspaces(
	this: ILoadOptionsFunctions,
	filter = '',
	paginationToken = '0 0',
): Promise<INodeListSearchResult> {
	try {
		const credential = readProjectCredential(await this.getCredentials('dataArtsInsightApi'), INSIGHT, {
			projectId: projectInForm(this),
		});
		const limits = { helpers: this.helpers, timeout: TIMEOUT, maxRetries: 1, advice: ADVICE };
		const call = createClient(credential, limits);
		const [instance = 0, workspace = 0] = paginationToken.split(' ').map(Number);
		let position: Position | undefined = { instance, workspace };
		const results: INodeListSearchItems[] = [];
		for (let pages = 0; position && pages < MAX_PAGES && results.length < ENOUGH; pages++) {
			const page = await readPage(call, `/v1/${credential.projectId}/instances`, position);
			results.push(...page.items.filter((item) => item.value !== '' && matches(item, filter.trim())));
			position = page.next;
		}
		return { results, paginationToken: position && `${position.instance} ${position.workspace}` };
	} catch (error) {
		throw new NodeApiError(this.getNode(), {}, explain(error, WORDS));
	}
}

/**
 * Reads some workspaces of one instance.
 *
 * @param path the path of the instances
 * @returns `next` only if there are more workspaces
 */
async function readPage(
	call: Client,
	path: string,
	{ instance, workspace }: Position,
): Promise<{ items: INodeListSearchItems[]; next?: Position }> {
	const instances = await readList(call, path, 1, instance);
	const [first] = instances.records;
	if (!first) return { items: [] };
	const instanceId = textIn(first, 'instance_id');
	if (!instanceId) throw unexpectedResponse("the 'instance_id' of an instance");
	const workspaces = `${path}/${encodeURIComponent(instanceId)}/workspaces`;
	const { records, length, total } = await readList(call, workspaces, PAGE_SIZE, workspace);
	const suffix = instances.total > 1 ? ` in ${textIn(first, 'instance_name') || instanceId}` : '';
	const items = records.map((record) => listItem(record, suffix));

	const read = workspace + length;
	if (length > 0 && read < total) return { items, next: { instance, workspace: read } };
	return {
		items,
		next: instance + 1 < instances.total ? { instance: instance + 1, workspace: 0 } : undefined,
	};
}

async function readList(call: Client, path: string, limit: number, offset: number) {
	const { page_data: page, count } = await call({
		method: 'GET',
		path: `${path}?limit=${limit}&offset=${offset}`,
	});
	if (!Array.isArray(page)) throw unexpectedResponse("the list 'page_data'");
	return { records: page.filter(isObject), length: page.length, total: Number(count) };
}

/** @param suffix says which instance it is in, where there are several */
function listItem(workspace: JsonObject, suffix: string): INodeListSearchItems {
	const id = textIn(workspace, 'id');
	const isDefault = workspace.is_default === true ? ' (default)' : '';
	return { name: `${textIn(workspace, 'name') || id}${isDefault}${suffix}`, value: id };
}

function matches({ name, value }: INodeListSearchItems, filter: string): boolean {
	return [name, String(value)].some((text) => text.toLowerCase().includes(filter.toLowerCase()));
}

function textIn(record: JsonObject, field: string): string {
	const value = record[field];
	return typeof value === 'string' ? value : '';
}
