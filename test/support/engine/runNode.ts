import type { IDataObject, INodeExecutionData, INodeParameters, OnError } from 'n8n-workflow';

import { type RunOptions, runWorkflow } from '.';
import { built } from './built';
import { chain, insight, manualTrigger, node, outputsTo } from './workflow';

export interface NodeRun extends Pick<RunOptions, 'input' | 'signal'> {
	/** What somebody typed into the node's credential; none if there is no credential. */
	credential: object | undefined;
	/** n8n's setting On Error; `stopWorkflow` when left out. */
	onError?: OnError;
	/** Other settings of the node, such as `retryOnFail`. */
	settings?: object;
	/** How often the node is run in the execution; once when left out. */
	runs?: 1 | 2;
}

/**
 * Runs trigger > DataArts Insight on n8n's engine.
 *
 * @param parameters what is to differ from verifying the endpoint service that each item names
 */
export async function runNode(
	parameters: INodeParameters,
	{ credential, onError, settings, runs = 1, ...options }: NodeRun,
) {
	const workflow = chain(manualTrigger(), insight(parameters, { onError, ...settings }));
	if (runs === 2) {
		workflow.nodes.push(node('Again', 'n8n-nodes-base.noOp'));
		workflow.connections.Start = outputsTo(['DataArts Insight', 'Again']);
		workflow.connections.Again = outputsTo(['DataArts Insight']);
	}
	const credentials = credential && { dataArtsInsightApi: { ...credential } };
	const result = await runWorkflow(workflow, { types: await built, credentials, ...options });
	const [items = [], errorOutput = []] = result.output('DataArts Insight');
	return { ...result, items, errorOutput };
}

export interface VerifyRun extends Omit<NodeRun, 'input'> {
	/** The node's options, such as maxRetries. */
	options?: INodeParameters;
}

/** Verifies these endpoint services, one item each. Every item comes out, unless `onError` says otherwise. */
export async function verify(names: string[], { options = {}, ...run }: VerifyRun) {
	return await runNode({ options }, { onError: 'continueRegularOutput', ...run, input: toItems(...names) });
}

/** Items that name endpoint services. */
export function toItems(...names: string[]): IDataObject[] {
	return names.map((name) => ({ name }));
}

/** So many names of endpoint services, all different. */
export function makeNames(count: number): string[] {
	return Array.from({ length: count }, (_, index) => `cn-north-4.item-${index}`);
}

/** Each item came out exactly once, in its place, as the endpoint of its name or as a failure. */
export function expectOneOutputEach(items: INodeExecutionData[], names: string[]) {
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual(names.map((_, item) => ({ item })));
	const wrong = items.filter(
		({ json }, index) => typeof json.error !== 'string' && json.vpc_ep_server_name !== names[index],
	);
	expect(wrong).toEqual([]);
}

/** The error details of each item; undefined where it succeeded. */
export function detailsOf(items: INodeExecutionData[]) {
	return items.map(
		({ json }) => json.details as { code: string; outcomeUnknown: boolean; description: string } | undefined,
	);
}

/** How many POSTs the service got for each name. */
export function postsOf({ posts }: { posts: Map<string, number> }, names: string[]): number[] {
	return names.map((name) => posts.get(name) ?? 0);
}
