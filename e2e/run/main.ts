import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cache, e2e, logs, project } from '../support/folders';
import { clearNotes } from '../support/notes';
import { prepare } from './prepare';
import { endProcesses, markRun } from './processes';
import { type Report, writeResults } from './results';

/*
 * Tests the package in a real n8n and a real browser: see e2e/README.md.
 *
 *   npm run e2e                  what CI runs
 *   npm run e2e -- --all         all suites with all their tests; writes RESULTS.md
 *   npm run e2e -- --pictures    also writes the pictures of the documentation, to docs/images/
 *   npm run e2e -- canvas        only the suites whose file name contains this word, with all their tests
 */

/** Suites that only `--all` runs. They take long, and changes of this package rarely concern them. */
const ONLY_WITH_ALL = ['install', 'older', 'queue', 'schedule'];

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

	// Suites note versions and figures with note(). results.ts writes these notes into RESULTS.md.
	clearNotes();
	for (const left of [report, logs]) rmSync(left, { recursive: true, force: true });
	mkdirSync(logs);
	const pictures = words.includes('--pictures');
	if (pictures) process.env.E2E_PICTURES = join(project, 'docs/images');
	// See support/seldom.ts.
	if (all || pictures || names.length > 0) process.env.E2E_SELDOM = 'true';
	markRun();
	// A temporary folder of its own, because an interrupted test does not remove its files.
	const temporary = mkdtempSync(join(tmpdir(), 'n8n-e2e-'));
	chmodSync(temporary, 0o711); // the user of PostgreSQL enters it
	const jest = spawn(process.execPath, jestArguments(names, leftOut), {
		cwd: project,
		env: { ...process.env, TMPDIR: temporary },
		stdio: 'inherit',
	});
	const interrupted = forwardSignals(jest);
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
		throw new Error(
			`These processes were left running by the tests, and have been killed:\n${left.join('\n')}`,
		);
	}
	if (all && names.length === 0) {
		await writeResults(JSON.parse(readFileSync(report, 'utf8')) as Report, 'npm run e2e -- --all');
	}
}

function jestArguments(names: string[], leftOut: string[]): string[] {
	return [
		require.resolve('jest/bin/jest'),
		`--config=${join(e2e, 'jest.config.js')}`,
		'--runInBand',
		'--verbose',
		'--json',
		`--outputFile=${report}`,
		...leftOut.map((name) => `--testPathIgnorePatterns=/${name}\\.e2e\\.ts$`),
		// A plain word would also match the names of parent folders.
		...names.map((name) => `/[^/]*${name}[^/]*\\.e2e\\.ts$`),
	];
}

/** Forwards signals to jest. Only Ctrl+C reaches jest by itself. @returns whether there was a signal */
function forwardSignals(child: ChildProcess): () => boolean {
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
