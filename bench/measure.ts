import { prepare } from '../e2e/run/prepare';
import { endProcesses, markRun } from '../e2e/run/processes';
import { Child } from './child';
import type { FreshContender, FreshCost } from './firstRun';
import { current, type N8nCost, RealN8n } from './n8n';
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
export type Seen<Result> = Result & ServerCounts & { items: number };
export type Sample = Seen<Cost>;

export interface RoundsResult<Result> {
	cell: Cell;
	/** Of HTTP Request, in milliseconds. */
	batchInterval: number | undefined;
	/** By the entrant's label, one for each round. The first, unmeasured run is in `cold`. */
	samples: Record<string, Array<Seen<Result>>>;
	cold: Record<string, Seen<Result>>;
}

export type CellResult = RoundsResult<Cost>;

/** Runs a task, wherever that happens. */
export type Runner<Result> = (task: Task) => Promise<Result>;

export interface FreshPlan {
	rounds: number;
	entrants: Array<{ label: string; contender: FreshContender }>;
}

export interface FreshResult {
	plan: FreshPlan;
	/** By the entrant's label, one for each round. */
	samples: Record<string, Array<Seen<FreshCost>>>;
}

export type N8nResult = RoundsResult<N8nCost>;

export interface GrowthPlan {
	serviceTime: number;
	concurrency: number;
	sizes: Array<{ items: number; rounds: number }>;
}

export interface GrowthResult {
	plan: GrowthPlan;
	/** By number of items. */
	samples: Array<Record<'pooled' | 'passOn' | 'makeUp', Sample[]>>;
}

/** The service, in a process of its own: what it costs is not the contenders' time. */
export class Server extends Child {
	origin = '';

	async run<Result>(runner: Runner<Result>, task: Omit<Task, 'origin'>): Promise<Seen<Result>> {
		await this.ask('counts');
		const result = await runner({ ...task, origin: this.origin });
		const counts = await this.ask<ServerCounts>('counts');
		return { ...result, ...counts, items: task.items };
	}
}

export async function startServer(): Promise<Server> {
	const server = new Server('server.ts');
	server.origin = await server.ask<string>('where');
	return server;
}

/** Measures the entrants on n8n's engine, each in a process of its own. */
export async function measureCell(server: Server, cell: Cell): Promise<CellResult> {
	const workers = cell.entrants.map((entrant) => new Child('worker.ts', [entrant.contender]));
	await Promise.all(workers.map((worker) => worker.ask('ready')));
	const result = await measureRounds(
		server,
		cell,
		workers.map((worker) => async (task) => await worker.ask<Cost>(task)),
	);
	await Promise.all(workers.map((worker) => worker.close()));
	return result;
}

/** Runs the entrants one after the other, round by round: what disturbs the machine disturbs them alike. */
export async function measureRounds<Result>(
	server: Server,
	cell: Cell,
	runners: Array<Runner<Result>>,
): Promise<RoundsResult<Result>> {
	const { serviceTime, concurrency, items, rounds, entrants } = cell;
	await server.ask({ serviceTime });
	const result: RoundsResult<Result> = { cell, batchInterval: undefined, samples: {}, cold: {} };
	const started: Array<{ label: string; runner: Runner<Result>; task: Omit<Task, 'origin'> }> = [];
	for (const [index, runner] of runners.entries()) {
		const { label, contender, batchInterval } = entrants[index] ?? ({} as Entrant);
		const task = { items, concurrency, batchInterval: batchInterval ?? Math.max(1, serviceTime) };
		result.cold[label] = await server.run(runner, task);
		if (contender === 'httpRequest' && batchInterval === undefined) {
			task.batchInterval = await findBatchInterval(server, runner, cell);
			result.batchInterval = task.batchInterval;
		}
		started.push({ label, runner, task });
		result.samples[label] = [];
	}
	for (let round = 0; round < rounds; round++) {
		for (const { label, runner, task } of started) {
			result.samples[label]?.push(await server.run(runner, task));
		}
	}
	return result;
}

/**
 * HTTP Request waits between its batches, but not for their answers: the limit holds only if the wait is
 * long enough. This looks for the shortest wait, in steps of 15 %, with which the service did not see more
 * calls at once than the limit in three runs on end.
 */
async function findBatchInterval(
	server: Server,
	runner: Runner<unknown>,
	{ serviceTime, concurrency }: Cell,
): Promise<number> {
	const task = { items: 10 * concurrency, concurrency, batchInterval: Math.max(1, serviceTime) };
	for (let kept = 0; kept < 3; kept++) {
		const { mostAtOnce } = (await server.run(runner, task)) as ServerCounts;
		if (mostAtOnce <= concurrency) continue;
		task.batchInterval = Math.ceil(task.batchInterval * 1.15);
		kept = -1;
	}
	return task.batchInterval;
}

/** What one item costs in a fresh process, each contender and each round in one of its own. */
export async function measureFresh(server: Server, plan: FreshPlan): Promise<FreshResult> {
	const samples: FreshResult['samples'] = {};
	await server.ask({ serviceTime: 0 });
	for (let round = 0; round < plan.rounds; round++) {
		for (const { label, contender } of plan.entrants) {
			const child = new Child('fresh.js', [contender], { execArgv: [] });
			await child.ask('ready');
			const task = { items: 1, concurrency: 1, batchInterval: 0 };
			const sample = await server.run(async (task) => await child.ask<FreshCost>(task), task);
			(samples[label] ??= []).push(sample);
			await child.close();
		}
	}
	return { plan, samples };
}

/**
 * Measures in a real n8n, which is installed if it is not there yet. Each contender has an n8n of its own, and bare undici
 * a process beside them, on the same Node.js.
 */
export async function measureN8n(server: Server, cell: Cell): Promise<N8nResult> {
	await prepare();
	markRun();
	const started: Array<{ close(): Promise<void> }> = [];
	const start = async (contender: Contender): Promise<Runner<N8nCost>> => {
		if (contender === 'undici') {
			const undici = new Child('worker.ts', [contender], { execPath: current.node });
			started.push(undici);
			await undici.ask('ready');
			return async (task) => await undici.ask<Cost>(task);
		}
		const n8n = await RealN8n.start(contender, server);
		started.push(n8n);
		return async (task) => await n8n.run(task);
	};
	try {
		const runners = [];
		for (const { contender } of cell.entrants) runners.push(await start(contender));
		return await measureRounds(server, cell, runners);
	} finally {
		await Promise.all(started.map((one) => one.close()));
		await endProcesses();
	}
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
				const worker = new Child('worker.ts', [contender]);
				const runner = async (task: Task) => await worker.ask<Cost>(task);
				await server.run(runner, { ...task, items: 500 });
				samples.push(await server.run(runner, { ...task, items }));
				await worker.close();
			}
			return samples;
		};
		console.log(`Growth: ${items} items`);
		result.samples.push({
			pooled: await measure('pooled'),
			passOn: await measure('passOn'),
			makeUp: await measure('makeUp'),
		});
	}
	return result;
}
