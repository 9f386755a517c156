import type { IExecuteFunctions } from 'n8n-workflow';

import {
	requestFields,
	requestReader,
} from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/verifyRequest';
import { InputError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { expression, parameterValues } from '../../../../support/engine/parameterValues';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';

/** Prepares to read with these parameters; all fields are filled in unless the test says otherwise. */
const readerOf = (parameters: Record<string, unknown> = {}) =>
	requestReader({
		getNodeParameter: parameterValues({
			dsType: 'DWS',
			lookupMode: 'name',
			vpcEpServerName: 'a',
			vpcEpServerId: ID,
			vpcEpServer: { __rl: true, mode: 'list', value: 'listed' },
			...parameters,
		}),
	} as unknown as IExecuteFunctions);

/** What is thrown. */
function thrownBy(act: () => unknown): unknown {
	try {
		act();
	} catch (error) {
		return error;
	}
	return undefined;
}

describe('the request', () => {
	it.each<[string, object]>([
		['name', { vpc_ep_server_name: 'a' }],
		['id', { vpc_ep_server_id: ID }],
		['nameAndId', { vpc_ep_server_name: 'a', vpc_ep_server_id: ID }],
		['list', { vpc_ep_server_id: 'listed' }],
	])('by the mode %s holds what that mode needs, and nothing else', (lookupMode, expected) => {
		expect(readerOf({ lookupMode })(0)).toStrictEqual({ ds_type: 'DWS', ...expected });
	});

	it('is read for each item', () => {
		const read = readerOf({
			dsType: expression(['DWS', 'Hive']),
			lookupMode: expression(['name', 'id']),
			vpcEpServerName: expression(['a', 'b']),
		});
		expect(read(1)).toStrictEqual({ ds_type: 'Hive', vpc_ep_server_id: ID });
		expect(read(0)).toStrictEqual({ ds_type: 'DWS', vpc_ep_server_name: 'a' });
	});

	it('has no blanks around its values', () => {
		const read = readerOf({
			dsType: ' DWS ',
			lookupMode: ' nameAndId',
			vpcEpServerName: ' a\n',
			vpcEpServerId: `${ID} `,
		});
		expect(read(0)).toEqual({ ds_type: 'DWS', vpc_ep_server_name: 'a', vpc_ep_server_id: ID });
	});

	it.each<[string, Record<string, unknown>, string]>([
		['type', { dsType: ' ' }, 'Data Source Type'],
		['name', { vpcEpServerName: '' }, 'Endpoint Service Name'],
		['name beside an ID', { lookupMode: 'nameAndId', vpcEpServerName: '' }, 'Endpoint Service Name'],
		['ID', { lookupMode: 'id', vpcEpServerId: '' }, 'Endpoint Service ID'],
		['ID beside a name', { lookupMode: 'nameAndId', vpcEpServerId: '' }, 'Endpoint Service ID'],
		['choice', { lookupMode: 'list', vpcEpServer: '' }, 'Endpoint Service'],
	])('cannot be made with a blank %s', (_what, parameters, label) => {
		const error = thrownBy(() => readerOf(parameters)(0));
		expect(error).toBeInstanceOf(InputError);
		expect(error).toMatchObject({
			message: `'${label}' is blank`,
			description: `Fill in '${label}', or check what its expression gives for this item`,
		});
	});

	it.each<[string, Record<string, unknown>]>([
		['name', { lookupMode: 'id', vpcEpServerName: '', vpcEpServer: '' }],
		['ID', { lookupMode: 'name', vpcEpServerId: '', vpcEpServer: '' }],
		['name nor ID', { lookupMode: 'list', vpcEpServerName: '', vpcEpServerId: '' }],
	])('needs no %s where its mode does not ask for one', (_what, parameters) => {
		expect(thrownBy(() => readerOf(parameters)(0))).toBeUndefined();
	});

	it.each(['other', '', 'Name', 'toString'])('cannot be made by the mode %j', (lookupMode) => {
		const error = thrownBy(() => readerOf({ lookupMode })(0));
		expect(error).toBeInstanceOf(InputError);
		expect(error).toMatchObject({
			message: `'Look Up Endpoint Service' is '${lookupMode}', which is no lookup mode`,
			description: 'Choose a mode from the list, or let the expression give name, id, nameAndId or list',
		});
	});

	it.each([
		['dsType', 'Data Source Type'],
		['lookupMode', 'Look Up Endpoint Service'],
		['vpcEpServerName', 'Endpoint Service Name'],
	])('names the field %s as the form does where its expression gives no text', (parameter, label) => {
		const read = readerOf({ [parameter]: expression([5]) });
		expect(thrownBy(() => read(0))).toMatchObject({
			message: `'${label}' holds a value of the type number instead of text`,
		});
	});
});

describe('the fields', () => {
	it('are those that are read, under the labels that errors name', () => {
		expect(requestFields.map(({ name, displayName }) => [name, displayName])).toEqual([
			['dsType', 'Data Source Type'],
			['lookupMode', 'Look Up Endpoint Service'],
			['vpcEpServerName', 'Endpoint Service Name'],
			['vpcEpServerId', 'Endpoint Service ID'],
			['vpcEpServer', 'Endpoint Service'],
		]);
	});

	it('offer the modes that can be read, and the default is one of them', () => {
		const modes = requestFields.find(({ name }) => name === 'lookupMode');
		const values = (modes?.options ?? []).map((option) => 'value' in option && option.value);
		expect(values).toEqual(['name', 'id', 'nameAndId', 'list']);
		expect(values).toContain(modes?.default);
	});

	it.each<[string, string[]]>([
		['name', ['vpcEpServerName']],
		['id', ['vpcEpServerId']],
		['nameAndId', ['vpcEpServerName', 'vpcEpServerId']],
		['list', ['vpcEpServer']],
	])('for the mode %s are shown: %j', (mode, names) => {
		const shown = requestFields.filter(({ displayOptions }) =>
			displayOptions?.show?.lookupMode?.includes(mode),
		);
		expect(shown.map(({ name }) => name)).toEqual(names);
	});
});
