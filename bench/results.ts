import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { drawChart } from './chart';
import { machine, table, type Target, targetTable, version, writePart } from './document';
import type { CellResult, FreshResult, GrowthResult, N8nResult, RoundsResult, Sample } from './measure';
import { current } from './n8n';
import {
	compare,
	held,
	median,
	memoryOverN8n,
	peak,
	showSpread,
	spread,
	timePerItem,
	typicalPeak,
} from './statistics';

const COLUMNS = [
	'at once',
	'contender',
	'ms an item',
	'items a second',
	'time against the pooled build',
	'processor ms an item',
	'connections',
	'full TLS handshakes',
	'most calls under way',
	'peak memory, MB',
	'server busy',
];

const FRESH_COLUMNS = ['contender', 'ms', 'time against bare undici', 'processor ms'];

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
			label === 'pooled build' ? '1' : showSpread(compare(samples, label, 'pooled build')),
			median(runs.map(processorTimePerItem)).toFixed(2),
			...opened(result, label),
			String(Math.max(...runs.map(({ mostAtOnce }) => mostAtOnce))),
			peak(all).toFixed(0),
			serverBusy(runs),
		];
	});
}

export function printCell(result: CellResult): void {
	const { serviceTime, concurrency, items, rounds } = result.cell;
	const title = `${serviceTime} ms of service time, ${concurrency} at once, ${rounds} rounds of ${items} items`;
	print(title, [COLUMNS, ...rows(result)]);
}

export function printFresh(result: FreshResult): void {
	print('One item in a fresh process', [FRESH_COLUMNS, ...freshRows(result)]);
}

function print(title: string, table: string[][]) {
	console.log(`\n${title}`);
	const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
	for (const row of table)
		console.log(row.map((text, column) => text.padEnd(widths?.[column] ?? 0)).join('  '));
}

/** Writes what was measured on n8n's engine, and the plot of it. */
export async function writeEngine(
	results: CellResult[],
	growth: GrowthResult,
	minutes: number,
): Promise<void> {
	writeFileSync(join(__dirname, 'results.svg'), drawChart(results, growth));
	await writePart(
		"On n8n's engine",
		`${machine('npm run bench', minutes, onEngine())}

![Time an item, and what more items cost](results.svg)

${targetTable(engineTargets(results, growth))}

${[...new Set(results.map(({ cell }) => cell.serviceTime))].map((time) => section(time, results)).join('\n\n')}

### Growth

The pooled build at ${growth.plan.concurrency} calls at once and ${growth.plan.serviceTime} ms, each run in a process of its own. _Passing on_ is a
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
)}`,
	);
}

/** Writes what one item costs in a fresh process. */
export async function writeFresh(result: FreshResult, minutes: number): Promise<void> {
	const { plan, samples } = result;
	const overUndici = compare(samples, 'pooled build', 'bare undici');
	const target = "one item in a fresh process at most 1.5 times the bare undici's time";
	await writePart(
		'One item in a fresh process',
		`${machine('npm run bench -- --fresh', minutes, onEngine())}

${targetTable([[target, `${showSpread(overUndici)} times`, overUndici.median <= 1.5]])}

${plan.rounds} rounds, the service answers at once.

${table(FRESH_COLUMNS, freshRows(result))}`,
	);
}

function freshRows({ samples }: FreshResult): string[][] {
	return Object.entries(samples).map(([label, runs]) => [
		label,
		showSpread(spread(runs.map(({ time }) => time)), 0),
		label === 'bare undici' ? '1' : showSpread(compare(samples, label, 'bare undici')),
		median(runs.map(({ processorTime }) => processorTime)).toFixed(0),
	]);
}

/** Writes what was measured in a real n8n. */
export async function writeN8n(result: N8nResult, minutes: number): Promise<void> {
	const { cell, batchInterval, samples } = result;
	const overUndici = compare(samples, 'pooled build', 'bare undici');
	const http = compare(samples, 'HTTP Request', 'pooled build');
	const { concurrency, items, rounds, serviceTime } = cell;
	const own = most('connections', result, 'pooled build');
	await writePart(
		'In a real n8n',
		`${machine('npm run bench -- --n8n', minutes, [
			['n8n', version('n8n', current.folder)],
			['Node.js', execFileSync(current.node, ['--version'], { encoding: 'utf8' }).trim()],
		])}

${targetTable([
	["at most 1.12 times the bare undici's time", `${showSpread(overUndici)} times`, overUndici.median <= 1.12],
	["at least 3 times HTTP Request's throughput", `${showSpread(http)} times`, http.median >= 3],
	[`at most ${concurrency} connections`, `${own}`, own <= concurrency],
])}

${rounds} rounds of ${items.toLocaleString('en')} items, ${concurrency} at once, ${serviceTime} ms of service time, HTTP Request with ${batchInterval} ms between its
batches.

${table(
	[
		'contender',
		'seconds',
		'ms an item',
		'items a second',
		'time against bare undici',
		'time against the pooled build',
		'processor ms an item',
		'connections',
		'full TLS handshakes',
		'most calls under way',
		'peak memory, MB',
		'server busy',
	],
	Object.entries(samples).map(([label, runs]) => {
		const time = timePerItem(runs);
		const against = (other: string) => (label === other ? '1' : showSpread(compare(samples, label, other)));
		return [
			label,
			((time * items) / 1000).toFixed(2),
			time.toFixed(2),
			(1000 / time).toFixed(0),
			against('bare undici'),
			against('pooled build'),
			median(runs.map(processorTimePerItem)).toFixed(2),
			...opened(result, label),
			String(Math.max(...runs.map(({ mostAtOnce }) => mostAtOnce))),
			peak(runs).toFixed(0),
			serverBusy(runs),
		];
	}),
)}`,
	);
}

function section(time: number, results: CellResult[]): string {
	const here = results.filter(({ cell }) => cell.serviceTime === time);
	const notes = here.map(
		({ cell, batchInterval }) =>
			`- ${cell.concurrency} at once: ${cell.rounds} rounds of ${cell.items} items, HTTP Request with ${batchInterval} ms between its batches`,
	);
	return `### ${time} ms of service time

${table(COLUMNS, here.flatMap(rows))}

${notes.join('\n')}`;
}

function growthRows({ plan, samples }: GrowthResult): string[][] {
	return samples.map(({ pooled, passOn, makeUp }, index) => [
		(plan.sizes[index]?.items ?? NaN).toLocaleString('en'),
		String(pooled.length),
		timePerItem(pooled).toFixed(3),
		median(pooled.map(processorTimePerItem)).toFixed(3),
		...[pooled, passOn, makeUp].map((runs) => typicalPeak(runs).toFixed(0)),
		(typicalPeak(pooled) - typicalPeak(passOn)).toFixed(0),
		...[pooled, passOn, makeUp].map((runs) => held(runs).toFixed(0)),
	]);
}

function engineTargets(results: CellResult[], growth: GrowthResult): Target[] {
	const tenAtOnce = (serviceTime: number) => {
		const found = results.find(({ cell }) => cell.serviceTime === serviceTime && cell.concurrency === 10);
		if (!found) throw new Error('A cell of the targets was not measured');
		return { ...found, own: found.samples['pooled build'] ?? [] };
	};
	const [fast, slow] = [tenAtOnce(0), tenAtOnce(20)];
	const overhead = compare(fast.samples, 'pooled build', 'bare undici');
	const processor = median(fast.own.map(processorTimePerItem));
	const waiting = compare(slow.samples, 'pooled build', 'bare undici');
	const connections = most('connections', slow, 'pooled build');
	const times = growth.samples.map(({ pooled }) => timePerItem(pooled));
	const grown = ((times[3] ?? NaN) / (times[1] ?? NaN) - 1) * 100;
	const memory = memoryOverN8n(growth)[3] ?? { median: NaN, low: NaN, high: NaN };
	return [
		[
			"10 at once, 0 ms: at most 2.2 times the bare undici's time",
			`${showSpread(overhead)} times`,
			overhead.median <= 2.2,
		],
		[
			'10 at once, 0 ms: at most 0.5 ms of processor time an item',
			`${processor.toFixed(2)} ms`,
			processor <= 0.5,
		],
		[
			"10 at once, 20 ms: at most 1.2 times the bare undici's time",
			`${showSpread(waiting)} times`,
			waiting.median <= 1.2,
		],
		['10 at once, 20 ms: at most 10 connections', `${connections}`, connections <= 10],
		[
			'time an item at 100,000 items within 15 % of that at 1,000',
			`${grown >= 0 ? '+' : '−'}${Math.abs(grown).toFixed(1)} %`,
			Math.abs(grown) <= 15,
		],
		[
			"at 100,000 items at most 200 MB over n8n's own memory",
			`${showSpread(memory, 0)} MB`,
			memory.median <= 200,
		],
	];
}

const processorTimePerItem = ({ processorTime, items }: Pick<Sample, 'processorTime' | 'items'>) =>
	processorTime / items;

/** The most connections and full TLS handshakes that a single run took, the unmeasured one included. */
function opened(result: RoundsResult<unknown>, label: string): string[] {
	return [most('connections', result, label), most('fullHandshakes', result, label)].map(String);
}

function most(
	count: 'connections' | 'fullHandshakes',
	{ samples, cold }: RoundsResult<unknown>,
	label: string,
): number {
	const all = [cold[label], ...(samples[label] ?? [])];
	return Math.max(...all.map((sample) => sample?.[count] ?? NaN));
}

/** How much of the time the server computed. */
function serverBusy(runs: Array<{ serverTime: number; time: number }>): string {
	return `${(100 * median(runs.map(({ serverTime, time }) => serverTime / time))).toFixed(0)} %`;
}

function onEngine(): string[][] {
	return [
		['Node.js', process.version],
		['n8n-core', version('n8n-core')],
		['n8n-nodes-base', version('n8n-nodes-base', __dirname)],
	];
}
