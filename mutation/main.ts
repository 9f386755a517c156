import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { changedSince, instrumentProject, type Mutant } from './instrument';
import { type Outcome, section, withSection } from './results';
import { type Run, share, Worker } from './workers';

/*
 * Changes the sources in one place after the other and sees whether a test fails: see README.md in this folder.
 *
 *   npm run mutation                       all sources; takes hours
 *   npm run mutation -- pace tokens        sources whose path contains one of these
 *   npm run mutation -- --since <commit>   sources that changed since
 *   npm run mutation -- --tests pace pace  with the test files alone whose path contains this; may be repeated
 */

/** A change that no test can see, since the code does the same with it. */
interface Equivalent {
	file: string;
	/** The source's line, without indentation: line numbers move. */
	line: string;
	mutant: string;
	reason: string;
}

/** What is to run to see one mutant. */
interface Cover {
	file: string;
	/** The tests that reach it. */
	tests: string[];
	/** All tests of the file that pass without a mutant. */
	all: string[];
	/** How long it takes without a mutant, in milliseconds. */
	time: number;
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		since: { type: 'string' },
		tests: { type: 'string', multiple: true, default: [''] },
	},
});
const changed = values.since === undefined ? undefined : changedSince(values.since);

const isWanted = (file: string) =>
	(!changed || changed.includes(file)) &&
	(!positionals.length || positionals.some((part) => file.includes(part)));

const equivalents = JSON.parse(readFileSync(join(__dirname, 'equivalents.json'), 'utf8')) as Equivalent[];

const isEquivalent = ({ file, sourceLine, replacement }: Mutant) =>
	equivalents.some((one) => one.file === file && one.line === sourceLine && one.mutant === replacement);

async function main() {
	const { folder, mutants, testFiles } = await instrumentProject(isWanted);
	// Most tests wait for sockets and clocks, so a processor serves more than one.
	const workers = Array.from({ length: Math.ceil(1.5 * availableParallelism()) }, () => new Worker(folder));
	process.once('exit', () => {
		for (const worker of workers) worker.close();
		rmSync(folder, { recursive: true, force: true });
	});
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
	const clean = await runClean(
		workers,
		testFiles.filter((file) => values.tests.some((part) => file.includes(part))),
	);
	const outcomes: Outcome[] = [];
	const wanted = mutants.filter((mutant) => !isEquivalent(mutant));
	console.log(`${wanted.length} mutants`);
	const passesClean = cleanRuns();
	const parts = reaches(clean, mutants);
	await share(workers, wanted, async (worker, mutant) => {
		const start = performance.now();
		const status = await tryMutant(worker, mutant, covers(clean, mutant.id), passesClean, parts);
		outcomes.push({ ...mutant, status });
		const seconds = ((performance.now() - start) / 1000).toFixed(1);
		const { file, line, mutator, replacement } = mutant;
		console.log(
			`${outcomes.length} ${status} in ${seconds} s: ${file}:${line} ${mutator} ${replacement.slice(0, 60)}`,
		);
		const ofFile = outcomes.filter((one) => one.file === file);
		if (ofFile.length < wanted.filter((one) => one.file === file).length) return;
		ofFile.sort((one, other) => Number(one.id) - Number(other.id));
		write(file, ofFile, mutants.filter((one) => one.file === file).length - ofFile.length);
	});
	process.exit();
}

/** As soon as a source is done: the rest may take hours. */
function write(file: string, outcomes: Outcome[], equivalents: number) {
	const results = join(__dirname, 'RESULTS.md');
	const text = section(file, outcomes, equivalents);
	const isThere = (source: string) => existsSync(join(__dirname, '..', source));
	writeFileSync(results, withSection(readFileSync(results, 'utf8'), file, text, isThere));
	console.log(`\n${text}\n`);
}

/** Runs all tests without a mutant: which of them reach which mutants, and how long they take. */
async function runClean(workers: Worker[], testFiles: string[]) {
	const clean = new Map<string, Run>();
	await share(workers, testFiles, async (worker, file) => {
		const run = await worker.run({ file }, 300_000);
		if (!run) throw new Error(`${file} does not end without a mutant`);
		if (!run.passed) console.log(`Left out, as failing without a mutant: ${file}\n${run.messages}`);
		clean.set(file, run);
	});
	return clean;
}

/** The tests that reach a mutant. */
function covers(clean: Map<string, Run>, id: string) {
	const covers: Cover[] = [];
	for (const [file, { outsideTests, perTest, durations, failed, time }] of clean) {
		const all = Object.keys(durations).filter((test) => !failed.includes(test));
		const tests = outsideTests.includes(id) ? all : all.filter((test) => perTest[test]?.includes(id));
		if (!tests.length) continue;
		const sum = (names: string[]) => names.reduce((total, test) => total + (durations[test] ?? 0), 0);
		covers.push({ file, tests, all, time: time - sum(Object.keys(durations)) + sum(tests) });
	}
	return covers;
}

/** Tells whether a test of a file passes without a mutant when the others are left out; asks once for each. */
function cleanRuns() {
	const known = new Map<string, boolean>();
	return async (worker: Worker, { file, tests, all, time }: Cover, failed: string[]) => {
		if (tests.length === all.length) return true;
		const key = JSON.stringify([file, failed]);
		const passes =
			known.get(key) ?? (await worker.run({ file, tests: failed }, limit(time)))?.passed ?? false;
		known.set(key, passes);
		return passes;
	};
}

/** Three times what it takes, and more for a busy machine. */
const limit = (time: number) => 3 * time + 5_000;

/** How many mutants of a source a test file has found. What found the last ones finds the next sooner. */
const kills = new Map<string, number>();

/** The part of a source's mutants that a test file reaches: a file that is about the source reaches most of them. */
function reaches(clean: Map<string, Run>, mutants: Mutant[]) {
	const parts = new Map<string, number>();
	for (const source of new Set(mutants.map(({ file }) => file))) {
		const ids = mutants.filter((one) => one.file === source).map(({ id }) => id);
		for (const [file, { outsideTests, perTest }] of clean) {
			const reached = new Set([...outsideTests, ...Object.values(perTest).flat()]);
			parts.set(`${source} ${file}`, ids.filter((id) => reached.has(id)).length / ids.length);
		}
	}
	return parts;
}

async function tryMutant(
	worker: Worker,
	{ id: mutant, file: source }: Mutant,
	covers: Cover[],
	passesClean: ReturnType<typeof cleanRuns>,
	parts: ReturnType<typeof reaches>,
): Promise<Outcome['status']> {
	const likelihood = (pair: string) => (parts.get(pair) ?? 0) ** 2 * (1 + 20 * (kills.get(pair) ?? 0));
	const rank = ({ file, time }: Cover) => time / likelihood(`${source} ${file}`);
	for (const cover of covers.sort((a, b) => rank(a) - rank(b))) {
		const { file, tests, all, time } = cover;
		let run = await worker.run({ file, tests, mutant }, limit(time));
		if (run?.passed) continue;
		// Tests that need the ones before them say nothing when they are alone.
		if (run && !(await passesClean(worker, cover, run.failed))) {
			run = await worker.run({ file, tests: all, mutant }, limit(120_000));
			if (run?.passed) continue;
		}
		const pair = `${source} ${file}`;
		kills.set(pair, (kills.get(pair) ?? 0) + 1);
		return run ? 'killed' : 'timeout';
	}
	return covers.length ? 'survived' : 'no coverage';
}

void main();
