import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { entryReader } from '../items/parameters';
import { type CloudService, INSIGHT } from '../transport/identity/address';
import type { Place } from '../transport/identity/credential';

const projectId: INodeProperties = {
	displayName: 'Project ID',
	name: 'projectId',
	type: 'string',
	default: '',
	placeholder: 'e.g. 0a1b2c3d4e5f60718293a4b5c6d7e8f9',
	description:
		"ID of the project to act in, instead of the credential's. A user token is for its own project only.",
};

const workspaceId: INodeProperties = {
	displayName: 'Workspace',
	name: 'workspaceId',
	type: 'resourceLocator',
	default: { mode: 'list', value: '' },
	description:
		"The workspace to act in, instead of the credential's. The console of DataArts Insight calls it a project.",
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			placeholder: 'Choose a workspace',
			typeOptions: { searchListMethod: 'searchWorkspaces', searchable: true },
		},
		{
			displayName: 'By ID',
			name: 'id',
			type: 'string',
			placeholder: 'e.g. 7f6e5d4c3b2a19080f1e2d3c4b5a6978',
		},
	],
};

/** The options that say where an operation of DataArts Insight acts. Each item may have its own. */
export const insightPlaceOptions = [projectId, workspaceId];

/** The same for the VPC Endpoint service, which knows of no workspaces. */
export const vpcEndpointPlaceOptions = [projectId];

/**
 * Prepares to read where each item acts. An option that is not there leaves the credential's value, one that is blank
 * does not: it would lead the item to a place that nobody meant.
 *
 * @returns a function that throws an InputError if an expression gave something that is not text
 */
export function placeReader(context: IExecuteFunctions, service: CloudService): (itemIndex: number) => Place {
	const readProjectId = entryReader(context, 'options', 'projectId', 'Project ID');
	const readWorkspaceId =
		service === INSIGHT ? entryReader(context, 'options', 'workspaceId', 'Workspace') : () => undefined;
	return (itemIndex) => ({ projectId: readProjectId(itemIndex), workspaceId: readWorkspaceId(itemIndex) });
}
