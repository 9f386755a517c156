import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { forgetFacts } from './facts';
import { cache, logs, project } from './folders';
import { prepare } from './prepare';
import { endProcesses, markRun } from './processes';
import { type Report, writeResults } from './results';

/*
 * Proves the package in a real n8n, in a real browser: see README.md in this folder.
 *
 *   npm run e2e                  what CI runs
 *   npm run e2e -- --all         everything; writes RESULTS.md
 *   npm run e2e -- --pictures    also writes the pictures of the documentation, to docs/images/
 *   npm run e2e -- canvas        only the files whose name holds this
 */

/** What is left to `--all`: it takes long, or depends on what this package rarely changes. */
const ONLY_WITH_ALL = ['older', 'queue'];

const report = join(cache, 'report.json');

async function main() {
	const words = process.argv.slice(2);
	const names = words.filter((word) => !word.startsWith('--'));
	const all = words.includes('--all');
	const leftOut = all || names.length > 0 ? [] : ONLY_WITH_ALL;
	const started = performance.now();
	await prepare((suite) =>
		names.length > 0 ? names.some((name) => `${suite}.e2e.ts`.includes(name)) : !leftOut.includes(suite),
	);
	console.log(`Prepared in ${((performance.now() - started) / 1000).toFixed(0)} s`);

	forgetFacts();
	for (const left of [report, logs]) rmSync(left, { recursive: true, force: true });
	mkdirSync(logs);
	if (words.includes('--pictures')) process.env.E2E_PICTURES = join(project, 'docs/images');
	markRun();
	// What is interrupted cannot clean up after itself.
	const temporary = mkdtempSync(join(tmpdir(), 'n8n-e2e-'));
	chmodSync(temporary, 0o711); // PostgreSQL has a user of its own
	const jest = spawn(process.execPath, jestArguments(names, leftOut), {
		cwd: project,
		env: { ...process.env, TMPDIR: temporary },
		stdio: 'inherit',
	});
	const interrupted = endWithUs(jest);
	const [code] = (await once(jest, 'exit')) as [number | null];
	const left = await endProcesses();
	rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });

	if (interrupted()) {
		process.exitCode = 130;
		return;
	}
	if (code !== 0) {
		showLogs();
		process.exitCode = 1;
	} else if (left.length > 0) {
		throw new Error(`These went on after the tests and were ended:\n${left.join('\n')}`);
	}
	if (all && names.length === 0) {
		await writeResults(JSON.parse(readFileSync(report, 'utf8')) as Report, 'npm run e2e -- --all');
	}
}

function jestArguments(names: string[], leftOut: string[]): string[] {
	return [
		require.resolve('jest/bin/jest'),
		`--config=${join(__dirname, 'jest.config.js')}`,
		'--runInBand',
		'--verbose',
		'--json',
		`--outputFile=${report}`,
		...leftOut.map((name) => `--testPathIgnorePatterns=/${name}\\.e2e\\.ts$`),
		// Jest would also look for it in the names of the folders above.
		...names.map((name) => `/[^/]*${name}[^/]*\\.e2e\\.ts$`),
	];
}

/** Ctrl+C also reaches jest itself; a signal that was meant for this process alone is passed on. */
function endWithUs(child: ChildProcess): () => boolean {
	let interrupted = false;
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.on(signal, () => {
			interrupted = true;
			child.kill(signal);
		});
	}
	return () => interrupted;
}

function showLogs() {
	for (const name of readdirSync(logs)) {
		const lines = readFileSync(join(logs, name), 'utf8').trimEnd().split('\n');
		console.error(`\n${join(logs, name)} ends with:\n${lines.slice(-20).join('\n')}`);
	}
}

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
