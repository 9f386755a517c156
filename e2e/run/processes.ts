import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { RUN_MARK } from '../support/commands';

/** Marks all processes that are started from now on, and their child processes, as those of this run. */
export function markRun(): void {
	process.env[RUN_MARK] = `${process.pid}-${Date.now()}`;
}

/** The processes of this run. Reads `/proc`, so Linux only. */
function runningProcesses(): Array<{ pid: number; command: string }> {
	const mark = `${RUN_MARK}=${process.env[RUN_MARK]}`;
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => {
			try {
				if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark)) return [];
				const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
				// A zombie has no command line.
				return command ? [{ pid: Number(name), command }] : [];
			} catch {
				return []; // The process has ended, or belongs to another user.
			}
		});
}

/**
 * Kills the processes of this run that still run after three seconds.
 *
 * @returns the command lines of the killed processes
 */
export async function endProcesses(): Promise<string[]> {
	for (let tries = 0; tries < 30 && runningProcesses().length > 0; tries++) await sleep(100);
	const left = runningProcesses();
	for (const { pid } of left) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// The process has ended.
		}
	}
	return left.map(({ command }) => command.slice(0, 120));
}
