// First: n8n-core reads the environment while it is imported.
import { userFolder } from './environment';

import { rm } from 'node:fs/promises';

import {
	ExecutionLifecycleHooks,
	LoadOptionsContext,
	PackageDirectoryLoader,
	WorkflowExecute,
} from 'n8n-core';
import {
	createRunExecutionData,
	deepCopy,
	NodeConnectionTypes,
	NodeHelpers,
	Workflow,
	type ExecutionError,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type INodeListSearchResult,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IWorkflowBase,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';

import { additionalData, MemoryCredentials } from './host';

/** Node types by full name (`package.node`), credential types by name. */
export interface EngineTypes {
	nodes: Record<string, INodeType>;
	credentials: Record<string, ICredentialType>;
}

/** The parts of a workflow that decide how it runs; a workflow exported from n8n has them all. */
export type RunnableWorkflow = Pick<IWorkflowBase, 'nodes' | 'connections'> &
	Partial<Pick<IWorkflowBase, 'name' | 'settings'>>;

export interface RunOptions {
	types: EngineTypes;
	/** Decrypted values by credential type. A token that the run fetches is written back, as n8n stores it. */
	credentials?: Record<string, ICredentialDataDecryptedObject>;
	/** What the trigger emits; one empty item when left out. */
	input?: IDataObject[];
	/** `manual` when left out. */
	mode?: WorkflowExecuteMode;
	/** Stops the execution when aborted, as the Stop button does. */
	signal?: AbortSignal;
}

export interface RunResult {
	run: IRun;
	/**
	 * The items of a node's last run, one array for each branch; no array when the node did not run.
	 *
	 * @throws Error when the workflow has no node of that name
	 */
	output: (nodeName: string) => INodeExecutionData[][];
	/** What stopped the workflow, as the engine stores it: the fields of the error, but not of its class. */
	error: ExecutionError | undefined;
}

/** The nodes of n8n itself that a workflow begins with, ends in or is explained by. */
const baseNodes: Record<string, INodeType> = {
	'n8n-nodes-base.manualTrigger': passOn('manualTrigger', 'trigger'),
	'n8n-nodes-base.scheduleTrigger': passOn('scheduleTrigger', 'trigger'),
	'n8n-nodes-base.noOp': passOn('noOp', 'organization'),
	'n8n-nodes-base.stickyNote': passOn('stickyNote', 'input'),
};

let executions = 0;

/**
 * Loads a built package as n8n does.
 *
 * @param folder where its package.json and dist/ are
 * @throws what n8n throws when a file or class is missing or a description is not valid
 */
export async function loadPackage(folder: string): Promise<EngineTypes> {
	const loader = new PackageDirectoryLoader(folder);
	await loader.loadAll();
	const types: EngineTypes = { nodes: {}, credentials: {} };
	for (const [name, { type }] of Object.entries(loader.nodeTypes)) {
		types.nodes[`${loader.packageName}.${name}`] = NodeHelpers.getVersionedNodeType(type);
	}
	for (const [name, { type }] of Object.entries(loader.credentialTypes)) {
		types.credentials[name] = type;
	}
	return types;
}

/**
 * Runs a workflow on n8n's engine, from its first enabled trigger on.
 *
 * @throws Error when a node type is unknown or no trigger is enabled, WorkflowHasIssuesError when a required
 * parameter is empty. What goes wrong later is in the result.
 */
export async function runWorkflow(workflow: RunnableWorkflow, options: RunOptions): Promise<RunResult> {
	const { nodes, connections, name = 'Harness', settings } = workflow;
	const { types, credentials = {}, input = [{}], mode = 'manual', signal } = options;
	const nodeTypes = lookUp({ ...baseNodes, ...types.nodes });
	const base = describeWorkflow({
		name,
		nodes: deepCopy(nodes), // the engine fills in their parameters
		connections,
		settings: { executionOrder: 'v1', ...settings },
	});
	const engineWorkflow = new Workflow({ ...base, nodeTypes });
	const trigger = base.nodes.find((node) => {
		const { group } = nodeTypes.getByNameAndVersion(node.type).description;
		return !node.disabled && group.includes('trigger');
	});
	if (!trigger) throw new Error('The workflow has no enabled trigger');

	const main = [input.map((json) => ({ json }))];
	const nodeExecutionStack = [{ node: trigger, data: { main }, source: null }];
	const engine = new WorkflowExecute(
		surroundings(base, mode, types, credentials),
		mode,
		createRunExecutionData({ executionData: { nodeExecutionStack } }),
	);

	try {
		const execution = engine.processRunExecutionData(engineWorkflow);
		const cancel = () => execution.cancel();
		signal?.addEventListener('abort', cancel);
		if (signal?.aborted) cancel();
		const run = await execution.finally(() => signal?.removeEventListener('abort', cancel));
		const { runData, error } = run.data.resultData;
		const output = (nodeName: string) => {
			if (!engineWorkflow.getNode(nodeName)) throw new Error(`The workflow has no node "${nodeName}"`);
			return (runData[nodeName]?.at(-1)?.data?.main ?? []).map((items) => items ?? []);
		};
		return { run, output, error };
	} finally {
		// The settings in there are never read again, and Jest's `process` emits no exit to wait for.
		await rm(userFolder, { recursive: true, force: true });
	}
}

/**
 * Asks a node for the entries of a list that is searched, as the editor does for its form.
 *
 * @param nodeType full name of the node's type
 * @param method the name of the method below `listSearch`
 * @param filter what somebody typed to search
 * @param paginationToken what the entries before brought along, if there were any
 * @throws Error when the node has no such method, and what the method throws
 */
export async function searchList(
	nodeType: string,
	method: string,
	{ types, credentials = {} }: Pick<RunOptions, 'types' | 'credentials'>,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	const search = types.nodes[nodeType]?.methods?.listSearch?.[method];
	if (!search) throw new Error(`${nodeType} has no list "${method}"`);
	const details = Object.keys(credentials).map((name) => [name, { id: '1', name }] as const);
	const node: INode = {
		id: '1',
		name: 'Form',
		type: nodeType,
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		credentials: Object.fromEntries(details),
	};
	const base = describeWorkflow({ name: 'Harness', nodes: [node], connections: {} });
	const workflow = new Workflow({ ...base, nodeTypes: lookUp(types.nodes) });
	const context = new LoadOptionsContext(
		workflow,
		node,
		surroundings(base, 'internal', types, credentials),
		'parameters',
	);
	return await search.call(context, filter, paginationToken);
}

/** A workflow with all that n8n's database keeps of it. */
export function describeWorkflow(
	parts: Pick<IWorkflowBase, 'name' | 'nodes' | 'connections' | 'settings'>,
): IWorkflowBase {
	return {
		id: 'harness',
		active: false,
		activeVersionId: null,
		isArchived: false,
		createdAt: new Date(),
		updatedAt: new Date(),
		...parts,
	};
}

/** The n8n around an execution. */
export function surroundings(
	workflow: IWorkflowBase,
	mode: WorkflowExecuteMode,
	types: EngineTypes,
	credentials: Record<string, ICredentialDataDecryptedObject>,
): IWorkflowExecuteAdditionalData {
	return additionalData(
		new ExecutionLifecycleHooks(mode, String(++executions), workflow),
		new MemoryCredentials(types.credentials, credentials),
	);
}

function passOn(name: string, group: 'input' | 'organization' | 'trigger'): INodeType {
	return {
		description: {
			displayName: name,
			name,
			group: [group],
			version: 1,
			description: '',
			defaults: {},
			inputs: [NodeConnectionTypes.Main],
			outputs: [NodeConnectionTypes.Main],
			properties: [],
		},
		execute(this: IExecuteFunctions) {
			return Promise.resolve([this.getInputData()]);
		},
	};
}

/** @returns what gives a node type by its full name, and throws an Error where there is none */
export function lookUp(nodes: Record<string, INodeType>): INodeTypes {
	const get = (name: string) => {
		const type = nodes[name];
		if (!type) throw new Error(`Unknown node type: ${name}`);
		return type;
	};
	return { getByName: get, getByNameAndVersion: get, getKnownTypes: () => ({}) };
}
