import type { INode } from 'n8n-workflow';

import { catalogue, faultServerName, type Simulator, startSimulator } from '../test/support/cloud';
import { tell } from './facts';
import { older, tarball } from './folders';
import { N8n, nodeOutput, type StoredCredential } from './n8n';
import { installAsN8nDoes } from './packageInstall';
import { chain, insightNode, manualTrigger } from './workflows';

const NODE = 'n8n-nodes-dataarts-insight.dataArtsInsight';

// It does not know the module that is left out of later ones.
const n8n = new N8n('older', { N8N_DISABLED_MODULES: '' }, older);
let simulator: Simulator;
let credential: StoredCredential;

beforeAll(async () => {
	simulator = await startSimulator();
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	const { versionCli, nodeJsVersion } = await n8n.rest<{ versionCli: string; nodeJsVersion: string }>(
		'GET',
		'/settings',
	);
	tell('Older n8n', `${versionCli} on Node.js ${nodeJsVersion}`);
});

afterAll(async () => {
	await n8n.dispose();
	await simulator.close();
});

beforeEach(() => simulator.reset());

it('offers the node and its credential', async () => {
	expect((await n8n.types('nodes')).map(({ name }) => name)).toContain(NODE);
	expect((await n8n.types('credentials')).map(({ name }) => name)).toContain('dataArtsInsightApi');
});

it('tests the credential', async () => {
	credential = await n8n.createCredential(simulator.passwordCredentials);
	expect(await n8n.testCredential(credential, simulator.passwordCredentials)).toMatchObject({ status: 'OK' });
	const wrong = { ...simulator.passwordCredentials, password: 'wrong' };
	expect(await n8n.testCredential(credential, wrong)).toMatchObject({ status: 'Error' });
});

it('verifies an endpoint service', async () => {
	const execution = await run(insightNode());
	expect(execution.status).toBe('success');
	expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
		[{ json: { vpc_ep_client_status: 'accepted' }, pairedItem: { item: 0 } }],
	]);
	expect(calls()).toEqual([{ ds_type: 'DWS', vpc_ep_server_name: catalogue.salesWarehouse.name }]);
});

it('waits for acceptance, and hints at what a person has to do', async () => {
	const execution = await run(
		insightNode({
			vpcEpServerName: catalogue.financeLedger.name,
			options: { waitForAcceptance: true, pollInterval: 1, maxWait: 2 },
		}),
	);
	expect(execution.status).toBe('success');
	expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
		[{ json: { vpc_ep_client_status: 'pendingAcceptance' } }],
	]);
	expect(calls()).toHaveLength(3);
	const [nodeRun] = execution.data.resultData.runData['DataArts Insight'] ?? [];
	expect(nodeRun?.hints).toMatchObject([
		{ message: expect.stringMatching(/^Status: pendingAcceptance after 2 seconds\./) as string },
	]);
});

// n8n 1.x moves `{ error }` and `{ error, message }` to the error output, but no `{ error, details }`.
it('leaves a failed item among the others where n8n 2 moves it to the error output', async () => {
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

async function run(node: INode) {
	return await n8n.run(await n8n.importWorkflow(chain('Smoke', manualTrigger, node)));
}

function calls(): unknown[] {
	return simulator.requests
		.filter(({ path }) => path.endsWith('/connections/vpc-endpoint'))
		.map(({ body }) => JSON.parse(body) as unknown);
}
