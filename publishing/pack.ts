import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { folder, pooled, project, type Tarball, unpack, verifiable } from './project';

/*
 * npm run release:pack
 *
 * Builds the package twice and packs both builds into release/, which is emptied first.
 */

function main() {
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder);
	try {
		build('--transport', 'n8n');
		pack(verifiable);
	} finally {
		// Also after a failure: whatever runs next expects the build that `npm run build` makes.
		build();
	}
	pack(pooled);
}

function build(...options: string[]) {
	const gulp = join(project, 'node_modules/.bin/gulp');
	execFileSync(gulp, ['--silent', ...options], { cwd: project, stdio: 'inherit' });
}

/** Packs what is built. Its version is written into a copy, so package.json stays as it is whatever happens. */
function pack({ version, file }: Tarball) {
	const stage = mkdtempSync(join(tmpdir(), 'release-'));
	try {
		const copy = unpack(npmPack(project, stage), stage);
		const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as object;
		writeFileSync(join(copy, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, '\t')}\n`);
		npmPack(copy, folder);
		console.log(`release/${basename(file)}: ${Math.round(statSync(file).size / 1024)} KiB`);
	} finally {
		rmSync(stage, { recursive: true });
	}
}

/** @returns the tarball in `target` */
function npmPack(packageFolder: string, target: string): string {
	const options = ['--silent', '--ignore-scripts', '--pack-destination', target];
	const name = execFileSync('npm', ['pack', ...options], { cwd: packageFolder, encoding: 'utf8' });
	return join(target, name.trim());
}

main();
