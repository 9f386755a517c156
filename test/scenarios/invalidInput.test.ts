import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { endpointServices, type Simulator } from '../support/cloud';
import { runOn, useSimulator } from '../support/engine/runOnSimulator';

const { salesWarehouse, webShop } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

describe('invalid input', () => {
	const good = { dsType: 'DWS', lookupMode: 'name', vpcEpServerName: salesWarehouse.name };

	it.each<[string, INodeParameters, string]>([
		['a blank name', { vpcEpServerName: '={{ " " }}' }, "'Endpoint Service Name' is blank"],
		['a blank ID', { lookupMode: 'id', vpcEpServerId: '={{ null }}' }, "'Endpoint Service ID' is blank"],
		[
			'half of both',
			{ lookupMode: 'nameAndId', vpcEpServerId: '={{ "" }}' },
			"'Endpoint Service ID' is blank",
		],
		['a blank type', { dsType: '={{ undefined }}' }, "'Data Source Type' is blank"],
		['a list', { vpcEpServerName: '={{ [1] }}' }, "'Endpoint Service Name' holds a list instead of text"],
		[
			'a number',
			{ dsType: '={{ 5 }}' },
			"'Data Source Type' holds a value of the type number instead of text",
		],
		[
			'an unknown mode',
			{ lookupMode: '={{ "constructor" }}', vpcEpServerId: webShop.id },
			"'Look Up Endpoint Service' is 'constructor', which is no lookup mode",
		],
		[
			'a silly concurrency',
			{ options: { maxConcurrency: '={{ 0 }}' } },
			"'Max Concurrency' in the options is not a whole number from 1 to 100",
		],
		[
			'a silly timeout',
			{ options: { timeout: '={{ "soon" }}' } },
			"'Timeout' in the options is not a whole number from 1 to 3600000",
		],
	])('%s: nothing is sent, and the field is named', async (_what, parameters, message) => {
		const { error } = await runOn(simulator, { ...good, ...parameters });
		expect(error).toMatchObject({ name: 'NodeOperationError', message, context: { itemIndex: 0 } });
		expect(error?.description).toBeTruthy();
		expect(simulator.requests).toEqual([]);
	});

	it('an expression that breaks keeps the words of n8n', async () => {
		const parameters = { ...good, vpcEpServerName: '={{ $("Nowhere").item.json.x }}' };
		const { error } = await runOn(simulator, parameters);
		expect(error?.message).toContain("doesn't exist");
		const { items } = await runOn(simulator, parameters, { onError: 'continueRegularOutput' });
		expect(items).toMatchObject([{ json: { error: error?.message, details: { code: 'INVALID_INPUT' } } }]);
	});

	it.each<[string, IDataObject]>([
		["'Project ID' in the credential", { projectId: '../x' }],
		["'Base URL' in the credential", { baseUrl: 'http://127.0.0.1/v2' }],
		["'User Token' in the credential", { token: '' }],
	])('a bad credential fails every item and names %s', async (words, change) => {
		const credential = { ...simulator.credentials, ...change };
		const { error } = await runOn(simulator, good, { credential });
		expect(error).toMatchObject({ name: 'NodeOperationError' });
		expect(error?.message).toContain(words);
		const { errorOutput, items } = await runOn(simulator, good, {
			credential,
			input: [{ a: 1 }, { a: 2 }],
			onError: 'continueErrorOutput',
		});
		expect(items).toEqual([]);
		expect(errorOutput.map(({ json }) => json.a)).toEqual([1, 2]);
		expect(simulator.requests).toEqual([]);
	});

	it('a credential that is gone fails every item', async () => {
		const { items } = await runOn(simulator, good, {
			credential: undefined,
			input: [{}, {}],
			onError: 'continueRegularOutput',
		});
		expect(items).toHaveLength(2);
		expect(items[1]?.json.error).toContain('no credential');
	});
});
