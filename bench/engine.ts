import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

import { type EngineTypes, loadPackage, runWorkflow } from '../test/support/engine';
import { hexId, newEndpoint } from '../test/support/cloud/cloud';
import {
	type IExecuteFunctions,
	type INode,
	type INodeType,
	type IVersionedNodeType,
	NodeConnectionTypes,
	NodeHelpers,
} from 'n8n-workflow';

import { HelperNode } from './HelperNode';
import { credential, type Input, type Run, type Task } from './task';

/** Those that run as a node in a workflow of n8n. */
export type NodeContender = 'node' | 'helper' | 'httpRequest' | 'passOn' | 'makeUp';

type NodeUnderTest = Pick<INode, 'type' | 'typeVersion' | 'parameters'>;

const SERVICE_NAME = '={{ $json.name }}';

/** How each is set up by a person: the name comes from the item, everything else is fixed. */
const setUp: Record<NodeContender, (task: Task) => NodeUnderTest> = {
	node: ({ concurrency }) => ({
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
	}),
	helper: ({ concurrency }) => ({
		type: 'bench.helper',
		typeVersion: 1,
		parameters: { dsType: 'DWS', vpcEpServerName: SERVICE_NAME, maxConcurrency: concurrency },
	}),
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
			options: {
				allowUnauthorizedCerts: true,
				...(batchInterval > 0 && { batching: { batch: { batchSize: concurrency, batchInterval } } }),
			},
		},
	}),
	passOn: () => ({ type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} }),
	makeUp: () => ({ type: 'bench.makeUp', typeVersion: 1, parameters: {} }),
};

/** Loads what the contender needs and gives the function that runs a workflow of it on n8n's engine. */
export async function prepareWorkflow(contender: NodeContender): Promise<Run> {
	const types = await loadPackage(resolve(__dirname, '..'));
	extend(types, contender);

	return async (task, input) => {
		const trigger = {
			id: '1',
			name: 'Start',
			type: 'n8n-nodes-base.manualTrigger',
			typeVersion: 1,
			parameters: {},
			position: [0, 0] satisfies [number, number],
		};
		const node: INode = {
			id: '2',
			name: 'Contender',
			position: [200, 0],
			credentials: { dataArtsInsightApi: { id: '1', name: 'DataArts Insight' } },
			...setUp[contender](task),
		};
		const { output, error } = await runWorkflow(
			{
				nodes: [trigger, node],
				connections: {
					Start: { main: [[{ node: 'Contender', type: NodeConnectionTypes.Main, index: 0 }]] },
				},
			},
			{
				types,
				credentials: { dataArtsInsightApi: credential(task.origin) },
				input: input as unknown as Array<Record<keyof Input, string>>,
				mode: 'trigger',
			},
		);
		if (error) throw new Error(`${error.message}: ${String(error.description)}`);
		return (output('Contender')[0] ?? []).map(({ json }) => json);
	};
}

function extend({ nodes }: EngineTypes, contender: NodeContender) {
	if (contender === 'helper') nodes['bench.helper'] = new HelperNode();
	if (contender === 'makeUp') nodes['bench.makeUp'] = makeUp;
	if (contender === 'httpRequest') {
		// Only this node: loading all of n8n's takes a minute. It is not in the main install, hence no import.
		const require = createRequire(join(__dirname, 'package.json'));
		const { HttpRequest } = require('n8n-nodes-base/dist/nodes/HttpRequest/HttpRequest.node.js') as {
			HttpRequest: new () => IVersionedNodeType;
		};
		nodes['n8n-nodes-base.httpRequest'] = NodeHelpers.getVersionedNodeType(new HttpRequest());
	}
}

/** Makes items like those of the answers without a call: what n8n alone holds for the same output. */
const makeUp: INodeType = {
	description: {
		displayName: 'Make Up',
		name: 'makeUp',
		group: ['transform'],
		version: 1,
		description: '',
		defaults: {},
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		properties: [],
	},
	execute(this: IExecuteFunctions) {
		const endpoint = newEndpoint('DWS', { id: hexId(), name: '' });
		const items = this.getInputData().map(({ json }, item) => {
			// Through text, as an answer comes: each item gets strings of its own.
			const text = JSON.stringify({ ...endpoint, vpc_ep_server_name: json.name });
			return { json: JSON.parse(text) as Input & typeof json, pairedItem: { item } };
		});
		return Promise.resolve([items]);
	},
};
