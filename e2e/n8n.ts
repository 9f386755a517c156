import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type {
	ExecutionStatus,
	ExecutionSummary,
	ICredentialDataDecryptedObject,
	INodeExecutionData,
	IRunExecutionData,
	IWorkflowBase,
} from 'n8n-workflow';

import { current, logs } from './folders';
import { RUN_MARK } from './processes';

/** A workflow as n8n's editor exports it. */
export type ExportedWorkflow = Pick<IWorkflowBase, 'name' | 'nodes' | 'connections'> &
	Partial<Pick<IWorkflowBase, 'settings' | 'pinData'>>;

export interface StoredCredential {
	id: string;
	name: string;
	type: string;
}

/** An execution with all that its nodes gave. */
export interface Execution extends ExecutionSummary {
	data: IRunExecutionData;
}

/** What the credential test says. */
export interface CredentialTestResult {
	status: 'OK' | 'Error';
	message: string;
}

/** What n8n stores executions with. It comes with n8n, hence no import. */
interface Flatted {
	parse(text: string): unknown;
}

type Method = 'DELETE' | 'GET' | 'PATCH' | 'POST';

const UNFINISHED: ExecutionStatus[] = ['new', 'running', 'waiting'];

/**
 * A real n8n with a user folder of its own, on free ports of this machine. It can be stopped and started again; its
 * user folder stays until it is disposed of.
 */
export class N8n {
	/** Who owns the instance and logs in to it. */
	readonly owner = {
		email: 'owner@example.com',
		password: 'Lighthouse-4821',
		firstName: 'Otto',
		lastName: 'Owner',
	};

	readonly userFolder = mkdtempSync(join(tmpdir(), 'n8n-e2e-'));

	/** Where the packages are that a person installs by hand, as n8n's documentation says. */
	readonly nodesFolder = join(this.userFolder, '.n8n/nodes');

	readonly logFile: string;

	url = '';

	private process?: ChildProcess;

	private cookie = '';

	private readonly credentials: StoredCredential[] = [];

	/**
	 * @param name of the log file
	 * @param env more of n8n's environment variables
	 * @param installation which n8n
	 */
	constructor(
		name: string,
		private readonly env: Record<string, string> = {},
		private readonly installation = current,
	) {
		mkdirSync(this.nodesFolder, { recursive: true });
		mkdirSync(logs, { recursive: true });
		this.logFile = join(logs, `${name}.log`);
		closeSync(openSync(this.logFile, 'w'));
	}

	/**
	 * Starts it and waits until it takes requests. The first time it gets its owner.
	 *
	 * @throws Error with the end of its log, if it does not start within two minutes
	 */
	async start(): Promise<void> {
		await this.launch('start');
		// The editor's own pages come a moment later than the answer that the database is ready.
		await this.waitUntilAnswered('/healthz/readiness', '/rest/settings');
		await this.logIn();
	}

	/**
	 * Starts it as a worker of queue mode and waits until it takes executions.
	 *
	 * @param concurrency how many executions it runs at a time
	 * @throws Error with the end of its log, if it does not start within two minutes
	 */
	async startWorker(concurrency: number): Promise<void> {
		await this.launch('worker', `--concurrency=${concurrency}`);
		await this.waitUntilAnswered('/healthz/readiness');
	}

	/** Ends it, and everything that it started. */
	async stop(): Promise<void> {
		if (!this.process) return;
		const exited = hasEnded(this.process) ? undefined : once(this.process, 'exit');
		signalGroup(this.process, 'SIGTERM');
		await Promise.race([exited, sleep(15_000, undefined, { ref: false })]);
		await this.kill();
	}

	/** Ends it as a crash does, in the middle of what it is doing. */
	async kill(): Promise<void> {
		const { process: child } = this;
		if (!child) return;
		this.process = undefined;
		const exited = hasEnded(child) ? undefined : once(child, 'exit');
		signalGroup(child, 'SIGKILL');
		await exited;
	}

	/** Ends it and forgets all that it stored. */
	async dispose(): Promise<void> {
		await this.stop();
		await rm(this.userFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
	}

	/** What it has logged so far. */
	log(): string {
		return readFileSync(this.logFile, 'utf8');
	}

	/** The last lines of its log. */
	logTail(lines = 30): string {
		return this.log().trimEnd().split('\n').slice(-lines).join('\n');
	}

	/** What the editor asks the server, as the owner. @throws Error in n8n's words if it refuses. */
	async rest<Data>(method: Method, path: string, body?: object): Promise<Data> {
		const { data } = await this.request<{ data: Data }>(method, `/rest${path}`, body);
		return data;
	}

	/** The types of nodes or credentials that the editor offers. */
	async types(kind: 'credentials' | 'nodes'): Promise<Array<{ name: string; displayName: string }>> {
		return await this.request('GET', `/types/${kind}.json`);
	}

	/** Stores a credential. Workflows that are imported afterwards use the latest one of each type. */
	async createCredential(
		data: ICredentialDataDecryptedObject,
		{ name = 'DataArts Insight account', type = 'dataArtsInsightApi' } = {},
	): Promise<StoredCredential> {
		const { id } = await this.rest<{ id: string }>('POST', '/credentials', { name, type, data });
		const credential = { id, name, type };
		this.credentials.unshift(credential);
		return credential;
	}

	/** Presses the credential's test. */
	async testCredential(
		credential: StoredCredential,
		data: ICredentialDataDecryptedObject,
	): Promise<CredentialTestResult> {
		return await this.rest('POST', '/credentials/test', { credentials: { ...credential, data } });
	}

	/** Imports a workflow and chooses the stored credentials in it. @returns its ID */
	async importWorkflow(workflow: ExportedWorkflow): Promise<string> {
		const nodes = workflow.nodes.map((node) => ({
			...node,
			...(node.credentials && {
				credentials: Object.fromEntries(
					Object.entries(node.credentials).map(([type, chosen]) => {
						const stored = this.credentials.find((credential) => credential.type === type);
						return [type, stored ? { id: stored.id, name: stored.name } : chosen];
					}),
				),
			}),
		}));
		const { id } = await this.rest<{ id: string }>('POST', '/workflows', {
			// n8n 1.x asks for it.
			active: false,
			settings: {},
			...workflow,
			nodes,
		});
		return id;
	}

	/** Publishes a workflow: its triggers start it from now on, in production mode. */
	async activate(workflowId: string): Promise<void> {
		const { versionId } = await this.rest<{ versionId: string }>('GET', `/workflows/${workflowId}`);
		await this.rest('POST', `/workflows/${workflowId}/activate`, { versionId });
	}

	async deactivate(workflowId: string): Promise<void> {
		await this.rest('POST', `/workflows/${workflowId}/deactivate`, {});
	}

	/**
	 * Runs a workflow as the button *Execute workflow* does, and waits for its end.
	 *
	 * @param trigger the name of the node to start from; the first one whose type says so when left out
	 */
	async run(workflowId: string, trigger?: string): Promise<Execution> {
		const workflowData = await this.rest<ExportedWorkflow>('GET', `/workflows/${workflowId}`);
		const name = trigger ?? workflowData.nodes.find(({ type }) => /trigger$/i.test(type))?.name;
		const { executionId } = await this.rest<{ executionId: string }>('POST', `/workflows/${workflowId}/run`, {
			triggerToStartFrom: { name },
			// n8n 1.x does not look it up itself.
			workflowData,
		});
		return await this.finished(executionId);
	}

	/** The executions of a workflow that n8n lists, the latest first. */
	async executions(workflowId: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const { results } = await this.rest<{ results: ExecutionSummary[] }>(
			'GET',
			`/executions?filter=${filter}&limit=100`,
		);
		return results;
	}

	/** One execution with what its nodes gave. */
	async execution(id: string): Promise<Execution> {
		const flatted = createRequire(this.installation.program)('flatted') as Flatted;
		const { data, ...summary } = await this.rest<ExecutionSummary & { data: string }>(
			'GET',
			`/executions/${id}`,
		);
		return { ...summary, data: flatted.parse(data) as IRunExecutionData };
	}

	/** Waits until an execution has ended, for a minute at most unless told otherwise. */
	async finished(executionId: string, patience = 60_000): Promise<Execution> {
		for (const start = Date.now(); Date.now() - start < patience; await sleep(200)) {
			const execution = await this.execution(executionId);
			if (!UNFINISHED.includes(execution.status)) return execution;
		}
		throw new Error(`Execution ${executionId} has not ended within ${patience / 1000} seconds`);
	}

	private async request<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
		const response = await fetch(`${this.url}${path}`, {
			method,
			headers: { 'Content-Type': 'application/json', Cookie: this.cookie },
			body: body && JSON.stringify(body),
		});
		const text = await response.text();
		if (!response.ok) throw new Error(`n8n answered ${method} ${path} with ${response.status}: ${text}`);
		const cookie = response.headers.getSetCookie()[0];
		if (cookie) this.cookie = cookie.split(';', 1)[0] ?? '';
		return JSON.parse(text) as Answer;
	}

	private async launch(...args: string[]) {
		const port = await freePort();
		this.url = `http://127.0.0.1:${port}`;
		const env = await this.environment(port);
		const log = openSync(this.logFile, 'a');
		const { nodeFolder, program } = this.installation;
		// A process group of its own, so that its own children end with it.
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
			// A worker has no editor, only this.
			QUEUE_HEALTH_CHECK_ACTIVE: 'true',
			QUEUE_HEALTH_CHECK_PORT: String(port),
			N8N_RUNNERS_BROKER_PORT: String(await freePort()),
			N8N_SECURE_COOKIE: 'false',
			// Nothing but the packages that are tested leaves this machine, and nothing pops up in the editor.
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

	private async waitUntilAnswered(...paths: string[]) {
		for (const start = Date.now(); Date.now() - start < 120_000; await sleep(250)) {
			if (!this.process || hasEnded(this.process)) break;
			const responses = await Promise.all(paths.map((path) => fetch(`${this.url}${path}`))).catch(() => []);
			if (responses.length > 0 && responses.every(({ ok }) => ok)) return;
		}
		await this.stop();
		throw new Error(`n8n did not start. The end of its log (${this.logFile}):\n${this.logTail()}`);
	}

	private async logIn() {
		const { email, password } = this.owner;
		const settings = await this.rest<{ userManagement: { showSetupOnFirstLoad: boolean } }>(
			'GET',
			'/settings',
		);
		if (settings.userManagement.showSetupOnFirstLoad) await this.rest('POST', '/owner/setup', this.owner);
		else await this.rest('POST', '/login', { emailOrLdapLoginId: email, password });
	}
}

/** The items that a node gave in its last run, one array for each of its outputs. */
export function nodeOutput({ data }: Execution, nodeName: string): INodeExecutionData[][] {
	const runs = data.resultData.runData[nodeName] ?? [];
	return (runs.at(-1)?.data?.main ?? []).map((items) => items ?? []);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
	return exitCode !== null || signalCode !== null;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals) {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// all of them have ended
	}
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (!address || typeof address === 'string') throw new Error('No free port');
	return address.port;
}
