import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeParameters,
	type INodeType,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { built, OUR_NODE } from '../support/engine/built';
import { runWorkflow } from '../support/engine';
import { chain, insight, manualTrigger, node } from '../support/engine/workflow';
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

/** The tool's results for each of the agent's calls. */
async function callTool(settings: object = {}, parameters: INodeParameters = {}) {
	const { nodes, credentials } = await built;
	const insightType = nodes[OUR_NODE] as INodeType;
	// As n8n makes a tool of a node.
	const description = { ...insightType.description, inputs: [], outputs: [NodeConnectionTypes.AiTool] };
	const tool = Object.assign(Object.create(insightType) as INodeType, { description });
	const { nodes: callers, connections } = chain(manualTrigger(), node('Agent', 'test.agent'));
	const { output, error } = await runWorkflow(
		{
			nodes: [
				...callers,
				insight(
					{
						vpcEpServerName: "={{ $fromAI('service', 'Name of the endpoint service', 'string') }}",
						...parameters,
					},
					{ type: `${OUR_NODE}Tool`, ...settings },
				),
			],
			connections: {
				...connections,
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
	['without Continue On Fail', {}],
	['with Continue On Fail', { onError: 'continueRegularOutput' }],
	['with Retry On Fail', { retryOnFail: true, maxTries: 2, waitBetweenTries: 0 }],
])('AI agent tool %s', (_how, settings) => {
	it('returns the result of each call, and the error of the one that fails', async () => {
		service.reply = (name) => (name === 'missing' ? '404' : 'good');
		const [missing, ...found] = await callTool(settings);
		expect(missing).toMatchObject({
			error: 'The resource is not found (DataArtsInsight.24010003)',
			details: {
				code: 'DataArtsInsight.24010003',
				outcomeUnknown: false,
				description: expect.stringContaining('Check the name or ID of the endpoint service') as string,
			},
		});
		expect(found.map((answer) => answer.vpc_ep_server_name)).toEqual(['alpha', 'beta', 'gamma']);
		expect(['alpha', 'beta', 'gamma'].map((name) => service.posts.get(name))).toEqual([1, 1, 1]);
	});

	it('says after a 500 that the outcome is unknown and what to do', async () => {
		service.reply = (name) => (name === 'missing' ? '500' : 'good');
		const [missing] = await callTool(settings);
		expect(missing?.details).toMatchObject({
			outcomeUnknown: true,
			description: expect.stringContaining('run the node again to see its state') as string,
		});
	});
});

it('AI agent tool with Retry On Fail: the same call is sent each time that the agent makes it', async () => {
	const answers = await callTool({ retryOnFail: true }, { vpcEpServerName: 'always-the-same' });
	expect(answers).toHaveLength(4);
	expect(service.posts.get('always-the-same')).toBe(4);
});
