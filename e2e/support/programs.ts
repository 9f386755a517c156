import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Browsers that Playwright can drive. One of them is enough. */
export const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The path of the first of these programs that is in one of the folders. */
export function findProgram(names: string[], folders = pathFolders()): string | undefined {
	return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Like {@link findProgram}. @throws Error if none of the programs is there */
export function requireProgram(names: string[], folders?: string[]): string {
	const found = findProgram(names, folders);
	if (!found) throw new Error(`Not installed: ${names.join(' or ')}`);
	return found;
}

export function pathFolders(): string[] {
	return (process.env.PATH ?? '').split(delimiter);
}

/** Where Debian puts squid and nginx. `/usr/sbin` is not on the path of every user. */
export function serverFolders(): string[] {
	return [...pathFolders(), '/usr/sbin'];
}

/** Where Debian puts the programs of PostgreSQL, the latest version first. None of these folders is on the path. */
export function postgresFolders(): string[] {
	const versions = '/usr/lib/postgresql';
	if (!existsSync(versions)) return [];
	const names = readdirSync(versions).sort((one, other) => Number(other) - Number(one));
	return names.map((name) => join(versions, name, 'bin'));
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
