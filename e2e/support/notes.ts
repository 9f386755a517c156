import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cache } from './folders';

/** A file, because suites and the command that writes the results are separate processes. */
const file = join(cache, 'notes.jsonl');

/** Notes a fact for the head of RESULTS.md, such as a version. A later note with the same title replaces it. */
export function note(title: string, text: string): void {
	appendFileSync(file, `${JSON.stringify([title, text])}\n`);
}

/** All notes as `[title, text]`, in the order in which they were taken. */
export function readNotes(): Array<[string, string]> {
	const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
	return lines.map((line) => JSON.parse(line) as [string, string]);
}

export function clearNotes(): void {
	rmSync(file, { force: true });
}
