import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Installs what a lock file names, unless that was done since the lock file was written. */
export function install(folder: string): void {
	// npm writes this file last.
	const installed = join(folder, 'node_modules/.package-lock.json');
	const lock = join(folder, 'package-lock.json');
	if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;

	console.log(`Installing n8n's scan in ${join(folder, 'node_modules')}: 230 MB, takes a minute…`);
	const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	execFileSync('npm', ['ci', ...flags], { cwd: folder, stdio: 'inherit' });
}

/**
 * Writes a clean checkout of the files as they are now: all that git does not ignore, committed or not. The project need
 * be no repository.
 *
 * @param target a folder that does not exist yet; `<target>.git` is written beside it
 */
export function checkOut(project: string, target: string): void {
	// All three are set, because a git hook sets them to the project's own repository.
	const repository = `${target}.git`;
	const env = {
		...process.env,
		GIT_DIR: repository,
		GIT_INDEX_FILE: join(repository, 'index'),
		GIT_WORK_TREE: project,
	};
	const git = (...args: string[]) => execFileSync('git', args, { cwd: project, env, stdio: 'inherit' });
	git('init', '--quiet');
	git('add', '--all');
	git('checkout-index', '--all', `--prefix=${target}/`);
}

/** Unpacks a package as n8n's scan does. */
export function unpack(tarball: string, target: string): void {
	mkdirSync(target);
	execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], { stdio: 'inherit' });
}
