import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { findProgram, output, pathFolders, serverFolders, show } from './commands';
import { cache, current, type Installation, older, postgresFolders, project, tarball } from './folders';

/** Where browsers that playwright can drive are found. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Installs what is missing, and packs the package. The first time takes some minutes, then a second.
 *
 * @param isNeeded whether a suite is going to run whose needs go beyond those of the others
 */
export async function prepare(
	isNeeded: (suite: 'gateway' | 'older' | 'proxy' | 'queue') => boolean = () => false,
): Promise<void> {
	mkdirSync(cache, { recursive: true });
	await installN8n(current);
	await installPrograms(BROWSERS, ['chromium']);
	if (isNeeded('older')) await installN8n(older);
	if (isNeeded('queue')) {
		await installPrograms(['redis-server'], ['redis-server']);
		await installPrograms(['postgres'], ['postgresql'], postgresFolders);
	}
	if (isNeeded('proxy')) await installPrograms(['squid'], ['squid'], serverFolders);
	if (isNeeded('gateway')) await installPrograms(['nginx'], ['nginx'], serverFolders);
	await pack(project, tarball);
}

export function browserProgram(): string {
	const found = findProgram(BROWSERS);
	if (!found) throw new Error(`None of these browsers is installed: ${BROWSERS.join(', ')}`);
	return found;
}

/**
 * Packs a package as npm would publish it.
 *
 * @param folder the package, already built
 */
export async function pack(folder: string, file: string): Promise<void> {
	const target = dirname(file);
	const name = await output('npm', ['pack', '--silent', '--pack-destination', target], { cwd: folder });
	renameSync(join(target, name), file);
}

async function installN8n({ folder, nodeFolder, path }: Installation) {
	const hash = createHash('sha256')
		.update(readFileSync(join(folder, 'package-lock.json')))
		.digest('hex');
	const stamp = join(folder, 'node_modules/.prepared');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;

	console.log(`Installing n8n in ${relative(project, folder)}/node_modules: 2 to 3 GB, takes some minutes…`);
	for (const tool of ['python3', 'make', 'g++']) await installPrograms([tool], [tool]);
	await show('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
	console.log('Building the database driver for it…');
	await output('npm', ['rebuild', 'sqlite3', '--ignore-scripts=false'], {
		cwd: folder,
		env: {
			...process.env,
			PATH: path,
			// With the headers of that Node.js, and without looking for a binary elsewhere.
			npm_config_nodedir: nodeFolder,
			npm_config_build_from_source: 'true',
		},
	});
	writeFileSync(stamp, hash);
}

/** Installs a program of Debian, if none of the programs that would do is there. */
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
