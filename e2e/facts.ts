import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cache } from './folders';

const file = join(cache, 'facts.jsonl');

/** Tells something that belongs in the results, such as a version; what is told again replaces it. */
export function tell(what: string, value: string): void {
	appendFileSync(file, `${JSON.stringify([what, value])}\n`);
}

export function readFacts(): Array<[string, string]> {
	const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
	return lines.map((line) => JSON.parse(line) as [string, string]);
}

export function forgetFacts(): void {
	rmSync(file, { force: true });
}
