import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { output } from './commands';
import { current, tarball } from './folders';
import { pack } from './prepare';

export const PACKAGE_NAME = 'n8n-nodes-dataarts-insight';

interface Manifest {
	version?: string;
	dependencies?: Record<string, string>;
	devDependencies?: object;
	peerDependencies?: object;
	optionalDependencies?: object;
}

/**
 * Installs by hand, as the README says; another version is replaced.
 *
 * @param nodesFolder `nodes` in n8n's folder
 */
export async function installByHand(nodesFolder: string, tarball: string): Promise<void> {
	await npm(['install', '--omit=peer', '--no-audit', '--no-fund', tarball], nodesFolder);
}

/** Removes as n8n's documentation describes it. */
export async function uninstallByHand(nodesFolder: string): Promise<void> {
	await npm(['uninstall', '--no-audit', '--no-fund', PACKAGE_NAME], nodesFolder);
}

/** Takes the steps that n8n itself takes with a package, once it has the tarball. */
export async function installAsN8nDoes(nodesFolder: string, tarball: string): Promise<void> {
	const folder = installedFolder(nodesFolder);
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true });
	await output('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'], { cwd: nodesFolder });
	const manifest = await readManifest(folder);
	for (const kind of ['devDependencies', 'peerDependencies', 'optionalDependencies'] as const) {
		delete manifest[kind];
	}
	await writeManifest(folder, manifest);
	const config = ['audit=false', 'fund=false', 'bin-links=false', 'install-strategy=shallow'];
	const flags = [...config, 'ignore-scripts=true', 'package-lock=false'].map((flag) => `--${flag}`);
	await npm(['install', ...flags], folder);

	// n8n makes this file at its first start.
	const ledger = await readManifest(nodesFolder).catch((): Manifest => ({}));
	ledger.dependencies = { ...ledger.dependencies, [PACKAGE_NAME]: String(manifest.version) };
	await writeManifest(nodesFolder, ledger);
}

export function installedFolder(nodesFolder: string): string {
	return join(nodesFolder, 'node_modules', PACKAGE_NAME);
}

export async function readManifest(folder: string): Promise<Manifest> {
	return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Packs what is in the tarball under test with the next version. @returns that version */
export async function packNextVersion(file: string): Promise<string> {
	const copy = await mkdtemp(join(tmpdir(), 'n8n-e2e-next-'));
	await output('tar', ['-xzf', tarball, '-C', copy, '--strip-components=1'], { cwd: copy });
	const manifest = await readManifest(copy);
	const version = String(manifest.version).replace(/\d+$/, (patch) => String(Number(patch) + 1));
	await writeManifest(copy, { ...manifest, version });
	await pack(copy, file);
	await rm(copy, { recursive: true });
	return version;
}

/** Runs npm on the Node.js of n8n. */
async function npm(args: string[], cwd: string) {
	await output('npm', args, { cwd, env: { ...process.env, PATH: current.path } });
}

async function writeManifest(folder: string, manifest: object) {
	await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
}
