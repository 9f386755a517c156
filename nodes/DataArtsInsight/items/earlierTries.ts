import type { IExecuteFunctions, INode, INodeExecutionData } from 'n8n-workflow';

/** Whether a node is used as a tool of an AI agent: n8n gives its type another name then. */
export function isTool({ type }: INode): boolean {
	return type.endsWith('Tool');
}

interface Result {
	/** What was sent for the item. */
	request: string;
	items: INodeExecutionData[];
}

/**
 * What succeeded in the tries of a node so far, by the execute data of the node's run.
 *
 * n8n tells a node neither that it is tried again nor what an earlier try gave. The tries are recognised by an
 * object: `WorkflowExecute.processRunExecutionData` in n8n-core takes one execute data off its stack, and its loop over
 * the tries gives that same object to each call of `runNode`, and so to the context of each try. Another run of the node
 * has another object. Should n8n come to copy the object for each try, every try would send all items again, as it
 * would without this map; the test of Retry On Fail on n8n's engine fails then. Only an agent gives one execute data to
 * several calls that are no tries: those of its tools, which are left out below.
 */
const results = new WeakMap<object, { node: string; byItem: Map<number, Result> }>();

/**
 * The results of earlier tries, where n8n's *Retry On Fail* runs the node again for all items. A result counts only
 * for the item and the request that it came from.
 */
export class EarlierTries {
	private readonly byItem: Map<number, Result>;

	/** @returns nothing where the node is not tried again: an agent means each of its calls */
	static of(context: IExecuteFunctions): EarlierTries | undefined {
		const node = context.getNode();
		return node.retryOnFail && !isTool(node) ? new EarlierTries(context) : undefined;
	}

	private constructor(private readonly context: IExecuteFunctions) {
		const known = results.get(context.getExecuteData());
		this.byItem = known?.node === context.getNode().id ? known.byItem : new Map<number, Result>();
		results.set(context.getExecuteData(), { node: context.getNode().id, byItem: this.byItem });
	}

	add(itemIndex: number, request: string, items: INodeExecutionData[]) {
		this.byItem.set(itemIndex, { request, items });
	}

	/**
	 * The items that came of a request in an earlier try.
	 *
	 * @param request left out where it cannot be told what would be sent
	 */
	get(itemIndex: number, request?: string): INodeExecutionData[] | undefined {
		const result = this.byItem.get(itemIndex);
		return request === undefined || result?.request === request ? result?.items : undefined;
	}

	/** A try has succeeded as a whole, so there will be no other. */
	forget() {
		results.delete(this.context.getExecuteData());
	}
}
