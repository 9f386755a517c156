import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { RUN_MARK } from './commands';
import { current, logs } from './folders';
import { freePort } from './freePort';

/**
 * The process of an n8n with a user folder of its own, on free ports of 127.0.0.1. It can be stopped and started again.
 * The user folder stays until {@link N8nProcess.dispose}.
 */
export class N8nProcess {
	readonly userFolder = mkdtempSync(join(tmpdir(), 'n8n-e2e-'));

	/** Where n8n's documentation has people install community packages by hand. */
	readonly nodesFolder = join(this.userFolder, '.n8n/nodes');

	readonly logFile: string;

	url = '';

	private process?: ChildProcess;

	/**
	 * @param name of the log file
	 * @param env more of n8n's environment variables
	 * @param installation which n8n
	 */
	constructor(
		name: string,
		private readonly env: Record<string, string> = {},
		protected readonly installation = current,
	) {
		mkdirSync(this.nodesFolder, { recursive: true });
		mkdirSync(logs, { recursive: true });
		this.logFile = join(logs, `${name}.log`);
		closeSync(openSync(this.logFile, 'w'));
	}

	/** The ID of n8n's main process, while n8n runs. */
	get pid(): number | undefined {
		return this.process?.pid;
	}

	/**
	 * Starts n8n and waits until it serves its editor.
	 *
	 * @throws Error with the end of the log, if n8n does not start within two minutes
	 */
	async start(): Promise<void> {
		await this.launch('start');
		// n8n serves its editor a moment after it reports that the database is ready.
		await this.waitUntilReady('/healthz/readiness', '/rest/settings');
	}

	/**
	 * Starts n8n as a worker of queue mode and waits until it takes executions.
	 *
	 * @param concurrency how many executions it runs at a time
	 * @throws Error with the end of the log, if n8n does not start within two minutes
	 */
	async startWorker(concurrency: number): Promise<void> {
		await this.launch('worker', `--concurrency=${concurrency}`);
		await this.waitUntilReady('/healthz/readiness');
	}

	/** Ends n8n and its child processes; after 15 seconds by force. */
	async stop(): Promise<void> {
		if (!this.process) return;
		const exited = hasEnded(this.process) ? undefined : once(this.process, 'exit');
		signalGroup(this.process, 'SIGTERM');
		await Promise.race([exited, sleep(15_000, undefined, { ref: false })]);
		await this.kill();
	}

	/** Ends n8n as a crash does, without time to clean up. */
	async kill(): Promise<void> {
		const { process: child } = this;
		if (!child) return;
		this.process = undefined;
		const exited = hasEnded(child) ? undefined : once(child, 'exit');
		signalGroup(child, 'SIGKILL');
		await exited;
	}

	/** Ends n8n and removes its user folder. */
	async dispose(): Promise<void> {
		await this.stop();
		await rm(this.userFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
	}

	/** The log so far. */
	log(): string {
		return readFileSync(this.logFile, 'utf8');
	}

	private async launch(...args: string[]) {
		const port = await freePort();
		this.url = `http://127.0.0.1:${port}`;
		const env = await this.environment(port);
		const log = openSync(this.logFile, 'a');
		const { nodeFolder, program } = this.installation;
		// A process group of its own, so that a signal reaches n8n's child processes too.
		this.process = spawn(join(nodeFolder, 'bin/node'), [program, ...args], {
			cwd: this.userFolder,
			env,
			stdio: ['ignore', log, log],
			detached: true,
		});
		closeSync(log);
	}

	private async environment(port: number): Promise<Record<string, string>> {
		return {
			PATH: this.installation.path,
			HOME: this.userFolder,
			[RUN_MARK]: process.env[RUN_MARK] ?? '',
			N8N_USER_FOLDER: this.userFolder,
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_PORT: String(port),
			// A worker serves no editor, only its health check.
			QUEUE_HEALTH_CHECK_ACTIVE: 'true',
			QUEUE_HEALTH_CHECK_PORT: String(port),
			N8N_RUNNERS_BROKER_PORT: String(await freePort()),
			N8N_SECURE_COOKIE: 'false',
			// n8n sends nothing to the Internet, and no dialog or banner covers the editor.
			N8N_DIAGNOSTICS_ENABLED: 'false',
			N8N_VERIFIED_PACKAGES_ENABLED: 'false',
			N8N_DISABLED_MODULES: 'mcp-registry',
			N8N_DYNAMIC_BANNERS_ENABLED: 'false',
			N8N_HIRING_BANNER_ENABLED: 'false',
			N8N_PERSONALIZATION_ENABLED: 'false',
			N8N_TEMPLATES_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
			...this.env,
		};
	}

	private async waitUntilReady(...paths: string[]) {
		for (const start = Date.now(); Date.now() - start < 120_000; await sleep(250)) {
			if (!this.process || hasEnded(this.process)) break;
			const responses = await Promise.all(paths.map((path) => fetch(`${this.url}${path}`))).catch(() => []);
			if (responses.length > 0 && responses.every(({ ok }) => ok)) return;
		}
		await this.stop();
		const tail = this.log().trimEnd().split('\n').slice(-30).join('\n');
		throw new Error(`n8n did not start. The end of its log (${this.logFile}):\n${tail}`);
	}
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
	return exitCode !== null || signalCode !== null;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals) {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// The whole process group has ended.
	}
}
