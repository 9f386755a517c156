import schema from '../../../nodes/DataArtsInsight/__schema__/v1.0.0/vpcEndpoint/verifyAndCreate.json';
import { endpointServices, type Simulator } from '../../support/cloud';
import { toItems } from '../../support/engine/runNode';
import { runOn, useSimulator } from '../../support/engine/runOnSimulator';

const { salesWarehouse } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

it('the output schema has the fields and types of a verified endpoint', async () => {
	const { items } = await runOn(simulator, {}, { input: toItems(salesWarehouse.name) });
	const types = Object.entries(items[0]?.json ?? {}).map(([field, value]) => [
		field,
		{ type: Number.isInteger(value) ? 'integer' : typeof value },
	]);
	expect(schema.properties).toEqual(Object.fromEntries(types));
});

it.each([
	['vpcEndpoint', 'delete', "operation 'delete' for 'vpcEndpoint'"],
	['dataSource', 'verifyAndCreate', "resource 'dataSource'"],
])(
	'an unknown resource or operation of a newer version is named: %s, %s',
	async (resource, operation, missing) => {
		const { error } = await runOn(simulator, { resource, operation });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: `This version of the node has no ${missing}`,
			description: expect.stringContaining('update the package') as string,
		});
		expect(simulator.requests).toEqual([]);
	},
);
