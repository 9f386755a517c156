import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A variable in the environment of everything that a run starts, down to the browser's and n8n's own children. */
export const RUN_MARK = 'DATAARTS_INSIGHT_E2E_RUN';

/** Gives what is started from now on a mark of this run. */
export function markRun(): void {
	process.env[RUN_MARK] = `${process.pid}-${Date.now()}`;
}

/** The processes of this run, as `pid command`. Linux only, as the rest of this folder. */
export function runningProcesses(): Array<{ pid: number; command: string }> {
	const mark = `${RUN_MARK}=${process.env[RUN_MARK]}`;
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => {
			try {
				if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark)) return [];
				const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
				// What has ended and only waits for its parent to notice has no command line.
				return command ? [{ pid: Number(name), command }] : [];
			} catch {
				return []; // it has ended meanwhile, or belongs to somebody else
			}
		});
}

/**
 * Ends what this run has started and not ended itself.
 *
 * @returns what had to be ended
 */
export async function endProcesses(): Promise<string[]> {
	// Those that are about to end get the time for it.
	for (let tries = 0; tries < 30 && runningProcesses().length > 0; tries++) await sleep(100);
	const left = runningProcesses();
	for (const { pid } of left) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// it has ended meanwhile
		}
	}
	return left.map(({ command }) => command.slice(0, 120));
}
