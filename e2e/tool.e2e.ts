import type { INode } from 'n8n-workflow';

import { catalogue, type Simulator, startSimulator } from '../test/simulator';
import { type ChatModel, startChatModel } from './chatModel';
import { tarball } from './folders';
import { type ExportedWorkflow, N8n, nodeOutput } from './n8n';
import { installAsN8nDoes } from './packageInstall';
import { chain, insightNode, manualTrigger } from './workflows';

const { name: serviceName } = catalogue.salesWarehouse;

const n8n = new N8n('tool');
let simulator: Simulator;
let model: ChatModel;

beforeAll(async () => {
	simulator = await startSimulator();
	model = await startChatModel({ service: serviceName });
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	await n8n.createCredential(simulator.credentials);
	await n8n.createCredential(
		{ apiKey: 'none', url: model.baseUrl },
		{ name: 'Fake model', type: 'openAiApi' },
	);
});

afterAll(async () => {
	await n8n.dispose();
	await model.close();
	await simulator.close();
});

it('gives an AI agent the same item that it gives a workflow', async () => {
	const plain = await n8n.run(await n8n.importWorkflow(chain('Plain', manualTrigger, insightNode())));
	const [[item] = []] = nodeOutput(plain, 'DataArts Insight');

	const asked = await n8n.run(await n8n.importWorkflow(agentWorkflow()));

	expect(asked.status).toBe('success');
	const [question, answer] = model.requests;
	expect(question?.tools).toHaveLength(1);
	expect(question?.tools?.[0]?.function).toMatchObject({
		parameters: { type: 'object', properties: { service: { type: 'string' } }, required: ['service'] },
	});
	const told = JSON.parse(answer?.messages.at(-1)?.content ?? '') as unknown;
	// Verifying again is an update of the same endpoint.
	expect(told).toEqual([{ ...item?.json, update_date: expect.any(Number) as number }]);
	expect(simulator.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
		Array(2).fill({ ds_type: 'DWS', vpc_ep_server_name: serviceName }),
	);
});

/** An agent with a model and this node as its only tool, whose field the model fills in. */
function agentWorkflow(): ExportedWorkflow {
	const agent: INode = {
		id: 'agent',
		name: 'Agent',
		type: '@n8n/n8n-nodes-langchain.agent',
		typeVersion: 3,
		position: [220, 0],
		parameters: { promptType: 'define', text: 'Is the sales warehouse reachable?', options: {} },
	};
	const chatModel: INode = {
		id: 'model',
		name: 'Model',
		type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
		typeVersion: 1.2,
		position: [120, 220],
		parameters: { model: { __rl: true, mode: 'id', value: 'fake' }, options: {} },
		credentials: { openAiApi: { id: null, name: '' } },
	};
	const tool: INode = {
		...insightNode({
			vpcEpServerName: "={{ $fromAI('service', 'Name of the endpoint service', 'string') }}",
		}),
		type: 'n8n-nodes-dataarts-insight.dataArtsInsightTool',
		position: [320, 220],
	};
	const workflow = chain('Agent', manualTrigger, agent);
	return {
		...workflow,
		nodes: [...workflow.nodes, chatModel, tool],
		connections: {
			...workflow.connections,
			[chatModel.name]: { ai_languageModel: [[{ node: agent.name, type: 'ai_languageModel', index: 0 }]] },
			[tool.name]: { ai_tool: [[{ node: agent.name, type: 'ai_tool', index: 0 }]] },
		},
	};
}
