import type { INode, INodeParameters } from 'n8n-workflow';

import { endpointServices } from '../../test/support/cloud';
import type { ExportedWorkflow } from './n8n';

/** The node of this package. By default it verifies a service that accepts at once. */
export function insightNode(parameters: INodeParameters = {}): INode {
	return {
		id: 'insight',
		name: 'DataArts Insight',
		type: 'n8n-nodes-dataarts-insight.dataArtsInsight',
		typeVersion: 1,
		position: [220, 0],
		parameters: {
			resource: 'vpcEndpoint',
			operation: 'verifyAndCreate',
			dsType: 'DWS',
			lookupMode: 'name',
			vpcEpServerName: endpointServices.salesWarehouse.name,
			options: {},
			...parameters,
		},
		credentials: { dataArtsInsightApi: { id: null, name: '' } },
	};
}

export const manualTrigger: INode = {
	id: 'start',
	name: 'Start',
	type: 'n8n-nodes-base.manualTrigger',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};

/** A workflow whose nodes are connected in this order. */
export function chain(name: string, ...nodes: INode[]): ExportedWorkflow {
	return {
		name,
		nodes,
		// As in all workflows that the editor creates.
		settings: { executionOrder: 'v1' },
		connections: Object.fromEntries(
			nodes
				.slice(0, -1)
				.map((node, index) => [
					node.name,
					{ main: [[{ node: nodes[index + 1]?.name ?? '', type: 'main', index: 0 }]] },
				]),
		),
	};
}
