import type { INode, INodeParameters } from 'n8n-workflow';

import { catalogue } from '../test/support/cloud';
import type { ExportedWorkflow } from './n8n';

/** The node of this package as a workflow holds it. It verifies one service that accepts at once. */
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
			vpcEpServerName: catalogue.salesWarehouse.name,
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

/** A workflow whose nodes follow each other. */
export function chain(name: string, ...nodes: INode[]): ExportedWorkflow {
	return {
		name,
		nodes,
		// As all workflows that are made in the editor.
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
