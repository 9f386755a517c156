import { Child } from './child';
import type { ServerCounts } from './server';
import type { Cost, Task } from './task';
import type { Contender } from './worker';

export interface Entrant {
	label: string;
	contender: Contender;
	/** Milliseconds between the batches of HTTP Request; found by {@link findBatchInterval} when left out. */
	batchInterval?: number;
}

export interface Cell {
	/** Milliseconds that the service takes for an answer. */
	serviceTime: number;
	/** Calls at once. */
	concurrency: number;
	items: number;
	rounds: number;
	entrants: Entrant[];
}

/** One run of one entrant, seen from both ends. */
export interface Sample extends Cost, ServerCounts {
	items: number;
}

export interface CellResult {
	cell: Cell;
	/** Of HTTP Request, in milliseconds. */
	batchInterval: number | undefined;
	/** By the entrant's label, one for each round. The first, unmeasured run is in `cold`. */
	samples: Record<string, Sample[]>;
	cold: Record<string, Sample>;
}

export interface GrowthPlan {
	serviceTime: number;
	concurrency: number;
	sizes: Array<{ items: number; rounds: number }>;
}

export interface GrowthResult {
	plan: GrowthPlan;
	/** By number of items. */
	samples: Array<Record<'node' | 'passOn' | 'makeUp', Sample[]>>;
}

/** The service, in a process of its own: what it costs is not the contenders' time. */
export class Server extends Child {
	origin = '';

	async run(worker: Child, task: Omit<Task, 'origin'>): Promise<Sample> {
		await this.ask('counts');
		const cost = await worker.ask<Cost>({ ...task, origin: this.origin });
		const counts = await this.ask<ServerCounts>('counts');
		return { ...counts, ...cost, items: task.items };
	}
}

export async function startServer(): Promise<Server> {
	const server = new Server('server.ts');
	server.origin = await server.ask<string>('where');
	return server;
}

/** Runs the entrants one after the other, round by round: what disturbs the machine disturbs them alike. */
export async function measureCell(server: Server, cell: Cell): Promise<CellResult> {
	const { serviceTime, concurrency, items } = cell;
	await server.ask({ serviceTime });
	const result: CellResult = { cell, batchInterval: undefined, samples: {}, cold: {} };
	const workers = cell.entrants.map((entrant) => ({
		...entrant,
		worker: new Child('worker.ts', entrant.contender),
	}));
	await Promise.all(workers.map(({ worker }) => worker.ask('ready')));
	const started: Array<{ label: string; worker: Child; task: Omit<Task, 'origin'> }> = [];
	for (const { label, contender, worker, batchInterval } of workers) {
		const task = { items, concurrency, batchInterval: batchInterval ?? 0 };
		result.cold[label] = await server.run(worker, task);
		if (contender === 'httpRequest' && batchInterval === undefined) {
			task.batchInterval = await findBatchInterval(server, worker, cell);
			result.batchInterval = task.batchInterval;
		}
		started.push({ label, worker, task });
		result.samples[label] = [];
	}
	for (let round = 0; round < cell.rounds; round++) {
		for (const { label, worker, task } of started) {
			result.samples[label]?.push(await server.run(worker, task));
		}
	}
	await Promise.all(started.map(({ worker }) => worker.close()));
	return result;
}

/**
 * HTTP Request waits between its batches, but not for their answers: the limit holds only if the wait is
 * long enough. This looks for the shortest wait, in steps of 15 %, with which the service did not see more
 * calls at once than the limit in three runs on end.
 */
async function findBatchInterval(
	server: Server,
	worker: Child,
	{ serviceTime, concurrency }: Cell,
): Promise<number> {
	const task = { items: 10 * concurrency, concurrency, batchInterval: Math.max(1, serviceTime) };
	for (let kept = 0; kept < 3; kept++) {
		const { mostAtOnce } = await server.run(worker, task);
		if (mostAtOnce <= concurrency) continue;
		task.batchInterval = Math.ceil(task.batchInterval * 1.15);
		kept = -1;
	}
	return task.batchInterval;
}

/**
 * What more items cost. Each run has a process of its own so that its peak of memory is its own: how much garbage
 * there is at the peak is a matter of chance.
 */
export async function measureGrowth(server: Server, plan: GrowthPlan): Promise<GrowthResult> {
	await server.ask({ serviceTime: plan.serviceTime });
	const result: GrowthResult = { plan, samples: [] };
	for (const { items, rounds } of plan.sizes) {
		const measure = async (contender: Contender) => {
			const task = { concurrency: plan.concurrency, batchInterval: 0 };
			const samples: Sample[] = [];
			for (let round = 0; round < rounds; round++) {
				const worker = new Child('worker.ts', contender);
				await server.run(worker, { ...task, items: 500 });
				samples.push(await server.run(worker, { ...task, items }));
				await worker.close();
			}
			return samples;
		};
		console.log(`Growth: ${items} items`);
		result.samples.push({
			node: await measure('node'),
			passOn: await measure('passOn'),
			makeUp: await measure('makeUp'),
		});
	}
	return result;
}
