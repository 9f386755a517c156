import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';

import { cache } from './folders';

/** What is read of jest's report. */
export interface Report {
	numPassedTests: number;
	numFailedTests: number;
	/** Milliseconds since 1970, as all times here. */
	startTime: number;
	testResults: Array<{
		/** The file. */
		name: string;
		endTime: number;
		assertionResults: Array<{ fullName: string; status: string; duration?: number | null }>;
	}>;
}

const facts = join(cache, 'facts.jsonl');

/** Tells something that belongs in the results, such as a version; what is told again replaces it. */
export function tell(what: string, value: string): void {
	appendFileSync(facts, `${JSON.stringify([what, value])}\n`);
}

export function forgetFacts(): void {
	rmSync(facts, { force: true });
}

/** Writes RESULTS.md from jest's report and what the suites told. */
export function writeResults(report: Report, command: string): void {
	const told = existsSync(facts) ? readFileSync(facts, 'utf8').trim().split('\n') : [];
	const minutes = (Math.max(...report.testResults.map(({ endTime }) => endTime)) - report.startTime) / 60_000;
	const machine = new Map([
		['Machine', `${cpus().length} cores (${cpus()[0]?.model}), ${(totalmem() / 1e9).toFixed(0)} GB`],
		...told.map((line) => JSON.parse(line) as [string, string]),
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
		`Written by \`${command}\`. ${report.numPassedTests} passed, ${report.numFailedTests} failed.`,
		table(['', ''], [...machine]),
		...suites,
	].join('\n\n');
	writeFileSync(join(__dirname, 'RESULTS.md'), `${text}\n`);
}

function table(head: string[], body: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
