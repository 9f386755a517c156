import { delimiter, join, resolve } from 'node:path';

import { pooled, verifiable } from '../../publishing/project';

export const e2e = resolve(__dirname, '..');
export const project = resolve(e2e, '..');

/** What a run leaves behind: for the next run, and to find out why a test failed. Not in git. */
export const cache = join(e2e, '.cache');
export const logs = join(cache, 'logs');

/** The package under test, as `npm run release:pack` packs it: the build that most people install, which n8n can verify. */
export const tarball = verifiable.file;
/** The build with a pool of connections, in the same release. */
export const pooledTarball = pooled.file;

/** An installed n8n and the Node.js that it runs on. */
export interface Installation {
	/** Holds package.json and package-lock.json. */
	folder: string;
	nodeFolder: string;
	/** The `PATH` of n8n: its own Node.js comes first. */
	path: string;
	program: string;
}

export const current = installation(e2e);
/** The last n8n 1.x. */
export const older = installation(join(e2e, 'older'));

/** The folder of package.json of the package registry. */
export const registry = join(e2e, 'registry');

function installation(folder: string): Installation {
	const nodeFolder = join(folder, `node_modules/node-linux-${process.arch}`);
	return {
		folder,
		nodeFolder,
		path: [join(nodeFolder, 'bin'), process.env.PATH].join(delimiter),
		program: join(folder, 'node_modules/n8n/bin/n8n'),
	};
}
