import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { drawChart } from './chart';
import type { CellResult, GrowthResult } from './measure';
import {
	compare,
	held,
	median,
	memoryOverN8n,
	peak,
	showSpread,
	timePerItem,
	typicalPeak,
} from './statistics';

const project = resolve(__dirname, '..');

const COLUMNS = [
	'at once',
	'contender',
	'ms an item',
	'items a second',
	'time against this node',
	'processor ms an item',
	'connections',
	'most calls under way',
	'peak memory, MB',
	'server busy',
];

function rows(result: CellResult): string[][] {
	const { cell, samples, cold } = result;
	return Object.entries(samples).map(([label, runs]) => {
		const all = [cold[label], ...runs].flatMap((sample) => sample ?? []);
		const time = timePerItem(runs);
		return [
			String(cell.concurrency),
			label,
			time.toFixed(2),
			(1000 / time).toFixed(0),
			label === 'this node' ? '1' : showSpread(compare(result, label, 'this node')),
			median(runs.map(({ processorTime, items }) => processorTime / items)).toFixed(2),
			String(Math.max(...all.map(({ connections }) => connections))),
			String(Math.max(...runs.map(({ mostAtOnce }) => mostAtOnce))),
			peak(all).toFixed(0),
			`${(100 * median(runs.map(({ serverTime, time: whole }) => serverTime / whole))).toFixed(0)} %`,
		];
	});
}

export function printCell(result: CellResult): void {
	const { serviceTime, concurrency, items, rounds } = result.cell;
	console.log(
		`\n${serviceTime} ms of service time, ${concurrency} at once, ${rounds} rounds of ${items} items`,
	);
	const table = [COLUMNS, ...rows(result)];
	const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
	for (const row of table)
		console.log(row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
}

/** Writes RESULTS.md and its plot. */
export async function writeResults(
	results: CellResult[],
	growth: GrowthResult,
	minutes: number,
): Promise<void> {
	const text = `# Results

Written by \`npm run bench\`; [README.md](README.md) tells what is measured, how, and what stands in the way of
the targets that were missed.

${table(['', ''], machine(minutes))}

![Time an item, and what more items cost](results.svg)

## Targets

At 10 calls at once and 20 ms of service time. Ratios are medians of the rounds' own ratios, with the lowest and
the highest of them.

${table(['target', 'measured', 'reached'], targets(results, growth))}

${[...new Set(results.map(({ cell }) => cell.serviceTime))].map((time) => section(time, results)).join('\n\n')}

## Growth

This node at ${growth.plan.concurrency} calls at once and ${growth.plan.serviceTime} ms, each run in a process of its own. _Passing on_ is a
node that gives out the items that it got: n8n's own memory for the same items. _Making up_ is a node that makes
items like the answers without a call. _Peak_ is what the process took at most, garbage included, which
varies by chance: the median of the runs. _Held_ is what its heap still held at the end.

${table(
	[
		'items',
		'runs',
		'ms an item',
		'processor ms an item',
		'peak, MB',
		'passing on',
		'making up',
		'over passing on',
		'held, MB',
		'passing on',
		'making up',
	],
	growthRows(growth),
)}
`;
	const options = await resolveConfig(join(__dirname, 'RESULTS.md'));
	writeFileSync(join(__dirname, 'RESULTS.md'), await format(text, { ...options, parser: 'markdown' }));
	writeFileSync(join(__dirname, 'results.svg'), drawChart(results, growth));
}

function section(time: number, results: CellResult[]): string {
	const here = results.filter(({ cell }) => cell.serviceTime === time);
	const notes = here.map(
		({ cell, batchInterval }) =>
			`- ${cell.concurrency} at once: ${cell.rounds} rounds of ${cell.items} items, HTTP Request with ${batchInterval} ms between its batches`,
	);
	return `## ${time} ms of service time

${table(COLUMNS, here.flatMap(rows))}

${notes.join('\n')}`;
}

function growthRows({ plan, samples }: GrowthResult): string[][] {
	return samples.map(({ node, passOn, makeUp }, index) => [
		(plan.sizes[index]?.items ?? NaN).toLocaleString('en'),
		String(node.length),
		timePerItem(node).toFixed(3),
		median(node.map(({ processorTime, items }) => processorTime / items)).toFixed(3),
		...[node, passOn, makeUp].map((runs) => typicalPeak(runs).toFixed(0)),
		(typicalPeak(node) - typicalPeak(passOn)).toFixed(0),
		...[node, passOn, makeUp].map((runs) => held(runs).toFixed(0)),
	]);
}

function targets(results: CellResult[], growth: GrowthResult): string[][] {
	const target = results.find(({ cell }) => cell.serviceTime === 20 && cell.concurrency === 10);
	if (!target) throw new Error('The cell of the targets was not measured');
	const http = compare(target, 'HTTP Request', 'this node');
	const undici = compare(target, 'this node', 'bare undici');
	const runs = [target.cold['this node'], ...(target.samples['this node'] ?? [])].flatMap((run) => run ?? []);
	const connections = Math.max(...runs.map((run) => run.connections));
	const times = growth.samples.map(({ node }) => timePerItem(node));
	const grown = ((times[3] ?? NaN) / (times[1] ?? NaN) - 1) * 100;
	const memory = memoryOverN8n(growth)[3] ?? { median: NaN, low: NaN, high: NaN };
	const row = (what: string, measured: string, reached: boolean) => [what, measured, reached ? 'yes' : 'no'];
	return [
		row("at least 2.5 times HTTP Request's throughput", `${showSpread(http)} times`, http.median >= 2.5),
		row("at most 1.2 times the bare undici's time", `${showSpread(undici)} times`, undici.median <= 1.2),
		row('at most 10 connections', `${connections}`, connections <= 10),
		row(
			'time an item at 100,000 items within 15 % of that at 1,000',
			`${grown >= 0 ? '+' : '−'}${Math.abs(grown).toFixed(1)} %`,
			Math.abs(grown) <= 15,
		),
		row(
			"at 100,000 items at most 200 MB over n8n's own memory",
			`${showSpread(memory, 0)} MB`,
			memory.median <= 200,
		),
	];
}

function machine(minutes: number): string[][] {
	const version = (name: string, folder = project) =>
		(
			JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as {
				version: string;
			}
		).version;
	return [
		['Machine', `${cpus().length} cores (${cpus()[0]?.model}), ${(totalmem() / 1e9).toFixed(0)} GB`],
		['Node.js', process.version],
		['n8n-core', version('n8n-core')],
		['n8n-nodes-base', version('n8n-nodes-base', __dirname)],
		['undici', version('undici')],
		['Date', new Date().toISOString().slice(0, 10)],
		['Command', `\`npm run bench\` (${minutes.toFixed(0)} minutes)`],
	];
}

function table(head: string[], body: string[][]): string {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
