import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import * as folders from '../e2e/support/folders';
import { N8n, nodeOutput } from '../e2e/support/n8n';
import { installAsN8nDoes } from '../e2e/support/packageInstall';
import { buildOf, tarballs } from './builds';
import type { Server } from './measure';
import { check, type Cost, credential, makeInput, type Task } from './task';
import { type NodeContender, workflowOf } from './workflow';

/** The n8n that is measured: where its package.json is, and the Node.js that it runs on. */
export const current = {
	folder: folders.current.folder,
	node: join(folders.current.nodeFolder, 'bin/node'),
};

/** For how long the service hears nothing before an execution is looked at, in milliseconds. */
const QUIET = 5_000;

/** What an execution in n8n cost. */
export type N8nCost = Omit<Cost, 'heldMemory'>;

/** The real n8n of one contender, which has a build of the package and its credential. */
export class RealN8n {
	private constructor(
		private readonly contender: NodeContender,
		private readonly n8n: N8n,
		private readonly server: Server,
	) {}

	/** Starts n8n, which has to be installed. @throws Error if it does not start */
	static async start(contender: NodeContender, server: Server): Promise<RealN8n> {
		const { NODE_EXTRA_CA_CERTS = '' } = process.env;
		const n8n = new N8n(`bench-${contender}`, { NODE_EXTRA_CA_CERTS });
		const started = new RealN8n(contender, n8n, server);
		try {
			await installAsN8nDoes(n8n.nodesFolder, tarballs[buildOf(contender)]);
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
	 * @returns the milliseconds that n8n itself took down for the node, and what n8n's process took for the whole execution
	 * @throws Error if the execution failed, or an answer is missing
	 */
	async run(task: Task): Promise<N8nCost> {
		const { contender } = this;
		const input = makeInput(task.items);
		const id = await this.n8n.importWorkflow({
			name: contender,
			...workflowOf(contender, task),
			settings: { executionOrder: 'v1' },
			pinData: { Start: input.map((json) => ({ json: { ...json } })) },
		});
		const before = this.taken();
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
		const { processorTime, peakMemory } = this.taken();
		if (execution.status !== 'success')
			throw new Error(`${contender}: ${JSON.stringify(execution.data.resultData.error)}`);
		const [items = []] = nodeOutput(execution, 'Contender');
		check(
			contender,
			input,
			items.map(({ json }) => json),
		);
		return {
			time: execution.data.resultData.runData.Contender?.[0]?.executionTime ?? NaN,
			processorTime: processorTime - before.processorTime,
			peakMemory,
		};
	}

	/** What n8n's process took since it began. Reads `/proc`, so Linux only. */
	private taken(): Pick<Cost, 'processorTime' | 'peakMemory'> {
		const read = (file: string) => readFileSync(`/proc/${this.n8n.pid}/${file}`, 'utf8');
		// The second field is a name, which may hold blanks and brackets. The 14th and 15th are in hundredths of a second.
		const fields = read('stat')
			.replace(/^.*\) /s, '')
			.split(' ');
		const peak = /^VmHWM:\s+(\d+) kB$/m.exec(read('status'))?.[1];
		return {
			processorTime: 10 * (Number(fields[11]) + Number(fields[12])),
			peakMemory: 1024 * Number(peak),
		};
	}

	/** Ends it and forgets what it stored. */
	async close(): Promise<void> {
		await this.n8n.dispose();
	}
}
