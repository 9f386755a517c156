import type { IConnections, INode, INodeParameters, IWorkflowBase } from 'n8n-workflow';

/** The full name of the node's type. */
export const OUR_NODE = 'n8n-nodes-dataarts-insight.dataArtsInsight';

/** The full name of the trigger's type. */
export const OUR_TRIGGER = 'n8n-nodes-dataarts-insight.dataArtsInsightTrigger';

/** A node with the fields that each node has. Its ID is its name. */
export function node(name: string, type: string, more: Partial<INode> = {}): INode {
	return { id: name, name, type, typeVersion: 1, position: [0, 0], parameters: {}, ...more };
}

/** The trigger of the button "Execute workflow". */
export function manualTrigger(more: Partial<INode> = {}): INode {
	return node('Start', 'n8n-nodes-base.manualTrigger', more);
}

/** The node of this package. Without other parameters it verifies the endpoint service that each item names. */
export function insight(parameters: INodeParameters = {}, more: Partial<INode> = {}): INode {
	return node('DataArts Insight', OUR_NODE, {
		position: [220, 0],
		parameters: {
			resource: 'vpcEndpoint',
			operation: 'verifyAndCreate',
			dsType: 'DWS',
			lookupMode: 'name',
			vpcEpServerName: '={{ $json.name }}',
			...parameters,
		},
		credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
		...more,
	});
}

/** The trigger of this package. Without other parameters it tells of endpoints that wait, in all of the project. */
export function insightTrigger(parameters: INodeParameters = {}, more: Partial<INode> = {}): INode {
	return node('DataArts Insight Trigger', OUR_TRIGGER, {
		parameters: { event: 'waiting', watch: 'project', ...parameters },
		credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
		...more,
	});
}

/** The connections that leave a node: for each of its outputs, the names of the nodes that get its items. */
export function outputsTo(...outputs: string[][]): IConnections[string] {
	return {
		main: outputs.map((targets) => targets.map((target) => ({ node: target, type: 'main', index: 0 }))),
	};
}

/** A workflow whose nodes follow each other, with the settings of any that is made in the editor. */
export function chain(...nodes: INode[]) {
	const connections: IConnections = {};
	nodes.forEach(({ name }, index) => {
		const next = nodes[index + 1];
		if (next) connections[name] = outputsTo([next.name]);
	});
	return { nodes, connections, settings: { executionOrder: 'v1' } } satisfies Partial<IWorkflowBase>;
}
