import type { IExecuteFunctions, NodeExecutionHint } from 'n8n-workflow';

import type { Operation } from '../../../nodes/DataArtsInsight/resources/resource';
import { parameterValues } from './parameterValues';

export interface OperationRun {
	/** Where the services are. */
	url: string;
	parameters: Record<string, unknown>;
	/** How many items come in; one when left out. */
	total?: number;
	continueOnFail?: boolean;
	retryOnFail?: boolean;
	/** n8n hands over the same object to each try. */
	executeData?: object;
	/** That of the credential. */
	workspaceId?: string;
}

/** Runs an operation of the sources with as much of n8n as it needs. */
export async function runOperation(
	operation: Operation,
	{
		url,
		parameters,
		total = 1,
		continueOnFail = false,
		retryOnFail,
		executeData = {},
		workspaceId = 'w',
	}: OperationRun,
) {
	const told: NodeExecutionHint[][] = [];
	const credential = {
		region: 'custom',
		baseUrl: url,
		vpcepUrl: url,
		token: 'secret-token',
		projectId: 'p',
		workspaceId,
	};
	const context = {
		helpers: {},
		getInputData: () => Array.from({ length: total }, () => ({ json: {} })),
		continueOnFail: () => continueOnFail,
		getExecutionCancelSignal: () => undefined,
		getExecuteData: () => executeData,
		getNode: () => ({ id: '1', name: 'Node', type: 'x', typeVersion: 1, parameters: {}, retryOnFail }),
		getCredentials: async () => await Promise.resolve(credential),
		getNodeParameter: parameterValues(parameters),
		addExecutionHints: (...hints: NodeExecutionHint[]) => told.push(hints),
	} as unknown as IExecuteFunctions;
	const outcome = await operation.run(context).then(
		(items) => ({ items, error: undefined }),
		(error: unknown) => ({ items: [], error: error as Error & { description?: string } }),
	);
	return { ...outcome, told, hints: told.flat().map(({ message }) => message) };
}
