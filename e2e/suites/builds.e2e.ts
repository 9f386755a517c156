import { randomUUID } from 'node:crypto';

import type { IDataObject, INode } from 'n8n-workflow';

import { endpointServices, faultServerName, type Simulator, startSimulator } from '../../test/support/cloud';
import { pooledTarball, tarball } from '../support/folders';
import { N8n, nodeOutput, type StoredCredential } from '../support/n8n';
import { installAsN8nDoes, installedFolder, readManifest } from '../support/packageInstall';
import { until } from '../support/until';
import { verifyBodies } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

/*
 * An n8n changes from one build of the package to the other and back. Its workflows and its credential were saved with the
 * first one, and stay as they are.
 */

const { salesWarehouse, financeLedger, partnerArchive } = endpointServices;
const ROWS = 10;

const webhook: INode = {
	id: 'webhook',
	name: 'Webhook',
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2,
	position: [0, 0],
	webhookId: randomUUID(),
	parameters: { httpMethod: 'POST', path: 'verify', responseMode: 'lastNode', options: {} },
};

/** Good names, and one of a service whose owner has not allowed DataArts Insight. */
const names = [...Array.from({ length: ROWS - 1 }, (_, row) => named(`row-${row}`)), partnerArchive.name];
const rows: INode = {
	id: 'rows',
	name: 'Rows',
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	position: [110, 0],
	parameters: { jsCode: `return ${JSON.stringify(names)}.map((name) => ({ json: { name } }));` },
};
const withErrorOutput: INode = {
	...insightNode({ vpcEpServerName: '={{ $json.name }}', options: { maxConcurrency: 1 } }),
	onError: 'continueErrorOutput',
};
const patient = insightNode({
	vpcEpServerName: financeLedger.name,
	options: { waitForAcceptance: true, pollInterval: 1, maxWait: 30 },
});

const n8n = new N8n('builds');
let simulator: Simulator;
let credential: StoredCredential;
/** The IDs of the workflows. */
const saved = { published: '', list: '', waiting: '' };
/** The workflows as n8n stored them. */
let asSaved: unknown[];

beforeAll(async () => {
	simulator = await startSimulator();
});

afterAll(async () => {
	await n8n.dispose();
	await simulator.close();
});

describe.each([
	{ build: 'for n8n to verify', file: tarball, keepsConnections: false },
	{ build: 'with a pool of connections', file: pooledTarball, keepsConnections: true },
	{ build: 'for n8n to verify, again', file: tarball, keepsConnections: false },
])('Build $build', ({ file, keepsConnections }) => {
	beforeAll(async () => {
		await n8n.stop();
		await installAsN8nDoes(n8n.nodesFolder, file);
		await n8n.start();
		simulator.reset();
		if (!saved.published) await save();
	});

	it('the published workflow verifies and creates, with a login (password)', async () => {
		const answer = await until('n8n registers the webhook', async () => {
			const response = await fetch(`${n8n.url}/webhook/verify`, { method: 'POST' });
			return response.status === 404 ? undefined : response;
		});
		expect(await answer.json()).toMatchObject({
			vpc_ep_server_name: salesWarehouse.name,
			vpc_ep_client_status: 'accepted',
		});
		expect(verifyBodies(simulator)).toHaveLength(1);
		expect(simulator.logins).toBe(1);
	});

	it('a list: good items and the failed one leave by their own outputs (error output)', async () => {
		simulator.reset();
		const before = simulator.connections;
		const execution = await n8n.run(saved.list);
		const opened = simulator.connections - before;

		expect(execution.status).toBe('success');
		const [good = [], failed = []] = nodeOutput(execution, 'DataArts Insight');
		expect(good.map(({ json }) => json.vpc_ep_server_name)).toEqual(names.slice(0, -1));
		expect(failed).toMatchObject([
			{
				json: {
					name: partnerArchive.name,
					error: 'You have no permission to connect to the VPC endpoint service (EndPoint.2012)',
					details: { code: 'EndPoint.2012', httpStatus: 400, outcomeUnknown: false },
				},
			},
		]);
		expect(verifyBodies(simulator)).toHaveLength(ROWS);
		// This is what the builds differ in. It shows which of them n8n runs.
		if (keepsConnections) expect(opened).toBeLessThanOrEqual(1);
		else expect(opened).toBe(ROWS);
		// The token of the first execution serves all others.
		expect(simulator.logins).toBe(0);
	});

	it('Wait for Acceptance ends when the owner accepts', async () => {
		simulator.reset();
		const run = n8n.run(saved.waiting);
		await until('the node polls', () => verifyBodies(simulator).length > 1);
		simulator.accept(financeLedger.id);
		const execution = await run;

		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { vpc_ep_client_status: 'accepted' } }],
		]);
	});

	it('the credential test logs in', async () => {
		const { passwordCredentials } = simulator;
		expect(await n8n.testCredential(credential, passwordCredentials)).toMatchObject({ status: 'OK' });
		const other = { ...passwordCredentials, password: 'Not-this-one-73' };
		expect(await n8n.testCredential(credential, other)).toEqual({
			status: 'Error',
			message: expect.stringContaining('No token from IAM: The username or password is wrong') as string,
		});
	});

	it('the form lists endpoint services (list search)', async () => {
		const { results } = await n8n.rest<{ results: IDataObject[] }>(
			'POST',
			'/dynamic-node-parameters/resource-locator-results',
			{
				path: 'parameters.vpcEpServer',
				methodName: 'searchEndpointServices',
				filter: 'finance',
				nodeTypeAndVersion: { name: insightNode().type, version: 1 },
				currentNodeParameters: insightNode().parameters,
				credentials: { dataArtsInsightApi: { id: credential.id, name: credential.name } },
			},
		);
		expect(results.map(({ value }) => value)).toEqual([financeLedger.id]);
	});

	it('nothing had to be saved again, and n8n missed no node', async () => {
		expect(await storedWorkflows()).toEqual(asSaved);
		expect(n8n.log()).not.toMatch(/unrecognized node type|packages are missing/i);
		const { version } = await readManifest(installedFolder(n8n.nodesFolder));
		expect(file.endsWith(`-${version}.tgz`)).toBe(true);
	});
});

/** Saves the credential and the workflows, and publishes the one with the webhook. */
async function save() {
	credential = await n8n.createCredential(simulator.passwordCredentials);
	saved.published = await n8n.importWorkflow(chain('Published', webhook, insightNode()));
	saved.list = await n8n.importWorkflow(chain('List', manualTrigger, rows, withErrorOutput));
	saved.waiting = await n8n.importWorkflow(chain('Waiting', manualTrigger, patient));
	await n8n.activate(saved.published);
	asSaved = await storedWorkflows();
}

/** The workflows as n8n stores them. It counts a workflow's triggers some time after it was published. */
async function storedWorkflows(): Promise<unknown[]> {
	const all = Object.values(saved).map(async (id) => {
		const workflow = await n8n.rest<{ triggerCount: number }>('GET', `/workflows/${id}`);
		return { ...workflow, triggerCount: undefined };
	});
	return await Promise.all(all);
}

/** The name of a service that the simulated cloud reports as accepted. */
function named(name: string): string {
	return `${faultServerName('extra-fields')}.${name}`;
}
