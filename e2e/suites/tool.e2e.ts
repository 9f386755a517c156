import type { INode } from 'n8n-workflow';

import { endpointServices, faultServerName, type Simulator, startSimulator } from '../../test/support/cloud';
import { type ChatModel, startChatModel } from '../support/chatModel';
import { tarball } from '../support/folders';
import { type ExportedWorkflow, N8n, nodeOutput } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { verifyBodies } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

const { name: serviceName } = endpointServices.salesWarehouse;

/** The services that the model asks for. The first one does not exist. */
const asked = ['cn-north-4.missing', ...['alpha', 'beta', 'gamma'].map(named)];
const WHAT_TO_DO =
	'Check the name or ID of the endpoint service in the VPC Endpoint console of its owner, and that it is in the region of the credential';

const n8n = new N8n('tool');
let simulator: Simulator;
let model: ChatModel;

beforeAll(async () => {
	simulator = await startSimulator();
	model = await startChatModel();
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	await n8n.createCredential(simulator.credentials);
	await n8n.createCredential(model.credentials, { name: 'Fake model', type: 'openAiApi' });
});

afterAll(async () => {
	await n8n.dispose();
	await model.close();
	await simulator.close();
});

afterEach(() => {
	simulator.reset();
	model.reset();
});

it('AI agent tool: the agent gets the same item as a workflow', async () => {
	const plain = await n8n.importAndRun(chain('Plain', manualTrigger, insightNode()));
	const [[item] = []] = nodeOutput(plain, 'DataArts Insight');

	model.willSay({ tool: 'DataArts_Insight', arguments: { service: serviceName } });
	model.willSay('It is reachable.');
	const answered = await n8n.importAndRun(agentWorkflow(3));

	expect(answered.status).toBe('success');
	const [question, answer] = model.requests;
	expect(question?.tools).toHaveLength(1);
	expect(question?.tools?.[0]?.function).toMatchObject({
		parameters: { type: 'object', properties: { service: { type: 'string' } }, required: ['service'] },
	});
	const told = JSON.parse(answer?.messages.at(-1)?.content ?? '') as unknown;
	// The second request updates the same endpoint.
	expect(told).toEqual([{ ...item?.json, update_date: expect.any(Number) as number }]);
	expect(verifyBodies(simulator)).toEqual(Array(2).fill({ ds_type: 'DWS', vpc_ep_server_name: serviceName }));
});

describe.each([2.2, 3])('AI agent tool, agent version %d', (version) => {
	it.each(['one after the other', 'at once'])('four tool calls %s get four results', async (how) => {
		const calls = asked.map((service) => ({ tool: 'DataArts_Insight', arguments: { service } }));
		if (how === 'at once') model.willSay(...calls);
		else for (const call of calls) model.willSay(call);
		model.willSay('Three of the four are reachable.');
		const answered = await n8n.importAndRun(agentWorkflow(version));

		expect(answered.status).toBe('success');
		const [failure, ...successes] = model.toolResults();
		// If the tool threw the error, agent version 2 would pass on an empty text, and version 3 no advice.
		expect(failure).toContain('DataArtsInsight.24010003');
		expect(failure).toContain(WHAT_TO_DO);
		expect(successes.map((text) => JSON.parse(text ?? '') as unknown)).toMatchObject(
			asked.slice(1).map((name) => [{ vpc_ep_server_name: name, vpc_ep_client_status: 'accepted' }]),
		);
		const posted = verifyBodies(simulator);
		expect(simulator.requests).toHaveLength(asked.length);
		expect(posted).toEqual(
			expect.arrayContaining(asked.map((name) => ({ ds_type: 'DWS', vpc_ep_server_name: name }))),
		);
	});
});

/** The name of a service that the simulated cloud reports as accepted. */
function named(name: string): string {
	return `${faultServerName('extra-fields')}.${name}`;
}

/** An agent with a model and this node as its only tool. The model fills in the name of the service. */
function agentWorkflow(version: number): ExportedWorkflow {
	const agent: INode = {
		id: 'agent',
		name: 'Agent',
		type: '@n8n/n8n-nodes-langchain.agent',
		typeVersion: version,
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
