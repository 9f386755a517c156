import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';

import { type Simulator, startSimulator } from '../../test/support/cloud';
import { openEditor, startBrowser } from '../support/browser';
import { current, tarball } from '../support/folders';
import { N8n, nodeOutput, type StoredCredential } from '../support/n8n';
import { note } from '../support/notes';
import {
	installAsN8nDoes,
	installByHand,
	installedFolder,
	packNextVersion,
	readManifest,
	uninstallByHand,
} from '../support/packageInstall';
import { chain, insightNode, manualTrigger } from '../support/workflows';

const NODE = 'n8n-nodes-dataarts-insight.dataArtsInsight';

let simulator: Simulator;
let browser: Browser;
let nextVersion: string;
let folder: string;
let nextTarball: string;

beforeAll(async () => {
	simulator = await startSimulator();
	browser = await startBrowser();
	folder = await mkdtemp(join(tmpdir(), 'n8n-e2e-packages-'));
	nextTarball = join(folder, 'next.tgz');
	nextVersion = await packNextVersion(nextTarball);
});

afterAll(async () => {
	await browser.close();
	await simulator.close();
	await rm(folder, { recursive: true });
});

describe.each([
	['by hand', installByHand],
	["by n8n's own steps", installAsN8nDoes],
])('Package installed %s', (how, install) => {
	const n8n = new N8n(`install ${how}`);
	let credential: StoredCredential;
	let workflowId: string;

	afterAll(async () => await n8n.dispose());

	it('offers the node, its trigger, its AI agent tool and the credential', async () => {
		await install(n8n.nodesFolder, tarball);
		await n8n.start();
		expect(await offered(n8n)).toEqual({
			nodes: [NODE, `${NODE}Trigger`, `${NODE}Tool`],
			credentials: ['DataArts Insight API'],
		});
		// n8n does not recognise error classes of a second copy of n8n-workflow.
		expect(existsSync(join(n8n.nodesFolder, 'node_modules/n8n-workflow'))).toBe(false);
		const { versionCli } = await n8n.rest<{ versionCli: string }>('GET', '/settings');
		note('n8n', versionCli);
		note('Node.js', String((await readManifest(current.nodeFolder)).version));
	});

	it('runs a saved workflow', async () => {
		credential = await n8n.createCredential(simulator.credentials);
		workflowId = await n8n.importWorkflow(chain('Saved before', manualTrigger, insightNode()));
		await expectAccepted();
	});

	it('upgrade: the saved workflow still runs', async () => {
		await n8n.stop();
		await install(n8n.nodesFolder, nextTarball);
		expect(await readManifest(installedFolder(n8n.nodesFolder))).toMatchObject({ version: nextVersion });
		await n8n.start();
		await expectAccepted();
	});

	it('uninstall: n8n names the missing node, credential and package', async () => {
		await n8n.stop();
		await uninstallByHand(n8n.nodesFolder);
		await n8n.start();
		expect(await offered(n8n)).toEqual({ nodes: [], credentials: [] });
		await expect(n8n.run(workflowId)).rejects.toThrow(`Unrecognized node type: ${NODE}`);
		await expect(n8n.testCredential(credential, {})).rejects.toThrow(
			'Unrecognized credential type: dataArtsInsightApi',
		);

		const page = await openEditor(browser, n8n);
		await page.goto(`/workflow/${workflowId}`);
		await page.getByTestId('canvas-node').last().dblclick();
		const node = page.getByTestId('ndv');
		await node.getByText('Install this node to use it').waitFor();
		await node.getByText('part of the n8n-nodes-dataarts-insight community package').waitFor();
		await page.close();
	});

	async function expectAccepted() {
		simulator.reset();
		const execution = await n8n.run(workflowId);
		expect(execution.status).toBe('success');
		const items = nodeOutput(execution, 'DataArts Insight').flat();
		expect(items.map(({ json }) => json.vpc_ep_client_status)).toEqual(['accepted']);
		expect(simulator.requests.map(({ method }) => method)).toEqual(['POST']);
	}
});

/** The nodes and credentials of this package that n8n offers in the editor. */
async function offered(n8n: N8n) {
	const nodes = (await n8n.types('nodes')).filter(({ name }) => name.startsWith(NODE));
	const credentials = (await n8n.types('credentials')).filter(({ name }) => name === 'dataArtsInsightApi');
	return {
		nodes: nodes.map(({ name }) => name),
		credentials: credentials.map(({ displayName }) => displayName),
	};
}
