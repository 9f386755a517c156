import { setTimeout as sleep } from 'node:timers/promises';

import type { INode } from 'n8n-workflow';

import { type Simulator, startSimulator } from '../../test/support/cloud';
import { tarball } from '../support/folders';
import { N8n, nodeOutput } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { verifyRequests } from '../support/verifyRequests';
import { chain, insightNode } from '../support/workflows';

/** How long the workflow is active, in milliseconds. */
const ACTIVE = 60_000;
/** How long a token is valid, in milliseconds. */
const TOKEN_LIFETIME = 20_000;

const everySecond: INode = {
	id: 'schedule',
	name: 'Every second',
	type: 'n8n-nodes-base.scheduleTrigger',
	typeVersion: 1.2,
	position: [0, 0],
	parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 1 }] } },
};

const n8n = new N8n('schedule');
let simulator: Simulator;

beforeAll(async () => {
	simulator = await startSimulator({ tokenLifetime: TOKEN_LIFETIME });
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
});

afterAll(async () => {
	await n8n.dispose();
	await simulator.close();
});

it('Schedule Trigger, every second for a minute: all succeed, the token is renewed before it expires', async () => {
	await n8n.createCredential(simulator.passwordCredentials);
	const workflowId = await n8n.importWorkflow(chain('Unattended', everySecond, insightNode()));

	await n8n.activate(workflowId);
	await sleep(ACTIVE);
	await n8n.deactivate(workflowId);
	await sleep(1_000); // running executions end

	const executions = await n8n.executions(workflowId);
	const statuses = new Set(executions.map(({ mode, status }) => `${mode} ${status}`));
	expect([...statuses]).toEqual(['trigger success']);
	// On a busy machine the trigger may miss some seconds.
	expect(executions.length).toBeGreaterThanOrEqual(50);
	expect(executions.length).toBeLessThanOrEqual(62);

	const requests = verifyRequests(simulator);
	expect(requests).toHaveLength(executions.length);
	// Logins at 0, 18, 36 and 54 seconds, or a little later: a token is renewed before it expires.
	expect(simulator.logins).toBeGreaterThanOrEqual(3);
	expect(simulator.logins).toBeLessThanOrEqual(4);
	expect(new Set(requests.map(({ headers }) => headers['x-auth-token'])).size).toBe(simulator.logins);

	const latest = await n8n.execution(executions[0]?.id ?? '');
	expect(nodeOutput(latest, 'DataArts Insight')[0]?.[0]?.json).toMatchObject({
		vpc_ep_client_status: 'accepted',
	});
});
