import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export interface Request {
	/** The test file, from the project's folder. */
	file: string;
	mutant?: string;
	/** Full names of the tests to run; all if left out. */
	tests?: string[];
}

export interface Run {
	passed: boolean;
	/** In milliseconds, with the loading of the test file. */
	time: number;
	/** Of each test that ran, in milliseconds. */
	durations: Record<string, number>;
	failed: string[];
	/** Mutants that are reached while the file loads or between its tests. */
	outsideTests: string[];
	perTest: Record<string, string[]>;
	messages: string;
}

/** Jest keeps something of each run, so a process is replaced after this many. */
const runsOfAProcess = 100;

/** A process that runs test files in a folder, and is replaced when it hangs or dies. */
export class Worker {
	private child?: ChildProcess;

	private runs = 0;

	constructor(private readonly folder: string) {}

	/** @returns what was seen, or nothing if the run took longer than the limit (in milliseconds) or ended the process */
	async run(request: Request, limit: number): Promise<Run | undefined> {
		if (this.runs >= runsOfAProcess) this.close();
		// A new process loads jest first.
		const allowed = this.child ? limit : limit + 15_000;
		const child = (this.child ??= this.start());
		this.runs += 1;
		return await new Promise((resolve) => {
			const end = (run?: Run) => {
				clearTimeout(timer);
				child.removeAllListeners();
				if (!run) this.close();
				resolve(run);
			};
			const timer = setTimeout(end, allowed);
			child.once('message', (run) => end(run as Run));
			child.once('exit', () => end());
			child.send(request);
		});
	}

	close() {
		this.child?.kill('SIGKILL');
		this.child = undefined;
		this.runs = 0;
	}

	private start() {
		return fork(join(__dirname, 'worker.js'), { cwd: this.folder, execArgv: [], stdio: 'ignore' });
	}
}

/** Does the jobs with all workers, each taking the next job when it is free. */
export async function share<Job>(
	workers: Worker[],
	jobs: Job[],
	work: (worker: Worker, job: Job) => Promise<void>,
) {
	const rest = jobs[Symbol.iterator]();
	await Promise.all(
		workers.map(async (worker) => {
			for (const job of rest) await work(worker, job);
		}),
	);
}
