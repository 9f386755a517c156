import type { IDataObject, INodeParameters, OnError } from 'n8n-workflow';

import { built, OUR_NODE } from './built';
import { type RunOptions, runWorkflow } from '.';

/** Reads the type and the name of the endpoint service from the item. */
export const byName = {
	dsType: '={{ $json.type ?? "DWS" }}',
	lookupMode: 'name',
	vpcEpServerName: '={{ $json.name }}',
};

export const names = (...list: string[]) => list.map((name) => ({ name }));

export interface NodeRun extends Pick<RunOptions, 'input' | 'signal'> {
	/** What somebody typed into the credential; none if there is no credential. */
	credential: IDataObject | undefined;
	onError?: OnError;
	/** Other settings of the node, such as `retryOnFail`. */
	settings?: object;
}

/** Runs trigger > DataArts Insight > what succeeded and what failed, on n8n's engine. */
export async function runNode(
	parameters: INodeParameters,
	{ credential, onError, settings, ...options }: NodeRun,
) {
	const base = { typeVersion: 1, position: [0, 0] as [number, number] };
	const to = (node: string) => [{ node, type: 'main' as const, index: 0 }];
	const workflow = {
		nodes: [
			{ ...base, id: '1', name: 'Start', type: 'n8n-nodes-base.manualTrigger', parameters: {} },
			{
				...base,
				id: '2',
				name: 'DataArts Insight',
				type: OUR_NODE,
				parameters: { resource: 'vpcEndpoint', operation: 'verifyAndCreate', ...parameters },
				credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
				onError,
				...settings,
			},
			{ ...base, id: '3', name: 'Good', type: 'n8n-nodes-base.noOp', parameters: {} },
			{ ...base, id: '4', name: 'Bad', type: 'n8n-nodes-base.noOp', parameters: {} },
		],
		connections: {
			Start: { main: [to('DataArts Insight')] },
			'DataArts Insight': { main: [to('Good'), to('Bad')] },
		},
	};
	const credentials = credential && { dataArtsInsightApi: credential as never };
	const result = await runWorkflow(workflow, { types: await built, credentials, ...options });
	return {
		...result,
		items: result.output('DataArts Insight')[0] ?? [],
		good: result.output('Good')[0] ?? [],
		bad: result.output('Bad')[0] ?? [],
	};
}
