import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { type Cell, type Entrant, measureCell, measureGrowth, startServer } from './measure';
import { printCell, writeResults } from './results';

/*
 * Compares this node with other ways to make the same calls: see README.md in this folder.
 *
 *   npm run bench              everything; writes RESULTS.md and results.svg; takes about 25 minutes
 *   npm run bench -- --smoke   a few items in one cell; writes nothing; takes seconds
 */

const entrants: Entrant[] = [
	{ label: 'this node', contender: 'node' },
	{ label: "n8n's helper", contender: 'helper' },
	{ label: 'HTTP Request', contender: 'httpRequest' },
	{ label: 'bare undici', contender: 'undici' },
];

/** The cell that the targets are about also shows what HTTP Request does when it need not keep to ten at once. */
const unlimited: Entrant[] = [
	{ label: 'HTTP Request, a batch each 20 ms', contender: 'httpRequest', batchInterval: 20 },
	{ label: 'HTTP Request, all at once', contender: 'httpRequest', batchInterval: 0 },
];

/** Enough items for about a second, so that slow cells take no hours and fast ones are no guess. */
const cells: Cell[] = [
	{ serviceTime: 0, concurrency: 1, items: 500, rounds: 5, entrants },
	{ serviceTime: 0, concurrency: 10, items: 500, rounds: 5, entrants },
	{ serviceTime: 0, concurrency: 50, items: 500, rounds: 5, entrants },
	{ serviceTime: 20, concurrency: 1, items: 60, rounds: 5, entrants },
	{ serviceTime: 20, concurrency: 10, items: 500, rounds: 11, entrants: [...entrants, ...unlimited] },
	{ serviceTime: 20, concurrency: 50, items: 500, rounds: 5, entrants },
	{ serviceTime: 100, concurrency: 1, items: 15, rounds: 5, entrants },
	{ serviceTime: 100, concurrency: 10, items: 150, rounds: 5, entrants },
	{ serviceTime: 100, concurrency: 50, items: 500, rounds: 5, entrants },
];

const growth = {
	serviceTime: 20,
	concurrency: 10,
	sizes: [
		{ items: 100, rounds: 5 },
		{ items: 1_000, rounds: 5 },
		{ items: 10_000, rounds: 3 },
		{ items: 100_000, rounds: 3 },
	],
};

const hasBenchPackages = () =>
	['n8n-nodes-base', 'echarts'].every((name) => existsSync(join(__dirname, 'node_modules', name)));

async function main() {
	if (!process.argv.includes('--smoke')) return await measureAll();
	const without = hasBenchPackages() ? undefined : 'httpRequest';
	if (without) console.log('Without the HTTP Request node: it is installed by a whole run only');
	await smoke(entrants.filter(({ contender }) => contender !== without));
}

async function smoke(smokeEntrants: Entrant[]) {
	const server = await startServer();
	const cell = { serviceTime: 20, concurrency: 10, items: 50, rounds: 2, entrants: smokeEntrants };
	const result = await measureCell(server, cell);
	await server.close();
	printCell(result);
	const opened = Math.max(...(result.samples['this node'] ?? []).map(({ connections }) => connections));
	if (opened > cell.concurrency)
		throw new Error(`This node opened ${opened} connections for ten calls at once`);
}

async function measureAll() {
	if (!hasBenchPackages()) execFileSync('npm', ['ci'], { cwd: __dirname, stdio: 'inherit' });
	const started = performance.now();
	const server = await startServer();
	const results = [];
	for (const cell of cells) {
		const result = await measureCell(server, cell);
		printCell(result);
		results.push(result);
	}
	const growthResult = await measureGrowth(server, growth);
	await server.close();
	await writeResults(results, growthResult, (performance.now() - started) / 60_000);
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
