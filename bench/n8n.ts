import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import * as folders from '../e2e/support/folders';
import { N8n, nodeOutput } from '../e2e/support/n8n';
import { installAsN8nDoes } from '../e2e/support/packageInstall';
import { prepare } from '../e2e/run/prepare';
import { endProcesses, markRun } from '../e2e/run/processes';
import type { Server } from './measure';
import { check, credential, makeInput, type Task } from './task';
import { type NodeContender, workflowOf } from './workflow';

/** The n8n that is measured: where its package.json is, and the Node.js that it runs on. */
export const current = {
	folder: folders.current.folder,
	node: join(folders.current.nodeFolder, 'bin/node'),
};

/** For how long the service hears nothing before an execution is looked at, in milliseconds. */
const QUIET = 5_000;

/** A real n8n of its own, which has the package and its credential. */
export class RealN8n {
	private constructor(
		private readonly n8n: N8n,
		private readonly server: Server,
	) {}

	/** Installs n8n, if it is not there yet, and starts it. @throws Error if it does not start */
	static async start(server: Server): Promise<RealN8n> {
		await prepare();
		markRun();
		const { NODE_EXTRA_CA_CERTS = '' } = process.env;
		const n8n = new N8n('bench', { NODE_EXTRA_CA_CERTS });
		const started = new RealN8n(n8n, server);
		try {
			await installAsN8nDoes(n8n.nodesFolder, folders.tarball);
			await n8n.start();
			await n8n.createCredential(credential(server.origin));
			return started;
		} catch (error) {
			await started.close();
			throw error;
		}
	}

	/**
	 * Executes a workflow of the contender.
	 *
	 * @returns the milliseconds that n8n itself took down for the node
	 * @throws Error if the execution failed, or an answer is missing
	 */
	async run(contender: NodeContender, task: Task): Promise<{ time: number }> {
		const input = makeInput(task.items);
		const id = await this.n8n.importWorkflow({
			name: contender,
			...workflowOf(contender, task),
			settings: { executionOrder: 'v1' },
			pinData: { Start: input.map((json) => ({ json: { ...json } })) },
		});
		const { executionId } = await this.n8n.rest<{ executionId: string }>('POST', `/workflows/${id}/run`, {
			triggerToStartFrom: { name: 'Start' },
		});
		// Not asking n8n, whose time it would take.
		let seen = -1;
		for (let quiet = 0; seen < task.items && quiet < QUIET; quiet += 50) {
			const requests = await this.server.ask<number>('requests');
			if (requests > seen) quiet = 0;
			seen = requests;
			await sleep(50);
		}
		const execution = await this.n8n.finished(executionId);
		if (execution.status !== 'success')
			throw new Error(`${contender}: ${JSON.stringify(execution.data.resultData.error)}`);
		const [items = []] = nodeOutput(execution, 'Contender');
		check(
			contender,
			input,
			items.map(({ json }) => json),
		);
		return { time: execution.data.resultData.runData.Contender?.[0]?.executionTime ?? NaN };
	}

	/** Ends it and all that it started, and forgets what it stored. */
	async close(): Promise<void> {
		await this.n8n.dispose();
		await endProcesses();
	}
}
