import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Simulator, startSimulator } from '../test/support/cloud';
import { examples, tarball } from './folders';
import { type ExportedWorkflow, N8n } from './n8n';
import { installAsN8nDoes } from './packageInstall';
import { prepare } from './prepare';
import { endProcesses, markRun } from './processes';

/*
 * Opens an n8n to try the node by hand: the package is installed, a credential for a simulated Huawei Cloud is
 * stored, and the examples are imported.
 */

async function main() {
	await prepare();
	markRun();
	const n8n = new N8n('open');
	const simulator = await startSimulator();
	const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
	try {
		await Promise.race([stopped, open(n8n, simulator).then(() => stopped)]);
	} finally {
		await n8n.dispose();
		await simulator.close();
		await endProcesses();
	}
}

async function open(n8n: N8n, simulator: Simulator) {
	console.log('Starting n8n…');
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	await n8n.createCredential(simulator.passwordCredentials);
	const names = readdirSync(examples).filter((name) => name.endsWith('.json'));
	for (const name of names) {
		const text = readFileSync(join(examples, name), 'utf8')
			// What a person fills in for the real service.
			.replaceAll('https://dataartsinsight.cn-north-4.myhuaweicloud.com', simulator.url)
			.replaceAll('PROJECT_ID', simulator.credentials.projectId);
		await n8n.importWorkflow(JSON.parse(text) as ExportedWorkflow);
	}
	console.log(`
n8n is open at    ${n8n.url}
  E-mail          ${n8n.owner.email}
  Password        ${n8n.owner.password}

Its credential "DataArts Insight account" leads to a simulated Huawei Cloud at ${simulator.url}.
Its workflows are the examples: ${names.join(', ')}.

Ctrl+C ends both and forgets what was stored.`);
}

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
