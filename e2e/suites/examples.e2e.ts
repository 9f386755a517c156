import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IConnections, IDataObject, INode, INodeParameters, INodeTypeDescription } from 'n8n-workflow';

import { endpointServices, insightDomainId, type Simulator, startSimulator } from '../../test/support/cloud';
import { type ChatModel, startChatModel } from '../support/chatModel';
import { type ChatWebhook, startChatWebhook } from '../support/chatWebhook';
import { exampleNames, findNode, readExample } from '../support/exampleWorkflows';
import { cache, tarball } from '../support/folders';
import { type Mail, type Mailbox, startMailbox } from '../support/mailbox';
import { type Execution, type ExportedWorkflow, N8n, nodeOutput } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { seldom } from '../support/seldom';
import { type Slack, slackCertificate, startSlack } from '../support/slack';
import { until } from '../support/until';
import { verifyBodies, verifyRequests } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

/*
 * Runs each example with all its nodes, and checks what e-mail, Slack, the chat, the model and the cloud receive.
 */

const { salesWarehouse, financeLedger, newReporting, oldBilling, partnerArchive } = endpointServices;
const formLogin = { user: 'team', password: 'Breakwater-55' };
/**
 * The trigger polls every five seconds: n8n refuses an interval below a minute, yet takes several times of a minute.
 */
const everyFiveSeconds = {
	pollTimes: {
		item: Array.from({ length: 12 }, (_, index) => ({
			mode: 'custom',
			cronExpression: `${index * 5} * * * * *`,
		})),
	},
};
const everyTenSeconds = { rule: { interval: [{ field: 'seconds', secondsInterval: 10 }] } };

/** The error for a service whose whitelist has no DataArts Insight. */
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
/** The workflows to deactivate after the test. */
const published: string[] = [];
/** The examples that a test has read. */
const used = new Set<string>();

beforeAll(async () => {
	// The owner's account takes a second to accept. The example many-workspaces names these workspaces and this project.
	simulator = await startSimulator({ acceptTime: 1_000, moreWorkspaces: 2, moreProjects: 1 });
	mailbox = await startMailbox();
	slack = await startSlack();
	chat = await startChatWebhook();
	model = await startChatModel();
	const authorities = join(cache, 'slack.pem');
	writeFileSync(authorities, slackCertificate);
	n8n = new N8n('examples', { HTTPS_PROXY: slack.proxyUrl, NODE_EXTRA_CA_CERTS: authorities });
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	// An agency of the other account: its only endpoint service is partnerArchive.
	await n8n.createCredential(simulator.agencyCredentials, { name: 'Owner of the endpoint services' });
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
	it('returns the endpoint', async () => {
		const execution = await n8n.importAndRun(example('verify-by-name'));

		expect(items(execution, 'DataArts Insight')).toMatchObject([
			{ vpc_ep_client_status: 'accepted', vpc_ep_server_name: salesWarehouse.name },
		]);
		expect(verifyBodies(simulator)).toHaveLength(1);
	});
});

describe('verify-a-list', () => {
	it('separates failed items from verified ones (error output)', async () => {
		const execution = await n8n.importAndRun(example('verify-a-list'));

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
		expect(verifyBodies(simulator)).toHaveLength(5);
	});
});

describe('list-connections', () => {
	it('lists the connections that verify-by-name has created (HTTP Request node)', async () => {
		await n8n.importAndRun(example('verify-by-name'));
		const workflow = example('list-connections');
		const { parameters } = findNode(workflow, 'List data connections');
		parameters.url = (parameters.url as string)
			.replace('https://dataartsinsight.cn-north-4.myhuaweicloud.com', simulator.url)
			.replace('PROJECT_ID', simulator.credentials.projectId);
		const execution = await n8n.importAndRun(workflow);

		expect(items(execution, 'List data connections')).toMatchObject([
			{ count: 1, page_data: [{ vpc_connection: { vpc_ep_server_name: salesWarehouse.name } }] },
		]);
	});
});

describe('scheduled-summary', () => {
	it('e-mails a summary by status, and posts to Slack when somebody has to act', async () => {
		await runOnSchedule(example('scheduled-summary', { 'Every morning': everyTenSeconds }));

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
		expect(verifyBodies(simulator)).toHaveLength(6);
	});

	it('e-mails a summary when nobody has to act, and posts nothing to Slack', async () => {
		const workflow = example('scheduled-summary', { 'Every morning': everyTenSeconds });
		const { parameters } = findNode(workflow, 'Endpoint services');
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
	/** The example with two waits of a second instead of 168 of an hour. */
	function withShortWaits() {
		const workflow = example('onboarding', { 'Wait an hour': { amount: 1, unit: 'seconds' } });
		const { parameters } = findNode(workflow, 'Status');
		const text = JSON.stringify(parameters);
		expect(text).toContain('"rightValue":168');
		Object.assign(parameters, JSON.parse(text.replace('"rightValue":168', '"rightValue":2')));
		return workflow;
	}

	const requester = { recipients: ['requester@example.com'] };
	const owner = { recipients: ['owner@example.com'] };

	it('the form requires Basic authentication (401)', async () => {
		await publish(withShortWaits());
		await until('n8n serves the form', async () => (await openForm('onboarding')).ok);

		expect((await openForm('onboarding', {})).status).toBe(401);
	});

	it('accepted: e-mails the requester', async () => {
		const execution = await onboard('onboarding', withShortWaits(), newReporting.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Ready: ${newReporting.name}` }]);
		const [endpoint] = items(execution, 'DataArts Insight');
		expect(mails()[0]?.text).toContain(`VPC endpoint: ${endpoint?.vpc_ep_client_id as string}`);
		expect(verifyBodies(simulator)).toHaveLength(2);
	});

	it('pendingAcceptance: e-mails the owner once, and the requester after the last wait', async () => {
		await onboard('onboarding', withShortWaits(), financeLedger.name);

		expect(mails()).toMatchObject([
			{ ...owner, subject: `Please accept a connection to ${financeLedger.name}` },
			{ ...requester, subject: `No answer yet: ${financeLedger.name}` },
		]);
		expect(mails()[0]?.text).toContain('requester@example.com wants to use your data source');
		expect(mails()[1]?.text).toContain('(pendingAcceptance)');
		expect(verifyBodies(simulator)).toHaveLength(3);
	});

	it('rejected: e-mails the requester', async () => {
		await onboard('onboarding', withShortWaits(), oldBilling.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Not connected: ${oldBilling.name}` }]);
		expect(mails()[0]?.text).toContain('The status of the VPC endpoint is rejected.');
		expect(verifyBodies(simulator)).toHaveLength(1);
	});

	it('failed verification: e-mails the requester the error and what to do', async () => {
		await onboard('onboarding', withShortWaits(), partnerArchive.name);

		expect(mails()).toMatchObject([
			{
				...requester,
				subject: `Not verified: ${partnerArchive.name}`,
				text: `${notAllowed.error}\n\n${notAllowed.whatToDo}`,
			},
		]);
	});

	seldom('Wait node: a restart of n8n does not end the wait for acceptance', async () => {
		// n8n keeps waits of less than 65 seconds in memory, and longer ones in the database.
		const id = await publish(example('onboarding', { 'Wait an hour': { amount: 66, unit: 'seconds' } }));
		await sendForm('onboarding', financeLedger.name);
		await until('the execution waits', async () => (await latest(id))?.status === 'waiting');
		await n8n.stop();
		expect(mails()).toMatchObject([owner]);
		expect(verifyBodies(simulator)).toHaveLength(1);

		simulator.accept(financeLedger.name);
		await n8n.start();
		await until('the requester gets an e-mail', () => mailbox.mails.length > 1, 120_000);

		expect(mails()).toMatchObject([owner, { ...requester, subject: `Ready: ${financeLedger.name}` }]);
		expect(verifyBodies(simulator)).toHaveLength(2);
		await until('the execution succeeds', async () => (await latest(id))?.status === 'success');
		expect(await n8n.executions(id)).toHaveLength(1);
	});
});

describe('onboard-and-accept', () => {
	const requester = { recipients: ['requester@example.com'] };
	const withShortPolls = () =>
		example('onboard-and-accept', {
			'Accept as the owner': { options: { waitUntilDone: true, pollInterval: 1 } },
		});

	it('takes an endpoint from a name to accepted without a person (two credentials, one an agency)', async () => {
		simulator.whitelist(partnerArchive.name, `iam:domain::${insightDomainId}`);
		const execution = await onboard('onboard-and-accept', withShortPolls(), partnerArchive.name);

		const statuses = ['Verify and create', 'Accept as the owner', 'Verify again'].map((node) => {
			const [item] = items(execution, node);
			return item?.vpc_ep_client_status ?? item?.status;
		});
		expect(statuses).toEqual(['pendingAcceptance', 'accepted', 'accepted']);
		const [connection] = simulator.connectionsOf(partnerArchive.name);
		expect(connection?.status).toBe('accepted');
		expect(mails()).toMatchObject([{ ...requester, subject: `Ready: ${partnerArchive.name}` }]);
		expect(mails()[0]?.text).toContain(`VPC endpoint: ${connection?.id}`);
		expect(verifyBodies(simulator)).toHaveLength(2);
		// The owner's calls, and no others, are in the owner's project.
		const ownerCalls = simulator.requests.filter(({ path }) =>
			path.startsWith(`/v1/${simulator.agencyCredentials.projectId}/`),
		);
		expect(ownerCalls.every(({ path }) => path.includes('/connections'))).toBe(true);
		expect(ownerCalls.filter(({ method }) => method === 'POST')).toHaveLength(1);
		expect(simulator.agencyCalls).toBe(1);
	});

	it('unknown endpoint service: Check First creates nothing, and the requester gets what to do', async () => {
		await onboard('onboard-and-accept', withShortPolls(), 'cn-north-4.no-such-service');

		expect(mails()).toMatchObject([{ ...requester, subject: 'Not connected: cn-north-4.no-such-service' }]);
		expect(verifyBodies(simulator)).toEqual([]);
	});

	it('endpoint service of somebody else: nothing is accepted, and the requester gets what to do', async () => {
		await onboard('onboard-and-accept', withShortPolls(), financeLedger.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Not connected: ${financeLedger.name}` }]);
		expect(mails()[0]?.text).toContain('(EndPoint.2003)');
		expect(simulator.connectionsOf(financeLedger.name)).toMatchObject([{ status: 'pendingAcceptance' }]);
	});

	it('rejected: e-mails the requester', async () => {
		await onboard('onboard-and-accept', withShortPolls(), oldBilling.name);

		expect(mails()).toMatchObject([{ ...requester, subject: `Not connected: ${oldBilling.name}` }]);
		expect(mails()[0]?.text).toContain('The status of the VPC endpoint is rejected.');
	});
});

describe('approve-endpoints', () => {
	const owner = { recipients: ['owner@example.com'] };

	it('the trigger asks for each endpoint that begins to wait; each answer decides about its own', async () => {
		simulator.whitelist(partnerArchive.name, `iam:domain::${insightDomainId}`);
		const verify = (dsType: string) => insightNode({ dsType, vpcEpServerName: partnerArchive.name });
		// It waits before the workflow is published.
		await n8n.importAndRun(chain('Earlier', manualTrigger, verify('Doris')));
		const id = await publish(example('approve-endpoints', { 'An endpoint waits': everyFiveSeconds }));
		await n8n.importAndRun(
			chain('Two', manualTrigger, verify('DWS'), { ...verify('MySQL'), id: '2', name: 'Second' }),
		);
		await until('the owner gets two e-mails', () => mailbox.mails.length === 2, 60_000);

		const [earlier, ...waiting] = simulator.connectionsOf(partnerArchive.name);
		const [first, second] = waiting;
		expect(mailbox.mails).toMatchObject([owner, owner]);
		const mailAbout = (endpoint = '') => mailbox.mails.find(({ text }) => text.includes(endpoint));
		await answer(mailAbout(second?.id), 'Decline');
		await answer(mailAbout(first?.id), 'Approve');

		const statuses = () => simulator.connectionsOf(partnerArchive.name).map(({ status }) => status);
		await until('both are decided', () => statuses().join() === 'pendingAcceptance,accepted,rejected');
		await until('all executions end', async () =>
			(await n8n.executions(id)).every(({ status }) => status === 'success'),
		);
		expect(earlier?.status).toBe('pendingAcceptance');
		expect(mailbox.mails).toHaveLength(2);
		expect(simulator.requests.filter(({ path }) => path.endsWith('/action'))).toHaveLength(2);
	});

	// n8n looks once a minute for executions whose time is over.
	seldom('no answer: neither accepts nor rejects', async () => {
		const workflow = example('approve-endpoints');
		const { options } = findNode(workflow, 'Ask the owner').parameters as {
			options: { limitWaitTime: { values: INodeParameters } };
		};
		Object.assign(options.limitWaitTime.values, { resumeAmount: 0.02, resumeUnit: 'minutes' });
		const waiting = { id: 'endpoint', endpoint_service_id: partnerArchive.id };
		const execution = await runFrom(await n8n.importWorkflow(workflow), 'One endpoint', waiting);

		expect(mailbox.mails).toHaveLength(1);
		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'Answer')).toEqual([[], []]);
		expect(simulator.requests).toEqual([]);
	});

	it('an endpoint that is gone: e-mails the owner the error and what to do', async () => {
		const id = await n8n.importWorkflow(example('approve-endpoints'));
		const waiting = { id: randomUUID(), endpoint_service_id: partnerArchive.id };
		const execution = runFrom(id, 'One endpoint', waiting);
		await until('the owner gets an e-mail', () => mailbox.mails.length > 0);
		await answer(mailbox.mails[0], 'Approve');
		expect((await execution).status).toBe('success');

		expect(mailbox.mails[1]).toMatchObject(owner);
		expect(mailbox.mails[1]?.text).toContain(waiting.id);
	});
});

describe('many-workspaces', () => {
	it('verifies each row in its own workspace with one credential', async () => {
		const workflow = example('many-workspaces');
		const execution = await n8n.importAndRun(workflow);

		expect(items(execution, 'Verified').map((item) => item.vpc_ep_client_status)).toEqual([
			'accepted',
			'accepted',
			'pendingAcceptance',
			'accepted',
		]);
		expect(items(execution, 'To fix')).toMatchObject([
			{ team: 'Wrong project', details: { code: 'DataArtsInsight.24150005' } },
		]);
		const [rows = []] = Object.values(workflow.pinData ?? {});
		const places = verifyRequests(simulator).map(({ path, headers }) => [
			path.split('/')[2],
			headers['x-workspace-id'],
		]);
		expect(places.sort()).toEqual(rows.map(({ json }) => [json.projectId, json.workspaceId]).sort());
		// One for each project.
		expect(simulator.logins).toBeLessThanOrEqual(2);
	});
});

describe('error-workflow', () => {
	it('posts to the chat what failed, the error code and what to do', async () => {
		const errorWorkflow = await publish(example('error-workflow', { 'Post to the chat': { url: chat.url } }));
		const schedule: INode = {
			...manualTrigger,
			name: 'Schedule',
			type: 'n8n-nodes-base.scheduleTrigger',
			parameters: everyTenSeconds,
		};
		const failing = chain('Nightly', schedule, insightNode({ vpcEpServerName: partnerArchive.name }));
		const { id } = await runOnSchedule({ ...failing, settings: { errorWorkflow } });
		await until('the webhook gets a post', () => chat.posts.length > 0);

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
	it('asks for confirmation, then calls the tool and passes on its result', async () => {
		const id = await n8n.importWorkflow(example('ai-agent-tool'));

		model.willSay('Shall I create an endpoint?');
		expect(items(await say(id, 'Verify the DWS service'), 'Agent')).toEqual([
			{ output: 'Shall I create an endpoint?' },
		]);
		expect(verifyBodies(simulator)).toEqual([]);

		const chosen = { dataSourceType: 'DWS', endpointService: salesWarehouse.name };
		model.willSay({ tool: 'DataArts_Insight', arguments: chosen });
		model.willSay('It is accepted.');
		expect(items(await say(id, 'Yes'), 'Agent')).toEqual([{ output: 'It is accepted.' }]);
		expect(verifyBodies(simulator)).toEqual([{ ds_type: 'DWS', vpc_ep_server_name: salesWarehouse.name }]);

		const [first, second, third] = model.requests;
		expect(first?.messages[0]?.content).toContain('Call it only after a clear yes');
		expect(first?.tools).toMatchObject([{ function: { name: 'DataArts_Insight' } }]);
		const { parameters } = first?.tools[0]?.function ?? {};
		expect(parameters?.required).toEqual(Object.keys(chosen));
		// The second request also holds the question (memory).
		expect(second?.messages.map(({ role }) => role)).toEqual(['developer', 'user', 'assistant', 'user']);
		const answer = third?.messages.at(-1);
		expect(answer?.role).toBe('tool');
		expect(JSON.parse(answer?.content ?? '')).toMatchObject([
			{ vpc_ep_client_status: 'accepted', vpc_ep_server_name: salesWarehouse.name },
		]);
		expect(model.requests).toHaveLength(3);
	});
});

describe('A workflow of the node, If, e-mail and webhook', () => {
	const isAccepted: INode = {
		...findNode(example('scheduled-summary'), 'Anything to do?'),
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
		...findNode(example('scheduled-summary'), 'E-mail the report'),
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
	])('takes the right branch for the status %s', async (status, vpcEpServerName) => {
		const post: INode = {
			...findNode(example('error-workflow'), 'Post to the chat'),
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
		const execution = await n8n.importAndRun({
			...workflow,
			nodes: [...workflow.nodes, mail, post],
			connections: { ...workflow.connections, ...branches },
		});

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
	it('have all been run by this suite', () => {
		expect([...used].sort()).toEqual([...exampleNames].sort());
	});

	let types: INodeTypeDescription[];
	beforeAll(async () => {
		types = (await n8n.types('nodes')) as INodeTypeDescription[];
	});

	it.each(exampleNames)('%s has the latest version of each node type', (name) => {
		const latestOf = (type: string) =>
			Math.max(...types.filter((candidate) => candidate.name === type).flatMap(({ version }) => version));

		const { nodes } = example(name);
		expect(nodes.map(({ type, typeVersion }) => [type, typeVersion])).toEqual(
			nodes.map(({ type }) => [type, latestOf(type)]),
		);
	});
});

/** The example, with other parameters in some nodes: the keys are the names of the nodes. */
function example(name: string, parameters: Record<string, INodeParameters> = {}): ExportedWorkflow {
	used.add(name);
	const workflow = readExample(name);
	for (const [node, values] of Object.entries(parameters)) {
		Object.assign(findNode(workflow, node).parameters, values);
	}
	return workflow;
}

/** Publishes a workflow until the end of the test. @returns its ID */
async function publish(workflow: ExportedWorkflow): Promise<string> {
	const id = await n8n.importWorkflow(workflow);
	await n8n.activate(id);
	published.push(id);
	return id;
}

/** Publishes a workflow until its Schedule Trigger has started it. @returns the finished execution */
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

/** The form of each example that begins with one: the path of its URL, and the name of its node. */
const forms = {
	onboarding: { path: 'connect-a-data-source', node: 'Onboarding request' },
	'onboard-and-accept': { path: 'get-an-endpoint', node: 'Request' },
};

async function openForm(
	name: keyof typeof forms,
	headers: Record<string, string> = loggedIn,
	body?: FormData,
): Promise<Response> {
	const method = body ? 'POST' : 'GET';
	return await fetch(`${n8n.url}/form/${forms[name].path}`, { method, headers, body });
}

/** Waits for the form of the published workflow, fills it in and sends it. */
async function sendForm(name: keyof typeof forms, endpointService: string) {
	await until('n8n serves the form', async () => (await openForm(name)).ok);
	const { parameters } = findNode(example(name), forms[name].node);
	const { values } = parameters.formFields as { values: Array<{ fieldName: string }> };
	const answers: Record<string, string> = {
		dataSourceType: 'MySQL',
		endpointService,
		requester: 'requester@example.com',
		owner: 'owner@example.com',
	};
	const form = new FormData();
	values.forEach(({ fieldName }, index) => form.set(`field-${index}`, answers[fieldName] ?? ''));
	expect((await openForm(name, loggedIn, form)).status).toBe(200);
}

/** Publishes a workflow, sends its form, and waits for the end of the execution. */
async function onboard(
	name: keyof typeof forms,
	workflow: ExportedWorkflow,
	endpointService: string,
): Promise<Execution> {
	const workflowId = await publish(workflow);
	await sendForm(name, endpointService);
	const { id } = await until('the form starts the workflow', () => latest(workflowId));
	return await n8n.finished(id);
}

/** Sends a message in the editor's chat, and waits for the end of the execution. */
async function say(workflowId: string, chatInput: string): Promise<Execution> {
	return await runFrom(workflowId, 'Chat', { sessionId: 'session', action: 'sendMessage', chatInput });
}

/** Runs a workflow from a trigger that emits this item, and waits for the end of the execution. */
async function runFrom(workflowId: string, trigger: string, json: IDataObject): Promise<Execution> {
	const data = { main: [[{ json }]] };
	const { executionId } = await n8n.rest<{ executionId: string }>('POST', `/workflows/${workflowId}/run`, {
		triggerToStartFrom: { name: trigger, data: { data, executionStatus: 'success', source: [] } },
	});
	return await n8n.finished(executionId);
}

/** Clicks a button in an e-mail. n8n takes no answer from what looks like a bot. */
async function answer(mail: Mail | undefined, button: 'Approve' | 'Decline') {
	const link = [...(mail?.html ?? '').matchAll(/<a href="([^"]+)"[^>]*>(\w+)<\/a>/g)].find(
		([, , label]) => label === button,
	)?.[1];
	const response = await fetch(link ?? '', {
		headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0' },
	});
	expect(response.status).toBe(200);
}

/** The JSON of the items on a node's first output. */
function items(execution: Execution, node: string): IDataObject[] {
	return (nodeOutput(execution, node)[0] ?? []).map(({ json }) => json);
}

function mails() {
	return mailbox.mails.map((mail) => ({ ...mail, text: withoutIds(mail.text) }));
}

/** Replaces request IDs, which differ for each request. */
function withoutIds(text = ''): string {
	return text.replace(/Request ID: \w+/g, 'Request ID: …');
}
