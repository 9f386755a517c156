import { once } from 'node:events';

import { type Simulator, startSimulator } from '../../test/support/cloud';
import { exampleNames, readExample } from '../support/exampleWorkflows';
import { tarball } from '../support/folders';
import { type ExportedWorkflow, N8n } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { prepare } from './prepare';
import { endProcesses, markRun } from './processes';

/*
 * Opens an n8n to try the node by hand. The package is installed, a credential for a simulated Huawei Cloud is stored,
 * and the examples are imported.
 */

async function main() {
	await prepare();
	markRun();
	const n8n = new N8n('open');
	// With the workspaces and projects that the example many-workspaces names.
	const simulator = await startSimulator({ acceptTime: 5_000, moreWorkspaces: 2, moreProjects: 1 });
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
	await n8n.createCredential(simulator.agencyCredentials, { name: 'Owner of the endpoint services' });
	await n8n.createCredential(simulator.passwordCredentials);
	for (const name of exampleNames) {
		const text = JSON.stringify(readExample(name))
			// People put their own values here.
			.replaceAll('https://dataartsinsight.cn-north-4.myhuaweicloud.com', simulator.url)
			.replaceAll('PROJECT_ID', simulator.credentials.projectId);
		await n8n.importWorkflow(JSON.parse(text) as ExportedWorkflow);
	}
	console.log(`
n8n is open at    ${n8n.url}
  E-mail          ${n8n.owner.email}
  Password        ${n8n.owner.password}

Its credential "DataArts Insight account" leads to a simulated Huawei Cloud at ${simulator.url}, and
"Owner of the endpoint services" to another account there, as an agency.
Its workflows are the examples: ${exampleNames.join(', ')}.

Ctrl+C ends both and removes their data.`);
}

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
