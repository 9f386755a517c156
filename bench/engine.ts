import { createRequire } from 'node:module';
import { join } from 'node:path';

import { type EngineTypes, loadPackage, runWorkflow } from '../test/support/engine';
import { hexId, newEndpoint } from '../test/support/cloud/cloud';
import {
	type IExecuteFunctions,
	type INodeType,
	type IVersionedNodeType,
	NodeConnectionTypes,
	NodeHelpers,
} from 'n8n-workflow';

import { buildOf, folderOf } from './builds';
import { credential, type Input, type Run } from './task';
import { type NodeContender, workflowOf } from './workflow';

/** Loads what the contender needs and gives the function that runs a workflow of it on n8n's engine. */
export async function prepareWorkflow(contender: NodeContender): Promise<Run> {
	const types = await loadPackage(folderOf(buildOf(contender)));
	extend(types, contender);
	return runner(contender, types);
}

/** Runs a workflow of the contender on n8n's engine, which knows these types and the trigger. */
export function runner(contender: NodeContender, types: EngineTypes): Run {
	return async (task, input) => {
		const { output, error } = await runWorkflow(workflowOf(contender, task), {
			types,
			credentials: { dataArtsInsightApi: credential(task.origin) },
			input: input as unknown as Array<Record<keyof Input, string>>,
			mode: 'trigger',
		});
		if (error) throw new Error(`${error.message}: ${String(error.description)}`);
		return (output('Contender')[0] ?? []).map(({ json }) => json);
	};
}

function extend({ nodes }: EngineTypes, contender: NodeContender) {
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
