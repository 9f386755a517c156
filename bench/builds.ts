import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { pooled, project, unpack, verifiable } from '../publishing/project';

/** The two builds of this package. */
export type Build = 'pooled' | 'verifiable';

/** Both as they are published. `npm run release:pack` writes them. */
export const tarballs: Record<Build, string> = { pooled: pooled.file, verifiable: verifiable.file };

// Below node_modules, so that n8n-workflow is found where n8n would provide it.
const cache = join(project, 'node_modules/.cache/bench');

/** The build that a contender needs. Those that are no build of this package need its credential, which both have. */
export function buildOf(contender: string): Build {
	return contender === 'verifiable' ? 'verifiable' : 'pooled';
}

/** Unpacks both builds. @throws Error if one is not packed */
export function unpackBuilds(): void {
	rmSync(cache, { recursive: true, force: true });
	for (const [build, tarball] of Object.entries(tarballs)) {
		mkdirSync(join(cache, build), { recursive: true });
		unpack(tarball, join(cache, build));
	}
}

/** Where a build is unpacked. */
export function folderOf(build: Build): string {
	return join(cache, build, 'package');
}
