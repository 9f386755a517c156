import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { main as entry, name, version } from '../package.json';
import { readFindings, type ScanResult } from './findings';
import { checkOut, install, unpack } from './folders';
import { dependencies as scans } from './package.json';

/*
 * Runs n8n's scan of community packages without the network: see docs/decisions/verification-scan.md.
 *
 *   npm run scan                the sources, and the verifiable tarball that npm run release:pack writes
 *   npm run scan -- <tarball>   the sources, and another tarball
 */

/** What is used of the scan's `scanner.mjs`. */
interface Scanner {
	SOURCE_FILE_PATTERNS: string[];
	analyzePackage(folder: string, patterns: string[]): Promise<ScanResult>;
	buildScanConfig(): Promise<Array<{ plugins?: Record<string, { meta?: { version?: string } }> }>>;
	findPackageRoot(folder: string, packageName: string): string | null;
}

interface Part {
	label: string;
	folder: string;
	patterns: string[];
	/** A file that the scan has to look at, relative to the folder. */
	file: string;
}

const project = resolve(__dirname, '..');

async function main(work: string) {
	const tarball = resolve(process.argv[2] ?? join(project, `release/${name}-${version}.tgz`));
	if (!existsSync(tarball)) throw new Error(`${tarball} is missing. Run npm run release:pack first.`);
	install(__dirname);
	const sources = join(work, 'sources');
	const unpacked = join(work, 'unpacked');
	checkOut(project, sources);
	unpack(tarball, unpacked);

	for (const [plugin, scanner] of await loadScanners()) {
		const parts: Part[] = [
			{
				label: 'sources',
				folder: scanner.findPackageRoot(sources, name) ?? sources,
				patterns: scanner.SOURCE_FILE_PATTERNS,
				file: entry.replace(/^dist\//, '').replace(/\.js$/, '.ts'),
			},
			// The patterns stand in the scan's analyzePackageByName.
			{ label: basename(tarball), folder: unpacked, patterns: ['**/*.js', 'package.json'], file: entry },
		];
		for (const part of parts) {
			const findings = await scan(scanner, part);
			for (const finding of findings) console.log(finding);
			console.log(`${part.label}, plugin ${plugin}: ${findings.length} findings`);
			if (findings.length > 0) process.exitCode = 1;
		}
	}
}

/** @returns n8n's scan by the version of the plugin that it runs, one of them the plugin of `npm run lint` */
async function loadScanners(): Promise<Map<string, Scanner>> {
	const scanners = new Map<string, Scanner>();
	for (const installed of Object.keys(scans)) {
		const file = join(__dirname, 'node_modules', installed, 'scanner/scanner.mjs');
		const scanner = (await import(pathToFileURL(file).href)) as Scanner;
		const config = await scanner.buildScanConfig();
		const plugins = config.flatMap(({ plugins }) => plugins?.['@n8n/community-nodes'] ?? []);
		scanners.set(plugins[0]?.meta?.version ?? 'of no known version', scanner);
	}
	const lint = JSON.parse(
		readFileSync(join(project, 'node_modules/@n8n/eslint-plugin-community-nodes/package.json'), 'utf8'),
	) as { version: string };
	if (!scanners.has(lint.version)) {
		throw new Error(`npm run lint uses plugin ${lint.version}. Name it in verification/package.json, too.`);
	}
	return scanners;
}

/** @throws Error if the scan passes with a fault in the file as well: it looks at other files, or its rules are off */
async function scan(scanner: Scanner, { label, folder, patterns, file }: Part): Promise<string[]> {
	const analyze = async () => readFindings(await scanner.analyzePackage(folder, patterns), folder);
	const findings = await analyze();
	if (findings.length > 0) return findings;

	const path = join(folder, file);
	const code = readFileSync(path, 'utf8');
	writeFileSync(path, `${code}\nsetTimeout(() => {});\n`);
	const faults = await analyze();
	writeFileSync(path, code);
	if (!faults.some((fault) => fault.startsWith(`${file}:`))) {
		throw new Error(`The scan of ${label} overlooks a fault in ${file}`);
	}
	return findings;
}

const work = mkdtempSync(join(realpathSync(tmpdir()), 'verification-'));
// The scan makes a temporary folder of its own and leaves it there.
process.env.TMPDIR = work;
main(work)
	.catch((error: unknown) => {
		console.error(error);
		process.exitCode = 1;
	})
	.finally(() => {
		rmSync(work, { recursive: true, force: true });
	});
