import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeParameters,
	type INodeType,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { built, OUR_NODE } from '../support/engine/built';
import { runWorkflow } from '../support/engine';
import { type CountingService, startCountingService } from '../support/cloud/countingService';

interface Tool {
	invoke: (values: object) => Promise<string>;
}

/** An agent whose model asks for one endpoint service after the other, as n8n's agents up to 2.2 call their tools. */
const agent: INodeType = {
	description: {
		displayName: 'Agent',
		name: 'agent',
		group: ['transform'],
		version: 1,
		description: '',
		defaults: {},
		inputs: [NodeConnectionTypes.Main, NodeConnectionTypes.AiTool],
		outputs: [NodeConnectionTypes.Main],
		properties: [],
	},
	async execute(this: IExecuteFunctions) {
		const [tool] = (await this.getInputConnectionData(NodeConnectionTypes.AiTool, 0)) as [Tool];
		const answers: string[] = [];
		for (const service of ['missing', 'alpha', 'beta', 'gamma']) answers.push(await tool.invoke({ service }));
		return [answers.map((answer) => ({ json: { answer } }))];
	},
};

let service: CountingService;
beforeEach(async () => (service = await startCountingService()));
afterEach(async () => await service.close());

/** What the agent is answered. */
async function ask(settings: object = {}, parameters: INodeParameters = {}) {
	const { nodes, credentials } = await built;
	const node = nodes[OUR_NODE] as INodeType;
	// As n8n makes a tool of a node.
	const description = { ...node.description, inputs: [], outputs: [NodeConnectionTypes.AiTool] };
	const tool = Object.assign(Object.create(node) as INodeType, { description });
	const base = { typeVersion: 1, position: [0, 0] as [number, number], parameters: {} };
	const { output, error } = await runWorkflow(
		{
			nodes: [
				{ ...base, id: '1', name: 'Start', type: 'n8n-nodes-base.manualTrigger' },
				{ ...base, id: '2', name: 'Agent', type: 'test.agent' },
				{
					...base,
					id: '3',
					name: 'DataArts Insight',
					type: `${OUR_NODE}Tool`,
					parameters: {
						resource: 'vpcEndpoint',
						operation: 'verifyAndCreate',
						dsType: 'DWS',
						lookupMode: 'name',
						vpcEpServerName: "={{ $fromAI('service', 'Name of the endpoint service', 'string') }}",
						...parameters,
					},
					credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
					...settings,
				},
			],
			connections: {
				Start: { main: [[{ node: 'Agent', type: NodeConnectionTypes.Main, index: 0 }]] },
				'DataArts Insight': { ai_tool: [[{ node: 'Agent', type: NodeConnectionTypes.AiTool, index: 0 }]] },
			},
		},
		{
			types: { nodes: { ...nodes, 'test.agent': agent, [`${OUR_NODE}Tool`]: tool }, credentials },
			credentials: { dataArtsInsightApi: { ...service.credentials } },
		},
	);
	expect(error).toBeUndefined();
	return (output('Agent')[0] ?? []).map(
		({ json }) => (JSON.parse(json.answer as string) as IDataObject[])[0] ?? {},
	);
}

describe.each([
	['that stops on failure', {}],
	['that continues on failure', { onError: 'continueRegularOutput' }],
	['that is tried again', { retryOnFail: true, maxTries: 2, waitBetweenTries: 0 }],
])('a tool of an agent %s', (_how, settings) => {
	it('answers each of four calls for itself, one of which fails', async () => {
		service.reply = (name) => (name === 'missing' ? '404' : 'good');
		const [missing, ...found] = await ask(settings);
		expect(missing).toMatchObject({
			error: '404 (DataArtsInsight.24010003)',
			details: {
				code: 'DataArtsInsight.24010003',
				outcomeUnknown: false,
				description: expect.stringContaining('Check the name or ID of the endpoint service') as string,
			},
		});
		expect(found.map((answer) => answer.vpc_ep_server_name)).toEqual(['alpha', 'beta', 'gamma']);
		expect(['alpha', 'beta', 'gamma'].map((name) => service.posts.get(name))).toEqual([1, 1, 1]);
	});

	it('says of a call with an unknown outcome what to do next', async () => {
		service.reply = (name) => (name === 'missing' ? '500' : 'good');
		const [missing] = await ask(settings);
		expect(missing?.details).toMatchObject({
			outcomeUnknown: true,
			description: expect.stringContaining('run the node again to see its state') as string,
		});
	});
});

it('a tool is asked again for what it was asked before', async () => {
	const answers = await ask({ retryOnFail: true }, { vpcEpServerName: 'always-the-same' });
	expect(answers).toHaveLength(4);
	expect(service.posts.get('always-the-same')).toBe(4);
});
