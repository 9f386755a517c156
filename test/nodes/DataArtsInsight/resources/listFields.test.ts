import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import {
	filterReader,
	limitReader,
	listFields,
} from '../../../../nodes/DataArtsInsight/resources/listFields';
import { InputError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { expression, parameterValues } from '../../../support/engine/parameterValues';

const contextOf = (parameters: Record<string, unknown>) =>
	({ getNodeParameter: parameterValues(parameters) }) as unknown as IExecuteFunctions;

it('Limit is shown where Return All is off, as in any node of n8n', () => {
	expect(listFields).toMatchObject([
		{ name: 'returnAll', displayName: 'Return All', default: false },
		{ name: 'limit', displayName: 'Limit', default: 50, displayOptions: { show: { returnAll: [false] } } },
	]);
});

describe('limitReader', () => {
	it.each<[object, number]>([
		[{ returnAll: true, limit: 5 }, Infinity],
		[{ returnAll: true, limit: 'bad' }, Infinity],
		[{ returnAll: false, limit: 5 }, 5],
		[{ returnAll: false, limit: ' 7 ' }, 7],
		[{ returnAll: false }, 50],
		[{}, 50],
	])('of %j gives %d', (parameters, limit) => {
		expect(limitReader(contextOf({ ...parameters }))(0)).toBe(limit);
	});

	it('is that of each item where an expression gives it', () => {
		const read = limitReader(
			contextOf({ returnAll: expression([false, true, false]), limit: expression([1, 2, 3]) }),
		);
		expect([0, 1, 2].map(read)).toEqual([1, Infinity, 3]);
	});

	it.each([0, -1, 1.5, NaN, Infinity, '', ' ', 'many', null, true, [5], {}])('refuses %j', (limit) => {
		const read = limitReader(contextOf({ limit: expression([limit]) }));
		expect(() => read(0)).toThrow(InputError);
		expect(() => read(0)).toThrow("'Limit' is not a whole number from 1 on");
	});
});

describe('filterReader', () => {
	const field: INodeProperties = { displayName: 'State', name: 'state', type: 'string', default: '' };
	const read = (filters: object | undefined, values?: string[]) =>
		filterReader(
			contextOf({
				filters,
				...Object.fromEntries(
					Object.entries(filters ?? {}).map(([name, value]) => [`filters.${name}`, value as unknown]),
				),
			}),
			{ ...field, options: values?.map((value) => ({ name: value, value })) },
		);

	it('gives nothing where nobody has added it', () => {
		expect(read(undefined)(0)).toBeUndefined();
		expect(read({})(0)).toBeUndefined();
		expect(read({ other: 'x' })(0)).toBeUndefined();
	});

	it('gives its text without blanks around it, and one of the values where there are some', () => {
		expect(read({ state: ' a b ' })(0)).toBe('a b');
		expect(read({ state: 'open' }, ['open', 'shut'])(0)).toBe('open');
	});

	it.each<[unknown, string]>([
		['', "'State' in the filters is blank"],
		[' \n', "'State' in the filters is blank"],
		['OPEN', "'State' in the filters is 'OPEN', which the service does not know"],
		[5, "'State' holds a value of the type number instead of text"],
	])('refuses %j', (state, message) => {
		expect(() => read({ state }, ['open', 'shut'])(0)).toThrow(InputError);
		expect(() => read({ state }, ['open', 'shut'])(0)).toThrow(message);
	});
});
