import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loopbackCertificate } from '../test/support/cloud/certificate';
import { unpackBuilds } from './builds';
import {
	type Cell,
	type Entrant,
	type FreshPlan,
	measureCell,
	measureFresh,
	measureGrowth,
	measureN8n,
	type Server,
	startServer,
} from './measure';
import { printCell, printFresh, writeEngine, writeFresh, writeN8n } from './results';

/*
 * Compares both builds of this package with other ways to make the same calls: see README.md in this folder.
 *
 *   npm run bench              on n8n's engine, and one item in a fresh process; takes about 15 minutes
 *   npm run bench -- --fresh   only the second of these; takes about 3 minutes
 *   npm run bench -- --n8n     in a real n8n; takes about 10 minutes
 *   npm run bench -- --smoke   a few items; writes nothing; takes seconds
 *
 * Each but the last writes its part of RESULTS.md.
 */

const entrants: FreshPlan['entrants'] = [
	{ label: 'pooled build', contender: 'pooled' },
	{ label: 'verifiable build', contender: 'verifiable' },
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
	{ serviceTime: 0, concurrency: 1, items: 500, rounds: 3, entrants },
	{ serviceTime: 0, concurrency: 10, items: 1_500, rounds: 11, entrants },
	{ serviceTime: 0, concurrency: 50, items: 500, rounds: 3, entrants },
	{ serviceTime: 20, concurrency: 1, items: 60, rounds: 3, entrants },
	{ serviceTime: 20, concurrency: 10, items: 500, rounds: 7, entrants: [...entrants, ...unlimited] },
	{ serviceTime: 20, concurrency: 50, items: 500, rounds: 3, entrants },
	{ serviceTime: 100, concurrency: 1, items: 15, rounds: 3, entrants },
	{ serviceTime: 100, concurrency: 10, items: 150, rounds: 3, entrants },
	{ serviceTime: 100, concurrency: 50, items: 500, rounds: 3, entrants },
];

const growth = {
	serviceTime: 20,
	concurrency: 10,
	sizes: [
		{ items: 100, rounds: 3 },
		{ items: 1_000, rounds: 3 },
		{ items: 10_000, rounds: 2 },
		{ items: 100_000, rounds: 1 },
	],
};

const fresh: FreshPlan = {
	rounds: 15,
	entrants,
};

const realN8n: Cell = { serviceTime: 20, concurrency: 10, items: 1_500, rounds: 11, entrants };

const hasBenchPackages = () =>
	['n8n-nodes-base', 'echarts'].every((name) => existsSync(join(__dirname, 'node_modules', name)));

/** What the command line asks for. */
async function measure(server: Server, words: string[]) {
	if (words.includes('--smoke')) return await smoke(server);
	const minutes = stopwatch();
	if (words.includes('--n8n')) return await writeN8n(await measureN8n(server, realN8n), minutes());
	if (!hasBenchPackages()) execFileSync('npm', ['ci'], { cwd: __dirname, stdio: 'inherit' });
	await writeFresh(await measureFresh(server, fresh), minutes());
	if (!words.includes('--fresh')) await measureEngine(server);
}

async function smoke(server: Server) {
	const without = hasBenchPackages() ? undefined : 'httpRequest';
	if (without) console.log('Without the HTTP Request node: it is installed by a whole run only');
	const there = ({ contender }: { contender: string }) => contender !== without;
	const cell = { serviceTime: 20, concurrency: 10, items: 50, rounds: 2, entrants: entrants.filter(there) };
	const result = await measureCell(server, cell);
	printCell(result);
	const quick = fresh.entrants.filter(({ contender }) => contender !== 'httpRequest');
	printFresh(await measureFresh(server, { rounds: 1, entrants: quick }));
	const opened = (label: string) => (result.samples[label] ?? []).map(({ connections }) => connections);
	const most = Math.max(...opened('pooled build'));
	if (most > cell.concurrency)
		throw new Error(`The pooled build opened ${most} connections for ten calls at once`);
	// As long as n8n's helper has one for each request. With fewer the figures would be those of another build.
	const fewest = Math.min(...opened('verifiable build'));
	if (fewest < cell.items)
		throw new Error(`The verifiable build opened ${fewest} connections for ${cell.items} items`);
}

async function measureEngine(server: Server) {
	const minutes = stopwatch();
	const results = [];
	for (const cell of cells) {
		const result = await measureCell(server, cell);
		printCell(result);
		results.push(result);
	}
	await writeEngine(results, await measureGrowth(server, growth), minutes());
}

/** @returns the minutes since it was made */
function stopwatch(): () => number {
	const started = performance.now();
	return () => (performance.now() - started) / 60_000;
}

async function main() {
	const folder = mkdtempSync(join(tmpdir(), 'bench-'));
	// Every process that is started from here on trusts the service.
	process.env.NODE_EXTRA_CA_CERTS = join(folder, 'certificate.pem');
	writeFileSync(process.env.NODE_EXTRA_CA_CERTS, loopbackCertificate.cert);
	unpackBuilds();
	const server = await startServer();
	try {
		await measure(server, process.argv.slice(2));
	} finally {
		await server.close();
		rmSync(folder, { recursive: true });
	}
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
