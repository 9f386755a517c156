// First: n8n-core reads the environment while it is imported.
import './environment';

import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';

import { Container } from '@n8n/di';
import { PollContext, PollTriggerExecutor } from 'n8n-core';
import {
	deepCopy,
	Workflow,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type INode,
	type INodeExecutionData,
	type WorkflowActivateMode,
} from 'n8n-workflow';

import { describeWorkflow, type EngineTypes, lookUp, surroundings } from '.';

export interface TriggerOptions {
	types: EngineTypes;
	/** Decrypted values by credential type. May be changed between polls. */
	credentials: Record<string, ICredentialDataDecryptedObject>;
	/** Whether n8n keeps the state of each poll together with its execution, as it does with durable cursors. */
	durable?: boolean;
	/** How long n8n gives a poll, in milliseconds; `null` is an n8n that does not say. */
	budget?: number | null;
	/** What was saved before. */
	saved?: IDataObject;
}

/**
 * A polling trigger in an active workflow, on n8n's own `PollTriggerExecutor` and `PollContext`. What n8n keeps around them
 * is written here as n8n 2.41 does it in `TriggerExecutionContextFactory` and `PollCursorService`: static data is saved after
 * the activation and with whatever a poll emits; a durable cursor is staged by each poll, and dropped if that throws.
 */
export class ActiveTrigger {
	/** What each poll emitted that found something. */
	readonly emitted: INodeExecutionData[][] = [];

	/** What polls after the activation threw. */
	readonly errors: Error[] = [];

	/** What is in n8n's database. */
	saved: IDataObject;

	/** Counts the polls, so that only the last one that began can keep its state: n8n's lease of a poll. */
	private lease = 0;

	private run?: (testingTrigger?: boolean) => Promise<void>;

	private stop = () => undefined as void;

	constructor(
		private readonly node: INode,
		private readonly options: TriggerOptions,
	) {
		this.saved = deepCopy(options.saved ?? {});
	}

	/** All items in the order in which they were emitted. */
	get items(): IDataObject[] {
		return this.emitted.flat().map(({ json }) => json);
	}

	/**
	 * Activates the workflow, or activates it again as a start of n8n does. What n8n had in memory is gone, and a poll that is
	 * still running counts for nothing.
	 *
	 * @throws what the first poll throws
	 */
	async activate(mode: WorkflowActivateMode = 'activate'): Promise<void> {
		this.stop();
		let current = true;
		this.stop = () => void (current = false);
		const { types, durable = false } = this.options;
		const base = describeWorkflow({ name: 'Harness', nodes: [deepCopy(this.node)], connections: {} });
		const staticData = deepCopy(this.saved);
		const workflow = new Workflow({ ...base, active: true, staticData, nodeTypes: lookUp(types.nodes) });
		const node = workflow.getNode(this.node.name);
		if (!node) throw new Error('The trigger is not in the workflow');
		const context = this.contextOf(workflow, node, mode, durable);
		this.run = Container.get(PollTriggerExecutor).create(workflow, node, context, () => current);
		await this.run(true);
		this.save(workflow);
	}

	/** Polls, as n8n does by the times that the trigger is set to. Nothing is thrown: see `errors`. */
	async poll(): Promise<void> {
		if (!this.run) throw new Error('The workflow is not active');
		await this.run();
	}

	private contextOf(workflow: Workflow, node: INode, mode: WorkflowActivateMode, durable: boolean) {
		const { types, credentials, budget = 5 * 60_000 } = this.options;
		const key = `node:${node.name}`;
		const staged = new AsyncLocalStorage<{ cursor: IDataObject; lease: number }>();
		const commit = () => {
			const own = staged.getStore();
			if (own?.lease !== this.lease) return false;
			if (!isDeepStrictEqual(own.cursor, this.saved[key])) {
				this.saved = { ...this.saved, [key]: deepCopy(own.cursor) };
			}
			return true;
		};
		const emit = ([items = []]: INodeExecutionData[][]) => {
			if (durable && !commit()) return;
			if (!durable) this.save(workflow);
			this.emitted.push(items);
		};
		const base = describeWorkflow({ name: 'Harness', nodes: [node], connections: {} });
		const context = new PollContext(
			workflow,
			node,
			surroundings(base, 'trigger', types, credentials),
			'trigger',
			mode,
			emit,
			(error) => void this.errors.push(error),
			durable ? async () => await Promise.resolve(void commit()) : undefined,
			durable
				? async (poll) => {
						const cursor = deepCopy((this.saved[key] ?? {}) as IDataObject);
						return await staged.run({ cursor, lease: ++this.lease }, poll);
					}
				: undefined,
			durable ? () => staged.getStore()?.cursor ?? {} : undefined,
			() => budget ?? NaN,
		);
		if (budget === null) Reflect.deleteProperty(context, 'getPollBudgetMs');
		return context;
	}

	private save(workflow: Workflow) {
		const staticData = workflow.staticData as { __dataChanged?: boolean };
		// n8n saves nothing unless a field of the static data was set.
		if (!staticData.__dataChanged) return;
		this.saved = JSON.parse(JSON.stringify(staticData)) as IDataObject;
		staticData.__dataChanged = false;
	}
}
