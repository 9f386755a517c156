import { createRequire } from 'node:module';

import type {
	ExecutionStatus,
	ExecutionSummary,
	ICredentialDataDecryptedObject,
	INodeExecutionData,
	IRunExecutionData,
	IWorkflowBase,
} from 'n8n-workflow';

import { N8nProcess } from './n8nProcess';
import { until } from './until';

/** A workflow as n8n's editor exports it. */
export type ExportedWorkflow = Pick<IWorkflowBase, 'name' | 'nodes' | 'connections'> &
	Partial<Pick<IWorkflowBase, 'settings' | 'pinData'>>;

export interface StoredCredential {
	id: string;
	name: string;
	type: string;
}

/** An execution and the output of its nodes. */
export interface Execution extends ExecutionSummary {
	data: IRunExecutionData;
}

/** What the credential test says. */
export interface CredentialTestResult {
	status: 'OK' | 'Error';
	message: string;
}

/** n8n stores executions with this package. It is installed with n8n, so it cannot be imported here. */
interface Flatted {
	parse(text: string): unknown;
}

type Method = 'DELETE' | 'GET' | 'PATCH' | 'POST';

const UNFINISHED: ExecutionStatus[] = ['new', 'running', 'waiting'];

/** A real n8n, and what its owner does in the editor: through the same REST API. */
export class N8n extends N8nProcess {
	/** The user who owns the instance and logs in to it. */
	readonly owner = {
		email: 'owner@example.com',
		password: 'Lighthouse-4821',
		firstName: 'Otto',
		lastName: 'Owner',
	};

	private cookie = '';

	private readonly credentials: StoredCredential[] = [];

	/** Starts n8n and logs in. The first start also creates the owner. */
	override async start(): Promise<void> {
		await super.start();
		const { userManagement } = await this.rest<{ userManagement: { showSetupOnFirstLoad: boolean } }>(
			'GET',
			'/settings',
		);
		const { email, password } = this.owner;
		if (userManagement.showSetupOnFirstLoad) await this.rest('POST', '/owner/setup', this.owner);
		else await this.rest('POST', '/login', { emailOrLdapLoginId: email, password });
	}

	/** Sends a request of the editor, as the owner. @throws Error with n8n's response if it is no success */
	async rest<Data>(method: Method, path: string, body?: object): Promise<Data> {
		const { data } = await this.request<{ data: Data }>(method, `/rest${path}`, body);
		return data;
	}

	/** The types of nodes or credentials that the editor offers. */
	async types(kind: 'credentials' | 'nodes'): Promise<Array<{ name: string; displayName: string }>> {
		return await this.request('GET', `/types/${kind}.json`);
	}

	/** Stores a credential, for the nodes of workflows that are imported later: see {@link N8n.importWorkflow}. */
	async createCredential(
		data: ICredentialDataDecryptedObject,
		{ name = 'DataArts Insight account', type = 'dataArtsInsightApi' } = {},
	): Promise<StoredCredential> {
		const { id } = await this.rest<{ id: string }>('POST', '/credentials', { name, type, data });
		const credential = { id, name, type };
		this.credentials.unshift(credential);
		return credential;
	}

	/** Runs the credential test, as the editor does when a credential is saved. */
	async testCredential(
		credential: StoredCredential,
		data: ICredentialDataDecryptedObject,
	): Promise<CredentialTestResult> {
		return await this.rest('POST', '/credentials/test', { credentials: { ...credential, data } });
	}

	/**
	 * Imports a workflow and chooses credentials in its nodes: the latest of the type and name that the node asks for, or
	 * the latest of that type.
	 *
	 * @returns the workflow's ID
	 */
	async importWorkflow(workflow: ExportedWorkflow): Promise<string> {
		const nodes = workflow.nodes.map((node) => ({
			...node,
			...(node.credentials && {
				credentials: Object.fromEntries(
					Object.entries(node.credentials).map(([type, chosen]) => {
						const ofType = this.credentials.filter((credential) => credential.type === type);
						const stored = ofType.find(({ name }) => name === chosen.name) ?? ofType[0];
						return [type, stored ? { id: stored.id, name: stored.name } : chosen];
					}),
				),
			}),
		}));
		const { id } = await this.rest<{ id: string }>('POST', '/workflows', {
			// n8n 1.x requires it.
			active: false,
			settings: {},
			...workflow,
			nodes,
		});
		return id;
	}

	/** Publishes a workflow. From now on its triggers start it, in production mode. */
	async activate(workflowId: string): Promise<void> {
		const { versionId } = await this.rest<{ versionId: string }>('GET', `/workflows/${workflowId}`);
		await this.rest('POST', `/workflows/${workflowId}/activate`, { versionId });
	}

	async deactivate(workflowId: string): Promise<void> {
		await this.rest('POST', `/workflows/${workflowId}/deactivate`, {});
	}

	/** Imports a workflow, runs it as the button *Execute workflow* does, and waits for its end. */
	async importAndRun(workflow: ExportedWorkflow): Promise<Execution> {
		return await this.run(await this.importWorkflow(workflow));
	}

	/** Runs a workflow from its first trigger as the button *Execute workflow* does, and waits for its end. */
	async run(workflowId: string): Promise<Execution> {
		const workflowData = await this.rest<ExportedWorkflow>('GET', `/workflows/${workflowId}`);
		const name = workflowData.nodes.find(({ type }) => /trigger$/i.test(type))?.name;
		const { executionId } = await this.rest<{ executionId: string }>('POST', `/workflows/${workflowId}/run`, {
			triggerToStartFrom: { name },
			// n8n 1.x does not read the stored workflow.
			workflowData,
		});
		return await this.finished(executionId);
	}

	/** The executions of a workflow that n8n lists, the latest first; 100 at most. */
	async executions(workflowId: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const { results } = await this.rest<{ results: ExecutionSummary[] }>(
			'GET',
			`/executions?filter=${filter}&limit=100`,
		);
		return results;
	}

	/** One execution and the output of its nodes. */
	async execution(id: string): Promise<Execution> {
		const flatted = createRequire(this.installation.program)('flatted') as Flatted;
		const { data, ...summary } = await this.rest<ExecutionSummary & { data: string }>(
			'GET',
			`/executions/${id}`,
		);
		return { ...summary, data: flatted.parse(data) as IRunExecutionData };
	}

	/**
	 * Waits until an execution has ended.
	 *
	 * @param timeout in milliseconds
	 */
	async finished(executionId: string, timeout = 60_000): Promise<Execution> {
		const ended = async () => {
			const execution = await this.execution(executionId);
			// n8n 1.x stores the status a moment before the data.
			return UNFINISHED.includes(execution.status) || !execution.data ? undefined : execution;
		};
		return await until(`execution ${executionId} ends`, ended, timeout, 200);
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
}

/** The items of a node's last run in an execution, one array for each output of the node. */
export function nodeOutput({ data }: Execution, nodeName: string): INodeExecutionData[][] {
	const runs = data.resultData.runData[nodeName] ?? [];
	return (runs.at(-1)?.data?.main ?? []).map((items) => items ?? []);
}
