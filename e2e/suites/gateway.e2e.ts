import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { INode } from 'n8n-workflow';

import {
	faultServerName,
	loopbackCertificate,
	type Simulator,
	startSimulator,
} from '../../test/support/cloud';
import { cache, pooledTarball } from '../support/folders';
import { type ExportedWorkflow, N8n, nodeOutput } from '../support/n8n';
import { note } from '../support/notes';
import { installAsN8nDoes } from '../support/packageInstall';
import { type LoggingServer, startNginx } from '../support/servers';
import { verifyBodies } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

/*
 * In front of the simulated cloud stands a gateway, Debian's nginx, that closes keep-alive connections. No item may fail
 * because of that, and no request may be sent twice. This concerns the build with a pool of connections: the other opens a
 * connection for each request.
 */

/** nginx's `keepalive_requests`: after so many it closes the connection. */
const REQUESTS_A_CONNECTION = 20;

const authorities = join(cache, 'loopback.pem');

let simulator: Simulator;
let nginx: LoggingServer;
let n8n: N8n;

beforeAll(async () => {
	writeFileSync(authorities, loopbackCertificate.cert);
	simulator = await startSimulator({ latency: 5 });
	nginx = await startNginx(simulator.url);
	n8n = new N8n('gateway', { NODE_EXTRA_CA_CERTS: authorities });
	await installAsN8nDoes(n8n.nodesFolder, pooledTarball);
	await n8n.start();
	const url = `https://127.0.0.1:${nginx.port}`;
	await n8n.createCredential({ ...simulator.passwordCredentials, baseUrl: url, iamUrl: url, vpcepUrl: url });
});

afterAll(async () => {
	await n8n.dispose();
	await nginx.stop();
	await simulator.close();
});

beforeEach(() => simulator.reset());

it('nginx gateway, keepalive_requests: 400 items lose none, on few connections', async () => {
	const names = namesOf('list', 400);
	const before = (await connections()).size;
	const execution = await n8n.importAndRun(chain('List', manualTrigger, list(names), verify));

	expectEachOnce(names, nodeOutput(execution, verify.name)[0]);
	const opened = (await connections()).size - before;
	note('Gateway', `${names.length} items on ${opened} connections of ${REQUESTS_A_CONNECTION} requests`);
	expect(opened).toBeLessThanOrEqual((names.length / REQUESTS_A_CONNECTION) * 1.5 + 10);
});

it('nginx gateway, keepalive_timeout: a loop with pauses of about that time loses no item', async () => {
	const names = namesOf('loop', 300);
	const execution = await n8n.importAndRun(loop(names));

	expectEachOnce(names, nodeOutput(execution, 'Loop')[0]);
});

/** Names of services that the simulated cloud reports as accepted. */
function namesOf(test: string, count: number): string[] {
	return Array.from({ length: count }, (_, index) => `${faultServerName('extra-fields')}.${test}-${index}`);
}

/** Each name has become an item, in order, with one request. */
function expectEachOnce(names: string[], items: ReturnType<typeof nodeOutput>[number] = []) {
	const failed = items.flatMap(({ json }) => ('error' in json ? [json] : []));
	expect(failed).toEqual([]);
	expect(items.map(({ json }) => json.vpc_ep_server_name)).toEqual(names);
	const requested = verifyBodies(simulator).map(({ vpc_ep_server_name }) => vpc_ep_server_name);
	expect(requested.sort()).toEqual([...names].sort());
}

/** The numbers of all connections to nginx so far. */
async function connections(): Promise<Set<string | undefined>> {
	return new Set((await nginx.accessLog()).map((line) => line.split(' ')[0]));
}

const verify: INode = {
	...insightNode({ vpcEpServerName: '={{ $json.name }}', options: { maxConcurrency: 10 } }),
	onError: 'continueRegularOutput',
};

function list(names: string[]): INode {
	return {
		id: 'list',
		name: 'List',
		type: 'n8n-nodes-base.code',
		typeVersion: 2,
		position: [0, 200],
		parameters: { jsCode: `return ${JSON.stringify(names)}.map((name) => ({ json: { name } }));` },
	};
}

/** Verifies ten at a time. With n8n's own overhead the pauses last from just below to just above a second. */
function loop(names: string[]): ExportedWorkflow {
	const batches: INode = {
		id: 'loop',
		name: 'Loop',
		type: 'n8n-nodes-base.splitInBatches',
		typeVersion: 3,
		position: [200, 0],
		parameters: { batchSize: 10, options: {} },
	};
	const pause: INode = {
		id: 'wait',
		name: 'Wait',
		type: 'n8n-nodes-base.wait',
		typeVersion: 1.1,
		position: [400, 200],
		webhookId: '6c1c8a0e-2f0b-4f0d-9a52-9d2c1f7c1b11',
		parameters: { amount: '={{ 0.96 + $runIndex * 0.0015 }}', unit: 'seconds' },
	};
	const to = (node: INode) => [{ node: node.name, type: 'main' as const, index: 0 }];
	const workflow = chain('Loop', manualTrigger, list(names), batches);
	return {
		...workflow,
		nodes: [...workflow.nodes, verify, pause],
		connections: {
			...workflow.connections,
			[batches.name]: { main: [[], to(verify)] },
			[verify.name]: { main: [to(pause)] },
			[pause.name]: { main: [to(batches)] },
		},
	};
}
