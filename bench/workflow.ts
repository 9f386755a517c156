import { type INode, type IWorkflowBase, NodeConnectionTypes } from 'n8n-workflow';

import type { Build } from './builds';
import { credential, type Task } from './task';

/** Those that run as a node in a workflow of n8n. */
export type NodeContender = Build | 'httpRequest' | 'passOn' | 'makeUp';

type NodeUnderTest = Pick<INode, 'type' | 'typeVersion' | 'parameters'>;

const SERVICE_NAME = '={{ $json.name }}';

/** The same node in both builds. */
const thisNode = ({ concurrency }: Task): NodeUnderTest => ({
	type: 'n8n-nodes-dataarts-insight.dataArtsInsight',
	typeVersion: 1,
	parameters: {
		resource: 'vpcEndpoint',
		operation: 'verifyAndCreate',
		dsType: 'DWS',
		lookupMode: 'name',
		vpcEpServerName: SERVICE_NAME,
		options: { maxConcurrency: concurrency },
	},
});

/** How each is set up by a person: the name comes from the item, everything else is fixed. */
const setUp: Record<NodeContender, (task: Task) => NodeUnderTest> = {
	pooled: thisNode,
	verifiable: thisNode,
	httpRequest: ({ origin, concurrency, batchInterval }) => ({
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.5,
		parameters: {
			method: 'POST',
			url: `${origin}/v1/${credential(origin).projectId}/connections/vpc-endpoint`,
			authentication: 'predefinedCredentialType',
			nodeCredentialType: 'dataArtsInsightApi',
			sendBody: true,
			bodyParameters: {
				parameters: [
					{ name: 'ds_type', value: 'DWS' },
					{ name: 'vpc_ep_server_name', value: SERVICE_NAME },
				],
			},
			options: batchInterval > 0 ? { batching: { batch: { batchSize: concurrency, batchInterval } } } : {},
		},
	}),
	passOn: () => ({ type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} }),
	makeUp: () => ({ type: 'bench.makeUp', typeVersion: 1, parameters: {} }),
};

/** A trigger, and the contender after it. */
export function workflowOf(
	contender: NodeContender,
	task: Task,
): Pick<IWorkflowBase, 'nodes' | 'connections'> {
	const trigger: INode = {
		id: '1',
		name: 'Start',
		type: 'n8n-nodes-base.manualTrigger',
		typeVersion: 1,
		parameters: {},
		position: [0, 0],
	};
	const node: INode = {
		id: '2',
		name: 'Contender',
		position: [200, 0],
		credentials: { dataArtsInsightApi: { id: '1', name: 'DataArts Insight' } },
		...setUp[contender](task),
	};
	return {
		nodes: [trigger, node],
		connections: { Start: { main: [[{ node: 'Contender', type: NodeConnectionTypes.Main, index: 0 }]] } },
	};
}
