import type { INode } from 'n8n-workflow';

import { endpointServices, type Simulator, startSimulator } from '../../test/support/cloud';
import { tarball } from '../support/folders';
import { N8n, nodeOutput } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { chain, insightNode, manualTrigger } from '../support/workflows';

const n8n = new N8n('credential');
let simulator: Simulator;

beforeAll(async () => {
	simulator = await startSimulator();
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
});

afterAll(async () => {
	await n8n.dispose();
	await simulator.close();
});

it('An expression in a credential is evaluated for each item', async () => {
	await n8n.createCredential({ ...simulator.credentials, workspaceId: '={{ $json.workspace }}' });
	const rows: INode = {
		id: 'rows',
		name: 'Rows',
		type: 'n8n-nodes-base.code',
		typeVersion: 2,
		position: [110, 0],
		parameters: {
			jsCode: "return [1, 2, 3, 4, 5].map((row) => ({ json: { workspace: 'workspace-' + row } }));",
		},
	};
	const node = { ...insightNode(), onError: 'continueRegularOutput' as const };
	const execution = await n8n.importAndRun(chain('Rows', manualTrigger, rows, node));
	expect(execution.status).toBe('success');
	expect(nodeOutput(execution, 'DataArts Insight')[0]).toHaveLength(5);
	expect(simulator.requests.map(({ headers, body }) => [headers['x-workspace-id'], body]).sort()).toEqual(
		[1, 2, 3, 4, 5].map((row) => [
			`workspace-${row}`,
			JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: endpointServices.salesWarehouse.name }),
		]),
	);
});
