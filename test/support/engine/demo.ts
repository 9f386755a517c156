import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { ICredentialDataDecryptedObject, INodeParameters, IWorkflowBase } from 'n8n-workflow';

import { endpointServices, insightDomainId, startSimulator } from '../cloud';
import { loadPackage, runWorkflow } from '.';
import { chain, insight, manualTrigger } from './workflow';

/*
 * Runs the examples on n8n's engine, with the built package, against a simulated Huawei Cloud. Then it takes an endpoint
 * from a name to accepted, as its requester and, through an agency, as the owner of the endpoint service.
 */

const project = resolve(__dirname, '../../..');

async function main() {
	const started = performance.now();
	const types = await loadPackage(project);
	const simulator = await startSimulator({ acceptTime: 500 });
	console.log(`Simulated Huawei Cloud: ${simulator.url}`);

	async function run(file: string) {
		const workflow = JSON.parse(readFileSync(resolve(project, 'examples', file), 'utf8')) as IWorkflowBase;
		const input = Object.values(workflow.pinData ?? {})[0]?.map(({ json }) => json);
		const { output, error } = await runWorkflow(workflow, {
			types,
			credentials: { dataArtsInsightApi: simulator.credentials },
			input,
		});
		if (error) throw new Error(error.message);
		const rows: Row[] = output('DataArts Insight').flatMap((items) => items.map(({ json }) => json));
		console.log(`\nexamples/${file}: ${workflow.name}`);
		printTable(rows);
		return rows.map((row) => row.vpc_ep_client_status ?? 'failed');
	}

	/** Runs the node once. */
	async function call(credential: ICredentialDataDecryptedObject, parameters: INodeParameters) {
		const { output, error } = await runWorkflow(chain(manualTrigger(), insight(parameters)), {
			types,
			credentials: { dataArtsInsightApi: { ...credential } },
		});
		if (error) throw new Error(error.message);
		return output('DataArts Insight')[0]?.[0]?.json ?? {};
	}

	/** From a name to accepted: nobody opens a console. */
	async function closeTheLoop(name: string) {
		const verify = { vpcEpServerName: name, options: { checkFirst: true } };
		const endpointService = { __rl: true, mode: 'name', value: name };
		const owner = simulator.agencyCredentials;
		const printStep = (who: string, step: string, result: unknown) =>
			console.log(`  ${who.padEnd(12)}${step.padEnd(40)}${String(result)}`);

		console.log(
			'\nPartner archive belongs to another account. An agency lets n8n act for it, with no key of that account:',
		);
		const { permission } = await call(owner, {
			resource: 'whitelist',
			operation: 'add',
			endpointService,
			permission: insightDomainId,
		});
		printStep('owner', 'Whitelist: Add', permission);
		const endpoint = await call(simulator.credentials, verify);
		printStep('requester', 'VPC Endpoint: Verify and Create', endpoint.vpc_ep_client_status);
		const connection = await call(owner, {
			resource: 'endpointConnection',
			operation: 'accept',
			endpointService,
			endpointId: endpoint.vpc_ep_client_id as string,
			options: { waitUntilDone: true, pollInterval: 1 },
		});
		printStep('owner', 'Endpoint Connection: Accept', connection.status);
		const verified = await call(simulator.credentials, verify);
		printStep('requester', 'VPC Endpoint: Verify and Create', verified.vpc_ep_client_status);
		const statuses = [endpoint.vpc_ep_client_status, connection.status, verified.vpc_ep_client_status];
		expectStatuses(statuses.map(String), { pendingAcceptance: 1, accepted: 2 });
	}

	try {
		expectStatuses(await run('verify-by-name.json'), { accepted: 1 });
		expectStatuses(await run('verify-a-list.json'), { accepted: 2, pendingAcceptance: 1, failed: 3 });

		console.log('\nThe owner of finance-ledger accepts the connection. The same workflow once more:');
		simulator.accept(endpointServices.financeLedger.name);
		expectStatuses(await run('verify-a-list.json'), { accepted: 3, failed: 3 });

		await closeTheLoop(endpointServices.partnerArchive.name);

		console.log(`
${simulator.requests.length} calls over ${simulator.connections} connections, ${((performance.now() - started) / 1000).toFixed(1)} s.

Where to go next
  npm run simulator     keeps such a cloud running, to try the node by hand in your own n8n
  examples/             workflows to import into n8n
  README.md             how to install the node and where each credential field is found`);
	} finally {
		await simulator.close();
	}
}

/** What an item may hold: a verified endpoint, or a row of the input with what went wrong. */
interface Row {
	title?: string;
	dataSourceType?: string;
	ds_type?: string;
	vpc_ep_server_name?: string;
	vpc_ep_client_status?: string;
	error?: string;
	details?: { description: string };
}

/** One line for each item, and below it what to do, if there is something to do. */
function printTable(rows: Row[]) {
	const print = (service = '', type = '', status = 'failed', message = '') =>
		console.log(`  ${service.padEnd(32)}${type.padEnd(12)}${status.padEnd(20)}${message}`.trimEnd());
	print('ENDPOINT SERVICE', 'TYPE', 'STATUS', 'MESSAGE');
	for (const row of rows) {
		const service = row.title ?? row.vpc_ep_server_name?.replace(/\.[\da-f]{8}-[\da-f-]{27}$/, '.…');
		print(service, row.ds_type ?? row.dataSourceType, row.vpc_ep_client_status, row.error);
		if (row.details) console.log(`      → ${row.details.description}`);
	}
}

function expectStatuses(statuses: string[], expected: Record<string, number>) {
	const counts: Record<string, number> = {};
	for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
	const differs = Object.keys({ ...counts, ...expected }).some((key) => counts[key] !== expected[key]);
	if (differs) throw new Error(`Expected ${JSON.stringify(expected)}, got ${JSON.stringify(counts)}`);
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
