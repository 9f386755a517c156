import type { INode } from 'n8n-workflow';

import { endpointServices, faultServerName, type Simulator, startSimulator } from '../../test/support/cloud';
import { older, pooledTarball, tarball } from '../support/folders';
import { N8n, nodeOutput, type StoredCredential } from '../support/n8n';
import { note } from '../support/notes';
import { installAsN8nDoes } from '../support/packageInstall';
import { verifyBodies } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

const NODE = 'n8n-nodes-dataarts-insight.dataArtsInsight';

// n8n 1.x does not know the module that later versions have to disable.
const n8n = new N8n('older', { N8N_DISABLED_MODULES: '' }, older);
let simulator: Simulator;
let credential: StoredCredential;

beforeAll(async () => {
	simulator = await startSimulator();
});

afterAll(async () => {
	await n8n.dispose();
	await simulator.close();
});

describe.each([
	{ build: 'for n8n to verify', file: tarball },
	{ build: 'with a pool of connections', file: pooledTarball },
])('n8n 1.x, build $build', ({ file }) => {
	beforeAll(async () => {
		await n8n.stop();
		await installAsN8nDoes(n8n.nodesFolder, file);
		await n8n.start();
		const { versionCli, nodeJsVersion } = await n8n.rest<{ versionCli: string; nodeJsVersion: string }>(
			'GET',
			'/settings',
		);
		note('Older n8n', `${versionCli} on Node.js ${nodeJsVersion}`);
	});

	beforeEach(() => simulator.reset());

	it('offers the node and its credential', async () => {
		expect((await n8n.types('nodes')).map(({ name }) => name)).toContain(NODE);
		expect((await n8n.types('credentials')).map(({ name }) => name)).toContain('dataArtsInsightApi');
	});

	it('runs the credential test', async () => {
		credential = await n8n.createCredential(simulator.passwordCredentials);
		expect(await n8n.testCredential(credential, simulator.passwordCredentials)).toMatchObject({
			status: 'OK',
		});
		const wrong = { ...simulator.passwordCredentials, password: 'wrong' };
		expect(await n8n.testCredential(credential, wrong)).toMatchObject({ status: 'Error' });
	});

	it('runs the node', async () => {
		const execution = await run(insightNode());
		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { vpc_ep_client_status: 'accepted' }, pairedItem: { item: 0 } }],
		]);
		expect(verifyBodies(simulator)).toEqual([
			{ ds_type: 'DWS', vpc_ep_server_name: endpointServices.salesWarehouse.name },
		]);
	});

	it('Wait for Acceptance polls, and a hint says what to do', async () => {
		const execution = await run(
			insightNode({
				vpcEpServerName: endpointServices.financeLedger.name,
				options: { waitForAcceptance: true, pollInterval: 1, maxWait: 2 },
			}),
		);
		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { vpc_ep_client_status: 'pendingAcceptance' } }],
		]);
		expect(verifyBodies(simulator)).toHaveLength(3);
		const [nodeRun] = execution.data.resultData.runData['DataArts Insight'] ?? [];
		expect(nodeRun?.hints).toMatchObject([
			{ message: expect.stringMatching(/^Status: pendingAcceptance after 2 seconds\./) as string },
		]);
	});

	// n8n 1.x moves `{ error }` and `{ error, message }` to the error output, but not `{ error, details }`.
	it('On Error with an error output leaves a failed item on the success output, unlike n8n 2', async () => {
		const execution = await run({
			...insightNode({ vpcEpServerName: faultServerName('insight-24010043') }),
			onError: 'continueErrorOutput',
		});
		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { details: { code: 'DataArtsInsight.24010043' } } }],
			[],
		]);
	});
});

async function run(node: INode) {
	return await n8n.importAndRun(chain('Smoke', manualTrigger, node));
}
