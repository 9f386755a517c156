import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loopbackCertificate } from '../../test/support/cloud';
import { output } from './commands';
import { logs } from './folders';
import { freePort } from './freePort';
import { postgresFolders, requireProgram, serverFolders } from './programs';

/** A server with its own data, on a free port of 127.0.0.1. Those of this file are from packages of Debian. */
export interface Server {
	port: number;
	/** Stops the server and removes its data. */
	stop(): Promise<void>;
}

/** A server with an access log. */
export interface LoggingServer extends Server {
	/** The lines of the access log: one for each request that has ended. */
	accessLog(): Promise<string[]>;
}

interface User {
	uid?: number;
	gid?: number;
}

/** The user of {@link startPostgres}. It has no password. */
export const DATABASE_OWNER = 'n8n';

/** Starts a Redis that stores nothing on disk. */
export async function startRedis(): Promise<Server> {
	const folder = await mkdtemp(join(tmpdir(), 'redis-e2e-'));
	const port = await freePort();
	// With a process title Redis would overwrite its environment, and the mark of the run in it.
	const title = ['--set-proc-title', 'no'];
	const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...title];
	const child = launch('redis', requireProgram(['redis-server']), args);
	const isReady = [requireProgram(['redis-cli']), '-p', String(port), 'ping'];
	return await ready('redis', child, folder, port, () => runs(isReady));
}

/** Starts a PostgreSQL whose database `postgres` is empty. */
export async function startPostgres(): Promise<Server> {
	const folder = await mkdtemp(join(tmpdir(), 'postgres-e2e-'));
	const port = await freePort();
	// PostgreSQL refuses to run as root.
	const user = await handOver(folder, 'postgres');
	const data = join(folder, 'data');
	const init = ['-D', data, '-U', DATABASE_OWNER, '--auth=trust', '--encoding=UTF8', '--no-sync'];
	await output(requireProgram(['initdb'], postgresFolders()), init, { cwd: folder, ...user });
	const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
	const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
	const child = launch('postgres', requireProgram(['postgres'], postgresFolders()), args, user);
	const isReady = [requireProgram(['pg_isready'], postgresFolders()), '-h', '127.0.0.1', '-p', String(port)];
	return await ready('postgres', child, folder, port, () => runs(isReady));
}

/**
 * Starts a squid, an HTTP proxy that reaches 127.0.0.0/8 only. A line of its access log reads
 * `CONNECT host:port status user`, and the user is `-` without authentication. A tunnel is logged when it is closed.
 *
 * @param passwords lines of an htpasswd file. Without any, the proxy requires no authentication
 */
export async function startSquid(passwords: string[] = [], port?: number): Promise<LoggingServer> {
	const folder = await mkdtemp(join(tmpdir(), 'squid-e2e-'));
	const user = await handOver(folder, 'proxy');
	const chosen = port ?? (await freePort());
	const config = join(folder, 'squid.conf');
	const users = join(folder, 'users');
	const log = join(folder, 'access.log');
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
		'logformat short %rm %ru %>Hs %un',
		`access_log stdio:${log} logformat=short`,
		// `-n`: without DNS lookups.
		'acl here dst -n 127.0.0.0/8',
		'http_access deny !here',
		...(passwords.length > 0 ? login : []),
		'http_access allow all',
	];
	await writeFile(config, lines.join('\n'));
	await writeFile(users, passwords.join('\n'));
	const args = ['-N', '-d', '1', '-f', config];
	const child = launch('squid', requireProgram(['squid'], serverFolders()), args, user);
	const server = await ready('squid', child, folder, chosen, () => accepts(chosen));
	return { ...server, accessLog: () => linesOf(log) };
}

/**
 * Starts an nginx as a gateway with TLS in front of a service. It closes a keep-alive connection after one idle second,
 * and after 20 requests. A line of its access log reads `connection-number status`.
 */
export async function startNginx(service: string): Promise<LoggingServer> {
	const folder = await mkdtemp(join(tmpdir(), 'nginx-e2e-'));
	const port = await freePort();
	const [config, log] = [join(folder, 'nginx.conf'), join(folder, 'access.log')];
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(kind) => `${kind}_temp_path ${join(folder, kind)};`,
	);
	await writeFile(
		config,
		`# One process, because worker processes overwrite their environment, and the mark of the run in it.
		daemon off;
		master_process off;
		pid ${join(folder, 'pid')};
		events {}
		http {
			${temporary.join(' ')}
			log_format short '$connection $status';
			access_log ${log} short;
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
	const child = launch('nginx', requireProgram(['nginx'], serverFolders()), ['-e', 'stderr', '-c', config]);
	const server = await ready('nginx', child, folder, port, () => accepts(port));
	return { ...server, accessLog: () => linesOf(log) };
}

/** As root, gives a folder to the user that Debian's package made for its server. */
async function handOver(folder: string, name: string): Promise<User> {
	if (process.getuid?.() !== 0) return {};
	const [uid = 0, gid = 0] = await Promise.all(
		['-u', '-g'].map(async (flag) => Number(await output('id', [flag, name], { cwd: tmpdir() }))),
	);
	await chown(folder, uid, gid);
	return { uid, gid };
}

/** Starts the program of a server, with a log file of this name. */
export function launch(name: string, command: string, args: string[], user: User = {}): ChildProcess {
	mkdirSync(logs, { recursive: true });
	const log = openSync(join(logs, `${name}.log`), 'w');
	const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', log, log], ...user });
	closeSync(log);
	return child;
}

/**
 * Waits until the server answers.
 *
 * @param folder the server's data
 * @throws Error after 30 seconds
 */
export async function ready(
	name: string,
	child: ChildProcess,
	folder: string,
	port: number,
	answers: () => Promise<boolean>,
): Promise<Server> {
	const stop = async () => {
		// On SIGINT all of them end at once, whether they have clients or not.
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

/** Whether somebody listens on this port of 127.0.0.1. */
export async function accepts(port: number): Promise<boolean> {
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
