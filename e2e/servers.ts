import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { findProgram, output } from './commands';
import { logs, postgresFolders } from './folders';
import { freePort } from './n8n';

/** A server of Debian, with data of its own on a free port of this machine. */
export interface Server {
	port: number;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

interface User {
	uid?: number;
	gid?: number;
}

/** Who owns the databases that {@link startPostgres} makes; no password is asked. */
export const DATABASE_OWNER = 'n8n';

/** Starts a Redis that stores nothing on disk. */
export async function startRedis(): Promise<Server> {
	const folder = await mkdtemp(join(tmpdir(), 'redis-e2e-'));
	const port = await freePort();
	// Under a title of its own, its environment would no longer tell which run it belongs to.
	const title = ['--set-proc-title', 'no'];
	const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...title];
	const child = launch('redis', program('redis-server'), args);
	return await ready('redis', child, folder, port, [program('redis-cli'), '-p', String(port), 'ping']);
}

/** Starts a PostgreSQL whose database `postgres` is empty. */
export async function startPostgres(): Promise<Server> {
	const folder = await mkdtemp(join(tmpdir(), 'postgres-e2e-'));
	const port = await freePort();
	// It refuses to run as root.
	const user = process.getuid?.() === 0 ? await idsOf('postgres') : {};
	if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
	const data = join(folder, 'data');
	const init = ['-D', data, '-U', DATABASE_OWNER, '--auth=trust', '--encoding=UTF8', '--no-sync'];
	await output(program('initdb', postgresFolders()), init, { cwd: folder, ...user });
	const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
	const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
	const child = launch('postgres', program('postgres', postgresFolders()), args, user);
	const isReady = [program('pg_isready', postgresFolders()), '-h', '127.0.0.1', '-p', String(port)];
	return await ready('postgres', child, folder, port, isReady);
}

function program(name: string, folders?: string[]): string {
	const found = findProgram([name], folders);
	if (!found) throw new Error(`${name} is not installed`);
	return found;
}

async function idsOf(name: string): Promise<User> {
	const [uid, gid] = await Promise.all(
		['-u', '-g'].map(async (flag) => Number(await output('id', [flag, name], { cwd: tmpdir() }))),
	);
	return { uid, gid };
}

function launch(name: string, command: string, args: string[], user: User = {}): ChildProcess {
	mkdirSync(logs, { recursive: true });
	const log = openSync(join(logs, `${name}.log`), 'w');
	const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', log, log], ...user });
	closeSync(log);
	return child;
}

/** Waits until the server answers, for half a minute at most. */
async function ready(
	name: string,
	child: ChildProcess,
	folder: string,
	port: number,
	[command = '', ...args]: string[],
): Promise<Server> {
	const stop = async () => {
		// Both end at once on this, and leave the clients to see to themselves.
		if (child.exitCode === null && child.signalCode === null) {
			child.kill('SIGINT');
			await once(child, 'exit');
		}
		await rm(folder, { recursive: true, force: true });
	};
	for (const start = Date.now(); Date.now() - start < 30_000 && child.exitCode === null; await sleep(100)) {
		const answer = await output(command, args, { cwd: tmpdir() }).catch(() => undefined);
		if (answer !== undefined) return { port, stop };
	}
	await stop();
	throw new Error(`${name} did not start: see ${join(logs, `${name}.log`)}`);
}
