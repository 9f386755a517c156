import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** What n8n's `analyzePackage` answers. `details` is the report of ESLint's formatter `stylish`. */
export interface ScanResult {
	passed: boolean;
	message?: string;
	details?: string;
}

/**
 * The findings of a scan, one a line: `file:line rule message`, the file relative to the scanned folder. A result that
 * did not pass has at least one. Warnings are no findings: they do not fail n8n's scan.
 */
export function readFindings({ passed, message, details }: ScanResult, folder: string): string[] {
	if (passed) return [];
	const report = stripVTControlCharacters(details ?? '');
	const findings: string[] = [];
	let file = '';
	for (const line of report.split('\n')) {
		if (line.startsWith(folder)) file = relative(folder, line);
		// A fault of syntax has no rule.
		const [, row, words, rule] = /^ +(\d+):\d+ +error +(.*?)(?: {2,}(\S+))? *$/.exec(line) ?? [];
		if (row) findings.push([`${file}:${row}`, rule, words].filter(Boolean).join(' '));
	}
	return findings.length > 0 ? findings : [report || (message ?? 'The scan gave no reason')];
}
