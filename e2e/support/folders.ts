import { delimiter, join, resolve } from 'node:path';

export const e2e = resolve(__dirname, '..');
export const project = resolve(e2e, '..');

/** What a run leaves behind: for the next run, and to find out why a test failed. Not in git. */
export const cache = join(e2e, '.cache');
export const logs = join(cache, 'logs');

/** The package under test, packed as npm would publish it. */
export const tarball = join(cache, 'package.tgz');

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

function installation(folder: string): Installation {
	const nodeFolder = join(folder, `node_modules/node-linux-${process.arch}`);
	return {
		folder,
		nodeFolder,
		path: [join(nodeFolder, 'bin'), process.env.PATH].join(delimiter),
		program: join(folder, 'node_modules/n8n/bin/n8n'),
	};
}
