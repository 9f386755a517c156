import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

import { format, resolveConfig } from 'prettier';

const project = resolve(__dirname, '..');
const file = join(__dirname, 'RESULTS.md');

/** The parts of RESULTS.md in their order. Each is written by itself and leaves the others as they are. */
const PARTS = ["On n8n's engine", 'One item in a fresh process', 'In a real n8n'] as const;

const HEAD = `# Results

Each part is written by the command that it names. [README.md](README.md) tells what is measured, how, and what stands in
the way of targets that were missed. The targets are those of the pooled build. Ratios are medians of the rounds' own ratios,
with the lowest and the highest of them.
`;

/** Replaces one part of RESULTS.md. @param body what comes below its heading */
export async function writePart(part: (typeof PARTS)[number], body: string): Promise<void> {
	const written = new Map(
		readFileSync(file, 'utf8')
			.split(/^## /m)
			.slice(1)
			.map((text) => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n'))]),
	);
	written.set(part, `\n\n${body}\n`);
	const parts = PARTS.flatMap((title) => (written.has(title) ? `## ${title}${written.get(title)}` : []));
	const options = await resolveConfig(file);
	writeFileSync(file, await format([HEAD, ...parts].join('\n'), { ...options, parser: 'markdown' }));
}

export function table(head: string[], body: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

/** Where and when a part was measured. */
export function machine(command: string, minutes: number, versions: string[][]): string {
	return table(
		['', ''],
		[
			['Machine', `${cpus().length} cores (${cpus()[0]?.model}), ${(totalmem() / 1e9).toFixed(0)} GB`],
			...versions,
			['undici', version('undici')],
			['Date', new Date().toISOString().slice(0, 10)],
			['Command', `\`${command}\` (${minutes.toFixed(0)} minutes)`],
		],
	);
}

/** The version of a package that is installed in a folder: in that of this project when left out. */
export function version(name: string, folder = project): string {
	const manifest = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
	return (JSON.parse(manifest) as { version: string }).version;
}

/** What was promised, what was measured, and whether that keeps the promise. */
export type Target = [what: string, measured: string, reached: boolean];

export function targetTable(targets: Target[]): string {
	return table(
		['target', 'measured', 'reached'],
		targets.map(([what, measured, reached]) => [what, measured, reached ? 'yes' : 'no']),
	);
}
