import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { IConnections, IDataObject, INode, INodeParameters, INodeTypeDescription } from 'n8n-workflow';

import { catalogue, type Simulator, startSimulator } from '../test/support/cloud';
import { type ChatModel, startChatModel } from './chatModel';
import { type ChatWebhook, startChatWebhook } from './chatWebhook';
import { cache, examples, tarball } from './folders';
import { type Mailbox, startMailbox } from './mailbox';
import { type Execution, type ExportedWorkflow, N8n, nodeOutput } from './n8n';
import { installAsN8nDoes } from './packageInstall';
import { type Slack, slackCertificate, startSlack } from './slack';
import { chain, insightNode, manualTrigger } from './workflows';

/*
 * Each example with all of its nodes, and what arrives at the other end: in the mail, the chat, the model, the cloud.
 */

const { salesWarehouse, financeLedger, newReporting, oldBilling, partnerArchive } = catalogue;
const formLogin = { user: 'team', password: 'Breakwater-55' };
const soon = { rule: { interval: [{ field: 'seconds', secondsInterval: 10 }] } };

/** What the simulated cloud says of a service that does not let DataArts Insight in. */
const notAllowed = {
	error: 'You have no permission to connect to the VPC endpoint service (EndPoint.2012)',
	whatToDo:
		"DataArts Insight is not on the endpoint service's whitelist. Ask the owner of the endpoint service to add the domain ID of DataArts Insight to it. Request ID: …",
};

let simulator: Simulator;
let mailbox: Mailbox;
let slack: Slack;
let chat: ChatWebhook;
let model: ChatModel;
let n8n: N8n;
const published: string[] = [];
const ran = new Set<string>();

beforeAll(async () => {
	simulator = await startSimulator();
	mailbox = await startMailbox();
	slack = await startSlack();
	chat = await startChatWebhook();
	model = await startChatModel();
	const authorities = join(cache, 'slack.pem');
	writeFileSync(authorities, slackCertificate);
	n8n = new N8n('examples', { HTTPS_PROXY: slack.proxyUrl, NODE_EXTRA_CA_CERTS: authorities });
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	await n8n.createCredential(simulator.passwordCredentials);
	for (const [type, data] of Object.entries({
		httpBasicAuth: formLogin,
		openAiApi: model.credentials,
		slackApi: { accessToken: slack.accessToken },
		smtp: mailbox.credentials,
	})) {
		await n8n.createCredential(data, { type, name: type });
	}
});

afterAll(async () => {
	await n8n.dispose();
	for (const service of [simulator, mailbox, slack, chat, model]) await service.close();
});

afterEach(async () => {
	for (const id of published.splice(0)) await n8n.deactivate(id);
	simulator.reset();
	for (const received of [mailbox.mails, slack.messages, slack.hosts, chat.posts]) received.length = 0;
});

describe('verify-by-name', () => {
	it('gives the endpoint', async () => {
		const execution = await n8n.run(await n8n.importWorkflow(example('verify-by-name')));

		expect(items(execution, 'DataArts Insight')).toMatchObject([
			{ vpc_ep_client_status: 'accepted', vpc_ep_server_name: salesWarehouse.name },
		]);
		expect(calls()).toHaveLength(1);
	});
});

describe('verify-a-list', () => {
	it('sorts out what failed', async () => {
		const execution = await n8n.run(await n8n.importWorkflow(example('verify-a-list')));

		expect(items(execution, 'Verified').map((item) => item.vpc_ep_client_status)).toEqual([
			'accepted',
			'accepted',
			'pendingAcceptance',
		]);
		expect(items(execution, 'To fix').map(({ title, error }) => ({ title, error }))).toEqual([
			{ title: 'Name forgotten', error: "'Endpoint Service Name' is blank" },
			{ title: 'Partner archive', error: notAllowed.error },
			{
				title: 'Unknown service',
				error: expect.stringContaining('(DataArtsInsight.24010003)') as string,
			},
		]);
		expect(calls()).toHaveLength(5);
	});
});

describe('list-connections', () => {
	it('lists what the other examples made', async () => {
		await n8n.run(await n8n.importWorkflow(example('verify-by-name')));
		const workflow = example('list-connections');
		const { parameters } = find(workflow, 'List data connections');
		parameters.url = (parameters.url as string)
			.replace('https://dataartsinsight.cn-north-4.myhuaweicloud.com', simulator.url)
			.replace('PROJECT_ID', simulator.credentials.projectId);
		const execution = await n8n.run(await n8n.importWorkflow(workflow));

		expect(items(execution, 'List data connections')).toMatchObject([
			{ count: 1, page_data: [{ vpc_connection: { vpc_ep_server_name: salesWarehouse.name } }] },
		]);
	});
});

describe('scheduled-summary', () => {
	it('mails a summary by status, and tells Slack that somebody is needed', async () => {
		await runOnSchedule(example('scheduled-summary', { 'Every morning': soon }));

		const text = `accepted: 2
• Sales warehouse
• Web shop

pendingAcceptance: 1
• Finance ledger: its owner has to accept the connection in the VPC Endpoint console

creating: 1
• New reporting: nothing to do, it will be ready soon

rejected: 1
• Old billing: its owner refused the connection, talk to them

failed: 1
• Partner archive: ${notAllowed.error}. ${notAllowed.whatToDo}`;
		const subject = 'DataArts Insight: 3 of 6 endpoint services need somebody';
		expect(mails()).toEqual([
			{ recipients: ['data-platform@example.com'], from: 'n8n@example.com', subject, text },
		]);
		expect(slack.messages.map(({ channel, text }) => [channel, withoutIds(text)])).toEqual([
			['#data-platform', `*${subject}*\n\n${text}`],
		]);
		expect([...new Set(slack.hosts)]).toEqual(['slack.com:443']);
		expect(calls()).toHaveLength(6);
	});

	it('mails also when all is well, but leaves Slack alone', async () => {
		const workflow = example('scheduled-summary', { 'Every morning': soon });
		const { parameters } = find(workflow, 'Endpoint services');
		const { assignments } = parameters.assignments as { assignments: Array<{ value: string }> };
		for (const field of assignments) field.value = field.value.split('\n').slice(0, 3).join('\n');
		await runOnSchedule(workflow);

		expect(mails()).toMatchObject([
			{
				subject: 'DataArts Insight: 0 of 2 endpoint services need somebody',
				text: 'accepted: 2\n• Sales warehouse\n• Web shop',
			},
		]);
		expect(slack.hosts).toEqual([]);
	});
});

describe('onboarding', () => {
	/** Two rounds of a second instead of 168 of an hour. */
	function impatient() {
		const workflow = example('onboarding', { 'Wait an hour': { amount: 1, unit: 'seconds' } });
		const { parameters } = find(workflow, 'Status');
		const text = JSON.stringify(parameters);
		expect(text).toContain('"rightValue":168');
		Object.assign(parameters, JSON.parse(text.replace('"rightValue":168', '"rightValue":2')));
		return workflow;
	}

	const requester = { recipients: ['requester@example.com'] };
	const owner = { recipients: ['owner@example.com'] };

	it('asks for a login before it shows the form', async () => {
		await publish(impatient());
		await until('the form is there', async () => (await openForm()).ok);

		expect((await openForm({})).status).toBe(401);
	});

	it('tells the requester when the endpoint is created and accepted', async () => {
		const execution = await onboard(impatient(), newReporting.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Ready: ${newReporting.name}` }]);
		const [endpoint] = items(execution, 'DataArts Insight');
		expect(mails()[0]?.text).toContain(`VPC endpoint: ${endpoint?.vpc_ep_client_id as string}`);
		expect(calls()).toHaveLength(2);
	});

	it('asks the owner once, and gives up in the end', async () => {
		await onboard(impatient(), financeLedger.name);

		expect(mails()).toMatchObject([
			{ ...owner, subject: `Please accept a connection to ${financeLedger.name}` },
			{ ...requester, subject: `No answer yet: ${financeLedger.name}` },
		]);
		expect(mails()[0]?.text).toContain('requester@example.com wants to use your data source');
		expect(mails()[1]?.text).toContain('(pendingAcceptance)');
		expect(calls()).toHaveLength(3);
	});

	it('tells the requester that the owner refused', async () => {
		await onboard(impatient(), oldBilling.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Not connected: ${oldBilling.name}` }]);
		expect(mails()[0]?.text).toContain('The status of the VPC endpoint is rejected.');
		expect(calls()).toHaveLength(1);
	});

	it('tells the requester why a service cannot be verified', async () => {
		await onboard(impatient(), partnerArchive.name);

		expect(mails()).toMatchObject([
			{
				...requester,
				subject: `Not verified: ${partnerArchive.name}`,
				text: `${notAllowed.error}\n\n${notAllowed.whatToDo}`,
			},
		]);
	});

	it('waits in the database, through a restart of n8n, until the owner has accepted', async () => {
		// n8n keeps in memory what waits for less than 65 seconds.
		const id = await publish(example('onboarding', { 'Wait an hour': { amount: 66, unit: 'seconds' } }));
		await sendForm(financeLedger.name);
		await until('the execution waits', async () => (await latest(id))?.status === 'waiting');
		await n8n.stop();
		expect(mails()).toMatchObject([owner]);
		expect(calls()).toHaveLength(1);

		simulator.accept(financeLedger.name);
		await n8n.start();
		await until('the requester hears of it', () => mailbox.mails.length > 1, 120_000);

		expect(mails()).toMatchObject([owner, { ...requester, subject: `Ready: ${financeLedger.name}` }]);
		expect(calls()).toHaveLength(2);
		await until('the execution is over', async () => (await latest(id))?.status === 'success');
		expect(await n8n.executions(id)).toHaveLength(1);
	});
});

describe('error-workflow', () => {
	it('tells the chat what failed, its code and what to do', async () => {
		const errorWorkflow = await publish(example('error-workflow', { 'Post to the chat': { url: chat.url } }));
		const schedule: INode = {
			...manualTrigger,
			name: 'Schedule',
			type: 'n8n-nodes-base.scheduleTrigger',
			parameters: soon,
		};
		const failing = chain('Nightly', schedule, insightNode({ vpcEpServerName: partnerArchive.name }));
		const { id } = await runOnSchedule({ ...failing, settings: { errorWorkflow } });
		await until('the chat hears of it', () => chat.posts.length > 0);

		const [post] = chat.posts as Array<{ text: string; code: string }>;
		const [title, message, whatToDo, link] = withoutIds(post?.text).split('\n');
		expect(title).toBe('*Nightly* stopped at *DataArts Insight*');
		expect(message).toBe(notAllowed.error);
		expect(whatToDo).toBe(`What to do: ${notAllowed.whatToDo}`);
		expect(link).toMatch(new RegExp(`^http://.+/executions/${id}$`));
		expect(post?.code).toBe('EndPoint.2012');
		expect(chat.posts).toHaveLength(1);
	});
});

describe('ai-agent-tool', () => {
	it('asks first, then calls the node and passes on what it gave', async () => {
		const id = await n8n.importWorkflow(example('ai-agent-tool'));

		model.willSay('Shall I create an endpoint?');
		expect(items(await say(id, 'Verify the DWS service'), 'Agent')).toEqual([
			{ output: 'Shall I create an endpoint?' },
		]);
		expect(calls()).toEqual([]);

		const chosen = { dataSourceType: 'DWS', endpointService: salesWarehouse.name };
		model.willSay({ tool: 'DataArts_Insight', arguments: chosen });
		model.willSay('It is accepted.');
		expect(items(await say(id, 'Yes'), 'Agent')).toEqual([{ output: 'It is accepted.' }]);
		expect(calls()).toEqual([{ ds_type: 'DWS', vpc_ep_server_name: salesWarehouse.name }]);

		const [first, second, third] = model.requests;
		expect(first?.messages[0]?.content).toContain('Call it only after a clear yes');
		expect(first?.tools).toMatchObject([{ function: { name: 'DataArts_Insight' } }]);
		const { parameters } = first?.tools[0]?.function ?? {};
		expect(parameters?.required).toEqual(Object.keys(chosen));
		// It knows what the yes is for.
		expect(second?.messages.map(({ role }) => role)).toEqual(['developer', 'user', 'assistant', 'user']);
		const answer = third?.messages.at(-1);
		expect(answer?.role).toBe('tool');
		expect(JSON.parse(answer?.content ?? '')).toMatchObject([
			{ vpc_ep_client_status: 'accepted', vpc_ep_server_name: salesWarehouse.name },
		]);
		expect(model.requests).toHaveLength(3);
	});
});

describe('A chain of the node, If and a notification', () => {
	const isAccepted: INode = {
		...find(example('scheduled-summary'), 'Anything to do?'),
		name: 'Is it accepted?',
		parameters: {
			conditions: {
				options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 3 },
				conditions: [
					{
						id: 'accepted',
						leftValue: '={{ $json.vpc_ep_client_status }}',
						rightValue: 'accepted',
						operator: { type: 'string', operation: 'equals' },
					},
				],
				combinator: 'and',
			},
		},
	};
	const mail: INode = {
		...find(example('scheduled-summary'), 'E-mail the report'),
		parameters: {
			fromEmail: 'n8n@example.com',
			toEmail: 'requester@example.com',
			subject: '=Ready: {{ $json.vpc_ep_server_name }}',
			emailFormat: 'text',
			text: '=VPC endpoint {{ $json.vpc_ep_client_id }}',
			options: { appendAttribution: false },
		},
	};
	const to = (node: INode) => [{ node: node.name, type: 'main' as const, index: 0 }];

	it.each([
		['accepted', salesWarehouse.name],
		['pendingAcceptance', financeLedger.name],
	])('goes the right way when the status is %s', async (status, vpcEpServerName) => {
		const post: INode = {
			...find(example('error-workflow'), 'Post to the chat'),
			parameters: {
				method: 'POST',
				url: chat.url,
				sendBody: true,
				specifyBody: 'json',
				jsonBody: '={{ { text: $json.vpc_ep_server_name + ": " + $json.vpc_ep_client_status } }}',
				options: {},
			},
		};
		const insight = insightNode({ vpcEpServerName });
		const workflow = chain('Chained', manualTrigger, insight, isAccepted);
		const branches: IConnections = { [isAccepted.name]: { main: [to(mail), to(post)] } };
		const execution = await n8n.run(
			await n8n.importWorkflow({
				...workflow,
				nodes: [...workflow.nodes, mail, post],
				connections: { ...workflow.connections, ...branches },
			}),
		);

		expect(execution.status).toBe('success');
		const [endpoint] = items(execution, insight.name);
		expect(endpoint?.vpc_ep_client_status).toBe(status);
		const ready = {
			recipients: ['requester@example.com'],
			from: 'n8n@example.com',
			subject: `Ready: ${vpcEpServerName}`,
			text: `VPC endpoint ${endpoint?.vpc_ep_client_id as string}`,
		};
		expect(mailbox.mails).toEqual(status === 'accepted' ? [ready] : []);
		expect(chat.posts).toEqual(
			status === 'accepted' ? [] : [{ text: `${vpcEpServerName}: pendingAcceptance` }],
		);
	});
});

describe('The examples', () => {
	const names = readdirSync(examples).map((file) => parse(file).name);

	it('have all been run here', () => {
		expect([...ran].sort()).toEqual(names.sort());
	});

	it.each(names)('%s has the latest version of each node', async (name) => {
		const types = (await n8n.types('nodes')) as INodeTypeDescription[];
		const latestOf = (type: string) =>
			Math.max(...types.filter((candidate) => candidate.name === type).flatMap(({ version }) => version));

		const { nodes } = example(name);
		expect(nodes.map(({ type, typeVersion }) => [type, typeVersion])).toEqual(
			nodes.map(({ type }) => [type, latestOf(type)]),
		);
	});
});

/** The workflow that people import, with other parameters in the nodes of these names. */
function example(name: string, parameters: Record<string, INodeParameters> = {}): ExportedWorkflow {
	ran.add(name);
	const workflow = JSON.parse(readFileSync(join(examples, `${name}.json`), 'utf8')) as ExportedWorkflow;
	for (const [node, values] of Object.entries(parameters)) {
		Object.assign(find(workflow, node).parameters, values);
	}
	return workflow;
}

function find({ nodes }: ExportedWorkflow, name: string): INode {
	const node = nodes.find((candidate) => candidate.name === name);
	if (!node) throw new Error(`There is no node '${name}'`);
	return node;
}

async function publish(workflow: ExportedWorkflow): Promise<string> {
	const id = await n8n.importWorkflow(workflow);
	await n8n.activate(id);
	published.push(id);
	return id;
}

/** Publishes a workflow until its trigger has started it. @returns the finished execution */
async function runOnSchedule(workflow: ExportedWorkflow): Promise<Execution> {
	const workflowId = await publish(workflow);
	const { id } = await until('the schedule starts the workflow', () => latest(workflowId));
	await n8n.deactivate(workflowId);
	return await n8n.finished(id);
}

async function latest(workflowId: string) {
	return (await n8n.executions(workflowId))[0];
}

const basicAuth = Buffer.from(`${formLogin.user}:${formLogin.password}`).toString('base64');
const loggedIn = { Authorization: `Basic ${basicAuth}` };

async function openForm(headers: Record<string, string> = loggedIn, body?: FormData): Promise<Response> {
	const method = body ? 'POST' : 'GET';
	return await fetch(`${n8n.url}/form/connect-a-data-source`, { method, headers, body });
}

/** Fills in the form of the published workflow, as soon as it is there, and sends it. */
async function sendForm(endpointService: string) {
	await until('the form is there', async () => (await openForm()).ok);
	const { parameters } = find(example('onboarding'), 'Onboarding request');
	const { values } = parameters.formFields as { values: Array<{ fieldName: string }> };
	const answers: Record<string, string> = {
		dataSourceType: 'MySQL',
		endpointService,
		requester: 'requester@example.com',
		owner: 'owner@example.com',
	};
	const form = new FormData();
	values.forEach(({ fieldName }, index) => form.set(`field-${index}`, answers[fieldName] ?? ''));
	expect((await openForm(loggedIn, form)).status).toBe(200);
}

/** Publishes a workflow, sends its form, and waits for the end. */
async function onboard(workflow: ExportedWorkflow, endpointService: string): Promise<Execution> {
	const workflowId = await publish(workflow);
	await sendForm(endpointService);
	const { id } = await until('the form starts the workflow', () => latest(workflowId));
	return await n8n.finished(id);
}

/** Writes into the chat of the editor, and waits for the answer. */
async function say(workflowId: string, chatInput: string): Promise<Execution> {
	const message = { sessionId: 'session', action: 'sendMessage', chatInput };
	const data = { main: [[{ json: message }]] };
	const { executionId } = await n8n.rest<{ executionId: string }>('POST', `/workflows/${workflowId}/run`, {
		triggerToStartFrom: { name: 'Chat', data: { data, executionStatus: 'success', source: [] } },
	});
	return await n8n.finished(executionId);
}

/** What a node gave on its first output. */
function items(execution: Execution, node: string): IDataObject[] {
	return (nodeOutput(execution, node)[0] ?? []).map(({ json }) => json);
}

/** The bodies of the calls that verify and create. */
function calls(): unknown[] {
	return simulator.requests
		.filter(({ path }) => path.endsWith('/connections/vpc-endpoint'))
		.map(({ body }) => JSON.parse(body) as unknown);
}

function mails() {
	return mailbox.mails.map((mail) => ({ ...mail, text: withoutIds(mail.text) }));
}

/** Each request has another ID. */
function withoutIds(text = ''): string {
	return text.replace(/Request ID: \w+/g, 'Request ID: …');
}

/** Looks until there is something to see. @throws Error if there is nothing within the time, in milliseconds */
async function until<Found>(
	what: string,
	look: () => Found | undefined | Promise<Found | undefined>,
	time = 30_000,
): Promise<Found & {}> {
	for (const start = Date.now(); Date.now() - start < time; await sleep(100)) {
		const found = await look();
		if (found) return found;
	}
	throw new Error(`Not within ${time / 1000} seconds: ${what}`);
}
