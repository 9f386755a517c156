import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loopbackCertificate } from '../test/support/cloud';
import { findProgram, output, serverFolders } from './commands';
import { logs, postgresFolders } from './folders';
import { freePort } from './n8n';

/** A server of Debian, with data of its own on a free port of this machine. */
export interface Server {
	port: number;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

/** A server that tells what it was asked for. */
export interface LoggingServer extends Server {
	/** One line for each request that has ended. */
	calls(): Promise<string[]>;
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
	const isReady = [program('redis-cli'), '-p', String(port), 'ping'];
	return await ready('redis', child, folder, port, () => runs(isReady));
}

/** Starts a PostgreSQL whose database `postgres` is empty. */
export async function startPostgres(): Promise<Server> {
	const folder = await mkdtemp(join(tmpdir(), 'postgres-e2e-'));
	const port = await freePort();
	// It refuses to run as root.
	const user = await handOver(folder, 'postgres');
	const data = join(folder, 'data');
	const init = ['-D', data, '-U', DATABASE_OWNER, '--auth=trust', '--encoding=UTF8', '--no-sync'];
	await output(program('initdb', postgresFolders()), init, { cwd: folder, ...user });
	const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
	const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
	const child = launch('postgres', program('postgres', postgresFolders()), args, user);
	const isReady = [program('pg_isready', postgresFolders()), '-h', '127.0.0.1', '-p', String(port)];
	return await ready('postgres', child, folder, port, () => runs(isReady));
}

/**
 * Starts a squid that leads to this machine and nowhere else. Its calls read `CONNECT host:port status user`, with `-`
 * where nobody logged in; those that it let through have ended when their connection has.
 *
 * @param passwords lines for its file of users, as htpasswd writes them; without any it asks for no login
 */
export async function startSquid(passwords: string[] = [], port?: number): Promise<LoggingServer> {
	const folder = await mkdtemp(join(tmpdir(), 'squid-e2e-'));
	const user = await handOver(folder, 'proxy');
	const chosen = port ?? (await freePort());
	const [config, users, calls] = [
		join(folder, 'squid.conf'),
		join(folder, 'users'),
		join(folder, 'calls.log'),
	];
	const login = [
		`auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}`,
		'auth_param basic children 1',
		'acl known proxy_auth REQUIRED',
		'http_access deny !known',
	];
	const lines = [
		`http_port 127.0.0.1:${chosen}`,
		'pid_filename none',
		'pinger_enable off',
		'cache deny all',
		'cache_log /dev/null',
		`coredump_dir ${folder}`,
		'logformat calls %rm %ru %>Hs %un',
		`access_log stdio:${calls} logformat=calls`,
		// Without looking names up.
		'acl here dst -n 127.0.0.0/8',
		'http_access deny !here',
		...(passwords.length > 0 ? login : []),
		'http_access allow all',
	];
	await writeFile(config, lines.join('\n'));
	await writeFile(users, passwords.join('\n'));
	const args = ['-N', '-d', '1', '-f', config];
	const child = launch('squid', program('squid', serverFolders()), args, user);
	const server = await ready('squid', child, folder, chosen, () => accepts(chosen));
	return { ...server, calls: () => linesOf(calls) };
}

/**
 * Starts an nginx on 127.0.0.1 with the loopback certificate, as a gateway in front of a service. It closes connections
 * that were idle for a second or brought 20 requests. Its calls read `number of the connection, status`.
 */
export async function startNginx(service: string): Promise<LoggingServer> {
	const folder = await mkdtemp(join(tmpdir(), 'nginx-e2e-'));
	const port = await freePort();
	const [config, calls] = [join(folder, 'nginx.conf'), join(folder, 'calls.log')];
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(kind) => `${kind}_temp_path ${join(folder, kind)};`,
	);
	await writeFile(
		config,
		`# As one process: others would overwrite their environment, which tells what run they belong to.
		daemon off;
		master_process off;
		pid ${join(folder, 'pid')};
		events {}
		http {
			${temporary.join(' ')}
			log_format calls '$connection $status';
			access_log ${calls} calls;
			server {
				listen 127.0.0.1:${port} ssl;
				ssl_certificate ${cert};
				ssl_certificate_key ${key};
				keepalive_timeout 1s;
				keepalive_requests 20;
				location / {
					proxy_pass ${service};
				}
			}
		}`,
	);
	await writeFile(key, loopbackCertificate.key);
	await writeFile(cert, loopbackCertificate.cert);
	const child = launch('nginx', program('nginx', serverFolders()), ['-e', 'stderr', '-c', config]);
	const server = await ready('nginx', child, folder, port, () => accepts(port));
	return { ...server, calls: () => linesOf(calls) };
}

function program(name: string, folders?: string[]): string {
	const found = findProgram([name], folders);
	if (!found) throw new Error(`${name} is not installed`);
	return found;
}

/** Gives a folder to the user whom a server of Debian has for itself, where this process may do that. */
async function handOver(folder: string, name: string): Promise<User> {
	if (process.getuid?.() !== 0) return {};
	const [uid = 0, gid = 0] = await Promise.all(
		['-u', '-g'].map(async (flag) => Number(await output('id', [flag, name], { cwd: tmpdir() }))),
	);
	await chown(folder, uid, gid);
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
	answers: () => Promise<boolean>,
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
		if (await answers()) return { port, stop };
	}
	await stop();
	throw new Error(`${name} did not start: see ${join(logs, `${name}.log`)}`);
}

async function runs([command = '', ...args]: string[]): Promise<boolean> {
	return await output(command, args, { cwd: tmpdir() }).then(
		() => true,
		() => false,
	);
}

async function accepts(port: number): Promise<boolean> {
	const socket = connect(port, '127.0.0.1');
	return await once(socket, 'connect')
		.then(
			() => true,
			() => false,
		)
		.finally(() => socket.destroy());
}

async function linesOf(file: string): Promise<string[]> {
	return (await readFile(file, 'utf8')).split('\n').filter(Boolean);
}
