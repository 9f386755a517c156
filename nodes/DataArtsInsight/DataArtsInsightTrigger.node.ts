import type { INodeExecutionData, INodeType, INodeTypeDescription, IPollFunctions } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import * as methods from './methods';
import { pollConnections } from './resources/endpointConnection/poll';
import { endpointServiceField } from './resources/endpointService/locator';

/** The trigger on n8n's canvas. How it polls stands in `resources/endpointConnection/poll.ts`. */
export class DataArtsInsightTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'DataArts Insight Trigger',
		name: 'dataArtsInsightTrigger',
		icon: { light: 'file:dataArtsInsight.svg', dark: 'file:dataArtsInsight.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{$parameter["event"]}}',
		description:
			'Starts the workflow when a VPC endpoint waits for acceptance, is accepted or changes its status',
		defaults: { name: 'DataArts Insight Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'dataArtsInsightApi', required: true, testedBy: 'dataArtsInsightApiTest' }],
		properties: [
			{
				displayName: 'Trigger On',
				name: 'event',
				type: 'options',
				noDataExpression: true,
				default: 'waiting',
				options: [
					{
						name: 'Endpoint Waits for Acceptance',
						value: 'waiting',
						description:
							'Somebody asked to be connected, and the owner of the endpoint service has to accept',
					},
					{
						name: 'Endpoint Was Accepted',
						value: 'accepted',
						description: 'An endpoint was accepted and can be used',
					},
					{
						name: 'Endpoint Status Changed',
						value: 'statusChanged',
						description: 'An endpoint is new, or has another status than at the last poll',
					},
				],
			},
			{
				displayName: 'Watch',
				name: 'watch',
				type: 'options',
				noDataExpression: true,
				default: 'project',
				description: 'Whose endpoints to watch: the trigger sees what the owner of an endpoint service sees',
				options: [
					{
						name: 'All Endpoint Services of the Project',
						value: 'project',
						description: "Those of the credential's project, with those that come later",
					},
					{
						name: 'One Endpoint Service',
						value: 'endpointService',
						description: "One of the credential's project",
					},
				],
			},
			{ ...endpointServiceField, displayOptions: { show: { watch: ['endpointService'] } } },
		],
	};

	methods = methods;

	async poll(this: IPollFunctions): Promise<INodeExecutionData[][] | null> {
		return await pollConnections(this);
	}
}
