import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { output } from './commands';
import { current, tarball } from './folders';

export const PACKAGE_NAME = 'n8n-nodes-dataarts-insight';

interface Manifest {
	version?: string;
	dependencies?: Record<string, string>;
	devDependencies?: object;
	peerDependencies?: object;
	optionalDependencies?: object;
}

/**
 * Installs by hand, as the README says. Replaces another version.
 *
 * @param nodesFolder the folder `nodes` in n8n's user folder
 */
export async function installByHand(nodesFolder: string, tarball: string): Promise<void> {
	await npm(['install', '--omit=peer', '--no-audit', '--no-fund', tarball], nodesFolder);
}

/** Uninstalls by hand, as n8n's documentation says. */
export async function uninstallByHand(nodesFolder: string): Promise<void> {
	await npm(['uninstall', '--no-audit', '--no-fund', PACKAGE_NAME], nodesFolder);
}

/** Installs with the same steps as n8n itself, which begin once the tarball is downloaded. */
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

	// Before its first start n8n has no such file.
	const nodesManifest = await readManifest(nodesFolder).catch((): Manifest => ({}));
	nodesManifest.dependencies = { ...nodesManifest.dependencies, [PACKAGE_NAME]: String(manifest.version) };
	await writeManifest(nodesFolder, nodesManifest);
}

export function installedFolder(nodesFolder: string): string {
	return join(nodesFolder, 'node_modules', PACKAGE_NAME);
}

export async function readManifest(folder: string): Promise<Manifest> {
	return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Packs a package as npm would publish it.
 *
 * @param folder the package, already built
 */
export async function pack(folder: string, file: string): Promise<void> {
	const target = dirname(file);
	const name = await output('npm', ['pack', '--silent', '--pack-destination', target], { cwd: folder });
	await rename(join(target, name), file);
}

/** Packs the package under test as if it were the next version. @returns that version */
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

/** Runs npm on n8n's Node.js. */
async function npm(args: string[], cwd: string) {
	await output('npm', args, { cwd, env: { ...process.env, PATH: current.path } });
}

async function writeManifest(folder: string, manifest: object) {
	await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
}
