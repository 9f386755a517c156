import type { IExecuteFunctions } from 'n8n-workflow';

import {
	checked,
	endpointServiceField,
	locatorReader,
} from '../../../../../nodes/DataArtsInsight/resources/endpointService/locator';
import { InputError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { expression, parameterValues } from '../../../../support/engine/parameterValues';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
const NAME = `cn-north-4.sales-warehouse.${ID}`;

function reader(endpointService: unknown) {
	const evaluated: Array<[string, number]> = [];
	const getNodeParameter = parameterValues({ endpointService }, (...one) => evaluated.push(one));
	return { read: locatorReader({ getNodeParameter } as unknown as IExecuteFunctions), evaluated };
}
const read = (value: unknown) => reader(value).read(0);
const locator = (mode: string, value: unknown) => ({ __rl: true, mode, value });

it('the field offers the list, the ID and the name', () => {
	expect(endpointServiceField.modes?.map(({ name }) => name)).toEqual(['list', 'id', 'name']);
	expect(endpointServiceField.modes?.[0]?.typeOptions?.searchListMethod).toBe('searchEndpointServices');
});

it.each([
	['list', ID, { by: 'id', value: ID }],
	['id', ` ${ID}\n`, { by: 'id', value: ID }],
	['name', NAME, { by: 'name', value: NAME }],
	// Who chooses the mode knows better than the form of the text.
	['name', ID, { by: 'name', value: ID }],
])('the mode %s says what %j is', (mode, value, result) => {
	expect(read(locator(mode, value))).toEqual(result);
});

it('without a mode a UUID is an ID and all else a name', () => {
	const { read: readFor } = reader(expression([ID, NAME, ID.toUpperCase(), `${ID}0`]));
	expect([0, 1, 2, 3].map((index) => readFor(index).by)).toEqual(['id', 'name', 'id', 'name']);
});

it('a fixed value is evaluated for no item, an expression for each', () => {
	expect(reader(locator('id', ID)).evaluated).toEqual([]);
	const inside = expression([locator('id', ID), locator('id', 'b')], locator('id', '={{ $json.id }}'));
	const { read: readFor, evaluated } = reader(inside);
	expect([readFor(1).value, readFor(0).value]).toEqual(['b', ID]);
	expect(evaluated).toEqual([
		['endpointService', 1],
		['endpointService', 0],
	]);
});

it.each<[string, unknown, string, string]>([
	['id', '', 'is blank', 'Fill in'],
	['list', null, 'is blank', 'Fill in'],
	['id', `${ID},${ID}`, 'more than one ID', 'an item of its own'],
	['name', `${NAME} ${NAME}`, 'more than one name', 'an item of its own'],
	['id', 'a/../b', 'which is no ID', "'By Name'"],
	['id', NAME, 'which is no ID', "'By Name'"],
	['id', 'x'.repeat(65), 'which is no ID', 'Copy the ID'],
	['name', 'x'.repeat(129), 'which is no name', 'at most 128 characters'],
	['id', [ID], 'holds a list instead of text', 'Correct the expression'],
	['name', { id: ID }, 'a value of the type object', 'Correct the expression'],
])('by %s, %j is refused', (mode, value, message, advice) => {
	try {
		read(expression([locator(mode, value)], locator(mode, '={{ $json.x }}')));
		throw new Error('It was taken');
	} catch (error) {
		expect(error).toBeInstanceOf(InputError);
		expect((error as InputError).message).toContain("'Endpoint Service'");
		expect((error as InputError).message).toContain(message);
		expect((error as InputError).description).toContain(advice);
	}
});

it('the longest ID and name are taken', () => {
	expect(checked('x'.repeat(64), 'id', 'Field')).toHaveLength(64);
	expect(checked('x'.repeat(128), 'name', 'Field')).toHaveLength(128);
	expect(() => checked('', 'id', 'Field')).toThrow("'Field' is blank");
});
