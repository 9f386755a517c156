import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { output, show } from '../support/commands';
import { cache, current, type Installation, older, project, registry } from '../support/folders';
import { BROWSERS, findProgram, pathFolders, postgresFolders, serverFolders } from '../support/programs';

/**
 * Installs what is missing, and packs both builds of the package. The first time takes some minutes, each later time some
 * seconds.
 *
 * @param willRun whether a suite will run that needs more programs than the other suites
 */
export async function prepare(
	willRun: (suite: 'environment' | 'gateway' | 'older' | 'proxy' | 'queue') => boolean = () => false,
): Promise<void> {
	mkdirSync(cache, { recursive: true });
	await installN8n(current);
	await installPrograms(BROWSERS, ['chromium']);
	if (willRun('older')) await installN8n(older);
	if (willRun('queue')) {
		await installPrograms(['redis-server'], ['redis-server']);
		await installPrograms(['postgres'], ['postgresql'], postgresFolders);
	}
	if (willRun('proxy')) await installPrograms(['squid'], ['squid'], serverFolders);
	if (willRun('gateway')) await installPrograms(['nginx'], ['nginx'], serverFolders);
	if (willRun('environment') || willRun('queue')) await installRegistry();
	await show('npm', ['run', '--silent', 'release:pack'], { cwd: project });
}

async function installN8n({ folder, nodeFolder, path }: Installation) {
	await oncePerLock(folder, async () => {
		const place = relative(project, folder);
		console.log(`Installing n8n in ${place}/node_modules: 2 to 3 GB, takes some minutes…`);
		for (const tool of ['python3', 'make', 'g++']) await installPrograms([tool], [tool]);
		await npmCi(folder);
		console.log('Building the database driver for it…');
		await output('npm', ['rebuild', 'sqlite3', '--ignore-scripts=false'], {
			cwd: folder,
			env: {
				...process.env,
				PATH: path,
				// Built with the headers of n8n's Node.js. No prebuilt binary is downloaded.
				npm_config_nodedir: nodeFolder,
				npm_config_build_from_source: 'true',
			},
		});
	});
}

async function installRegistry() {
	await oncePerLock(registry, async () => {
		console.log('Installing the package registry…');
		await npmCi(registry);
	});
}

async function npmCi(folder: string) {
	await show('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
}

/** Installs the packages of a folder unless they are there, as its package-lock.json names them. */
async function oncePerLock(folder: string, install: () => Promise<void>) {
	const hash = createHash('sha256')
		.update(readFileSync(join(folder, 'package-lock.json')))
		.digest('hex');
	const stamp = join(folder, 'node_modules/.prepared');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
	await install();
	writeFileSync(stamp, hash);
}

/** Installs packages of Debian, unless one of the programs is there already. */
async function installPrograms(anyOf: string[], packages: string[], folders = pathFolders) {
	if (findProgram(anyOf, folders())) return;
	if (process.getuid?.() !== 0 || !findProgram(['apt-get'])) {
		throw new Error(
			`Install ${packages.join(' ')} first, on Debian by: sudo apt-get install ${packages.join(' ')}`,
		);
	}
	console.log(`Installing ${packages.join(' ')}…`);
	await show('apt-get', ['update', '-qq'], { cwd: cache });
	await show('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
		cwd: cache,
		env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
	});
}
