import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { e2e } from '../support/folders';
import { readNotes } from '../support/notes';

/** The part of jest's report that goes into the results. */
export interface Report {
	numPassedTests: number;
	numFailedTests: number;
	/** Suites that could not be loaded. */
	numRuntimeErrorTestSuites: number;
	/** Milliseconds since 1970, as `endTime`. */
	startTime: number;
	testResults: Array<{
		/** The path of the suite. */
		name: string;
		endTime: number;
		assertionResults: Array<{ fullName: string; status: string; duration?: number | null }>;
	}>;
}

/** Writes RESULTS.md from jest's report and the notes of the suites. */
export async function writeResults(report: Report, command: string): Promise<void> {
	const minutes = (Math.max(...report.testResults.map(({ endTime }) => endTime)) - report.startTime) / 60_000;
	const head = new Map([
		['Machine', `${cpus().length} cores (${cpus()[0]?.model}), ${(totalmem() / 1e9).toFixed(0)} GB`],
		...readNotes(),
		['Date', new Date(report.startTime).toISOString().slice(0, 10)],
		['Command', `\`${command}\` (${minutes.toFixed(1)} minutes after the preparation)`],
	]);
	const suites = report.testResults.map(({ name, assertionResults }) =>
		[
			`## ${basename(name)}`,
			table(
				['What', 'Result', 'Seconds'],
				assertionResults.map(({ fullName, status, duration }) => [
					fullName,
					status,
					((duration ?? 0) / 1000).toFixed(1),
				]),
			),
		].join('\n\n'),
	);
	const text = [
		'# End-to-end results',
		`Written by \`${command}\`. ${report.numPassedTests} passed, ${report.numFailedTests + report.numRuntimeErrorTestSuites} failed.`,
		table(['', ''], [...head]),
		...suites,
	].join('\n\n');
	const file = join(e2e, 'RESULTS.md');
	writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

function table(head: string[], body: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
