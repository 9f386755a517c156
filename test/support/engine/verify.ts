import type { INodeExecutionData, INodeParameters, OnError } from 'n8n-workflow';

import { built, OUR_NODE } from './built';
import { type RunOptions, runWorkflow } from '.';

export interface VerifyOptions extends Pick<RunOptions, 'signal'> {
	/** The node's credential, and what is to differ from it. */
	credentials: object;
	/** The node's options, such as maxRetries. */
	options?: INodeParameters;
	/** `continueRegularOutput` when left out: then every item comes out. */
	onError?: OnError;
	/** More settings of the node, such as retryOnFail. */
	node?: object;
	/** How often the node is run in the execution; once when left out. */
	runs?: 1 | 2;
}

/** Runs a workflow that verifies these endpoint services, one item each, on n8n's engine. */
export async function verify(
	names: string[],
	{ credentials, options = {}, onError = 'continueRegularOutput', node, runs = 1, signal }: VerifyOptions,
) {
	const base = { typeVersion: 1, position: [0, 0] as [number, number] };
	const to = (name: string) => ({ node: name, type: 'main' as const, index: 0 });
	const workflow = {
		nodes: [
			{ ...base, id: '1', name: 'Start', type: 'n8n-nodes-base.manualTrigger', parameters: {} },
			{ ...base, id: '2', name: 'Again', type: 'n8n-nodes-base.noOp', parameters: {} },
			{
				...base,
				id: '3',
				name: 'DataArts Insight',
				type: OUR_NODE,
				parameters: {
					resource: 'vpcEndpoint',
					operation: 'verifyAndCreate',
					dsType: 'DWS',
					lookupMode: 'name',
					vpcEpServerName: '={{ $json.name }}',
					options,
				},
				credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
				onError,
				...node,
			},
		],
		connections: {
			Start: { main: [[to('DataArts Insight'), ...(runs === 2 ? [to('Again')] : [])]] },
			Again: { main: [[to('DataArts Insight')]] },
		},
	};
	const result = await runWorkflow(workflow, {
		types: await built,
		credentials: { dataArtsInsightApi: { ...credentials } },
		input: names.map((name) => ({ name })),
		signal,
	});
	return { ...result, items: result.output('DataArts Insight')[0] ?? [] };
}

/** So many names of endpoint services, all different. */
export function makeNames(count: number): string[] {
	return Array.from({ length: count }, (_, index) => `cn-north-4.item-${index}`);
}

/** Each item came out exactly once, in its place, as the endpoint that it asked for or as a failure. */
export function expectOneOutputEach(items: INodeExecutionData[], names: string[]) {
	expect(items.map(({ pairedItem }) => pairedItem)).toEqual(names.map((_, item) => ({ item })));
	const wrong = items.filter(
		({ json }, index) => typeof json.error !== 'string' && json.vpc_ep_server_name !== names[index],
	);
	expect(wrong).toEqual([]);
}

/** What the failed items say of themselves; undefined for those that succeeded. */
export function detailsOf(items: INodeExecutionData[]) {
	return items.map(
		({ json }) => json.details as { code: string; outcomeUnknown: boolean; description: string } | undefined,
	);
}

/** How often the service was asked for each name. */
export function postsOf({ posts }: { posts: Map<string, number> }, names: string[]): number[] {
	return names.map((name) => posts.get(name) ?? 0);
}
