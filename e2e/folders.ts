import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export const project = resolve(__dirname, '..');
export const examples = join(project, 'examples');

/** What a run leaves for the next one, or for who looks into a failure. Not in git. */
export const cache = join(__dirname, '.cache');
export const logs = join(cache, 'logs');

/** The package under test, packed as npm would publish it. */
export const tarball = join(cache, 'package.tgz');

/** An n8n that is installed, with the Node.js of its own that it runs on. */
export interface Installation {
	/** Holds package.json and package-lock.json. */
	folder: string;
	nodeFolder: string;
	/** With that Node.js before any other. */
	path: string;
	program: string;
}

export const current = installation(__dirname);
/** The last n8n 1.x. */
export const older = installation(join(__dirname, 'older'));

/** Where Debian has the programs of PostgreSQL, the latest version first; not on the path. */
export function postgresFolders(): string[] {
	const versions = '/usr/lib/postgresql';
	if (!existsSync(versions)) return [];
	const names = readdirSync(versions).sort((one, other) => Number(other) - Number(one));
	return names.map((name) => join(versions, name, 'bin'));
}

function installation(folder: string): Installation {
	const nodeFolder = join(folder, `node_modules/node-linux-${process.arch}`);
	return {
		folder,
		nodeFolder,
		path: [join(nodeFolder, 'bin'), process.env.PATH].join(delimiter),
		program: join(folder, 'node_modules/n8n/bin/n8n'),
	};
}
