import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** An environment variable of every process that a run starts. It marks those that the run has to end. */
export const RUN_MARK = 'DATAARTS_INSIGHT_E2E_RUN';

interface Options {
	cwd: string;
	env?: NodeJS.ProcessEnv;
	uid?: number;
	gid?: number;
}

/**
 * Runs a command.
 *
 * @returns what it wrote to its standard output, trimmed
 * @throws Error with its output, if it fails
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
 * Runs a command and shows its output while it runs.
 *
 * @throws Error if it fails
 */
export async function show(command: string, args: string[], options: Options): Promise<void> {
	const child = spawn(command, args, { ...options, stdio: 'inherit' });
	const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
	if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${String(code)}`);
}
