import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

interface Options {
	cwd: string;
	env?: NodeJS.ProcessEnv;
	uid?: number;
	gid?: number;
}

/**
 * Runs a command and gives what it printed.
 *
 * @throws Error with what it printed, if it did not end well
 */
export async function output(command: string, args: string[], options: Options): Promise<string> {
	const { stdout } = await execute(command, args, options).catch(
		({ message, stdout }: Error & { stdout?: string }) => {
			throw new Error(`${message}\n${stdout}`);
		},
	);
	return stdout.trim();
}

/**
 * Runs a command that shows its own progress.
 *
 * @throws Error if it did not end well
 */
export async function show(command: string, args: string[], options: Options): Promise<void> {
	const child = spawn(command, args, { ...options, stdio: 'inherit' });
	const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
	if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${String(code)}`);
}

/** The first of these programs that is in one of the folders, with its folder. */
export function findProgram(names: string[], folders = pathFolders()): string | undefined {
	return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

export function pathFolders(): string[] {
	return (process.env.PATH ?? '').split(delimiter);
}

/** Where Debian has the programs of servers: not all of these folders are on everybody's path. */
export function serverFolders(): string[] {
	return [...pathFolders(), '/usr/sbin'];
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
