import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { DataArtsInsight } from '../../../nodes/DataArtsInsight/DataArtsInsight.node';
import { parameterValues } from './resources/parameterValues';

/** As much of n8n as the node needs for no items at all. */
const contextOf = (parameters: Record<string, unknown>) =>
	({
		helpers: {},
		getInputData: () => [],
		continueOnFail: () => false,
		getExecutionCancelSignal: () => undefined,
		getExecuteData: () => ({}),
		getNode: () => ({ id: '1', name: 'Node', type: 'x', typeVersion: 1, position: [0, 0], parameters: {} }),
		getCredentials: async () => await Promise.resolve({}),
		getNodeParameter: parameterValues({ lookupMode: 'name', ...parameters }),
	}) as unknown as IExecuteFunctions;

const execute = async (parameters: Record<string, unknown>) =>
	await new DataArtsInsight().execute.call(contextOf(parameters));

it('runs the operation that was chosen, with one output', async () => {
	expect(await execute({ resource: 'vpcEndpoint', operation: 'verifyAndCreate' })).toEqual([[]]);
});

it.each([
	['vpcEndpoint', 'reject'],
	['dataset', 'verifyAndCreate'],
])('does not guess at a resource %s with an operation %s of a newer version', async (resource, operation) => {
	await expect(execute({ resource, operation })).rejects.toMatchObject({
		name: 'NodeOperationError',
		message: `This version of the node has no operation '${operation}' for '${resource}'`,
		description:
			"Choose another 'Operation', or update the package if the workflow was made with a newer version",
	});
});

it('has each method that its form and its credential name', () => {
	const { description, methods } = new DataArtsInsight();
	expect(description.credentials?.map(({ testedBy }) => testedBy)).toEqual(
		Object.keys(methods.credentialTest),
	);
	expect(Object.values(methods.credentialTest)).toEqual([expect.any(Function)]);
	const searches = (properties: INodeProperties[]) =>
		properties.flatMap(({ modes = [] }) => modes.flatMap((mode) => mode.typeOptions?.searchListMethod ?? []));
	expect(searches(description.properties)).toHaveLength(1);
	for (const name of searches(description.properties)) {
		expect(methods.listSearch).toHaveProperty([name], expect.any(Function));
	}
});

it('the form offers the resource and the operation that it runs', () => {
	const { properties } = new DataArtsInsight().description;
	const offered = (name: string) =>
		properties
			.filter((property) => property.name === name)
			.flatMap(({ options = [] }) => options.map((option) => ('value' in option ? option.value : '')));
	expect(offered('resource')).toEqual(['vpcEndpoint']);
	expect(offered('operation')).toEqual(['verifyAndCreate']);
});
