import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { type Manifest, ownersList, versionProblems } from './readiness';

export const project = resolve(__dirname, '..');

/** Where the two tarballs and the release notes are written. Not in git. */
export const folder = join(project, 'release');

export const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;

export const changelog = readFileSync(join(project, 'CHANGELOG.md'), 'utf8');

/** One of the two tarballs of a release. */
export interface Tarball {
	version: string;
	file: string;
}

/** The build that n8n can verify. npm gives it the tag `latest`. */
export const verifiable = tarball(manifest.version);

/**
 * The build with a pool of connections. It is published under the tag `pooled`. As a prerelease it is installed only by
 * those who ask for it, and npm refuses to publish it without a tag. The last number counts its releases of one version.
 */
export const pooled = tarball(`${manifest.version}-pooled.0`);

function tarball(version: string): Tarball {
	return { version, file: join(folder, `${manifest.name}-${version}.tgz`) };
}

/**
 * Unpacks a tarball of npm.
 *
 * @param target an existing folder
 * @returns the folder of the package in it
 * @throws {Error} if there is no such tarball
 */
export function unpack(file: string, target: string): string {
	execFileSync('tar', ['-xzf', file, '-C', target]);
	return join(target, 'package');
}

/** What is read, of the files that people and npm see, to find what the owner has to fill in. */
const PLACES = [
	'.github',
	'CHANGELOG.md',
	'CONTRIBUTING.md',
	'LICENSE',
	'README.md',
	'SECURITY.md',
	'credentials',
	'docs',
	'examples',
	'nodes',
];

/**
 * What keeps this version from being published.
 *
 * @param tag the tag in git; left out, it is not compared with the version
 * @returns one line for each, none if nothing does
 */
export function obstacles(tag?: string): string[] {
	const files = PLACES.flatMap((place) =>
		statSync(join(project, place)).isFile()
			? [place]
			: readdirSync(join(project, place), { recursive: true, encoding: 'utf8' })
					.map((file) => join(place, file))
					.filter((file) => /\.(json|md|ts|yml)$/.test(file)),
	);
	const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(project, file), 'utf8')]));
	return [...ownersList(manifest, texts), ...versionProblems(manifest.version, changelog, tag)];
}
