import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import {
	readRunOptions,
	runOptions,
	switchReader,
	textReader,
	wholeNumber,
} from '../../../../nodes/DataArtsInsight/items/parameters';
import { InputError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { expression, parameterValues } from '../../../support/engine/parameterValues';

function contextOf(parameters: Record<string, unknown>) {
	const evaluated: Array<[string, number]> = [];
	const getNodeParameter = parameterValues(parameters, (...one) => evaluated.push(one));
	return { context: { getNodeParameter } as unknown as IExecuteFunctions, evaluated };
}

const thrownBy = (act: () => unknown) => {
	try {
		return act();
	} catch (error) {
		return error;
	}
};

it('the options that every operation offers are those that are read', () => {
	const { context } = contextOf({});
	expect(runOptions.map(({ name }) => name)).toEqual(Object.keys(readRunOptions(context)));
});

describe('readRunOptions', () => {
	const read = (options?: object) => thrownBy(() => readRunOptions(contextOf({ options }).context));

	it('gives the defaults of the form where nothing was set', () => {
		const defaults = { maxConcurrency: 10, maxRetries: 3, timeout: 30_000 };
		expect(read()).toEqual(defaults);
		expect(read({})).toEqual(defaults);
	});

	it('gives what was set, also where an expression gave a number as text', () => {
		const set = { maxConcurrency: 100, maxRetries: 0, timeout: 1 };
		expect(read(set)).toEqual(set);
		expect(read({ maxConcurrency: '1', maxRetries: ' 10 ', timeout: '3600000' })).toEqual({
			maxConcurrency: 1,
			maxRetries: 10,
			timeout: 3_600_000,
		});
	});

	it.each<[object, string, string]>([
		[{ maxConcurrency: 0 }, 'Max Concurrency', '1 to 100'],
		[{ maxConcurrency: 101 }, 'Max Concurrency', '1 to 100'],
		[{ maxRetries: -1 }, 'Max Retries', '0 to 10'],
		[{ maxRetries: 11 }, 'Max Retries', '0 to 10'],
		[{ maxRetries: 1.5 }, 'Max Retries', '0 to 10'],
		[{ timeout: 3_600_001 }, 'Timeout', '1 to 3600000'],
		[{ timeout: 'soon' }, 'Timeout', '1 to 3600000'],
		[{ timeout: Infinity }, 'Timeout', '1 to 3600000'],
	])('refuses %j and names the option and its range', (options, label, range) => {
		const error = read(options);
		expect(error).toBeInstanceOf(InputError);
		expect(error).toMatchObject({
			message: `'${label}' in the options is not a whole number from ${range}`,
			description: `Correct '${label}', or remove the option`,
		});
	});
});

describe('wholeNumber', () => {
	const option: INodeProperties = { displayName: 'Count', name: 'count', type: 'number', default: 7 };

	it('of an option without limits is any from 0 on', () => {
		expect(wholeNumber({}, option)).toBe(7);
		expect(wholeNumber({ count: Number.MAX_SAFE_INTEGER }, option)).toBe(Number.MAX_SAFE_INTEGER);
		expect(wholeNumber({ count: 0 }, option)).toBe(0);
		expect(() => wholeNumber({ count: -1 }, option)).toThrow("'Count'");
	});
});

describe('textReader', () => {
	const reader = (value: unknown) => {
		const { context, evaluated } = contextOf({ field: value });
		return { read: textReader(context, 'field', 'Field'), evaluated };
	};

	it('evaluates an expression for the item that is asked for, and nothing for a fixed value', () => {
		const { read, evaluated } = reader(expression(['a', ' b\n']));
		expect([read(1), read(0)]).toEqual(['b', 'a']);
		expect(evaluated).toEqual([
			['field', 1],
			['field', 0],
		]);
		expect(reader('\tfixed ').read(5)).toBe('fixed');
	});

	it('gives no text for a value that is not there', () => {
		const { read } = reader(expression([null, undefined, '', ' ']));
		expect([0, 1, 2, 3].map(read)).toEqual(['', '', '', '']);
		expect(reader(undefined).read(0)).toBe('');
	});

	it.each<[unknown, string]>([
		[[1], 'a list'],
		[{}, 'a value of the type object'],
		[5, 'a value of the type number'],
		[0, 'a value of the type number'],
		[false, 'a value of the type boolean'],
	])('refuses %j and says what it is', (value, kind) => {
		const error = thrownBy(() => reader(expression([value])).read(0));
		expect(error).toBeInstanceOf(InputError);
		expect(error).toMatchObject({
			message: `'Field' holds ${kind} instead of text`,
			description: "Correct the expression in 'Field'",
		});
	});

	it('gives what was picked in a list, fixed or by expression', () => {
		const picked = (value: unknown) => ({ __rl: true, mode: 'list', value });
		expect(reader(picked(' id ')).read(0)).toBe('id');
		const { read } = reader(expression([picked('a'), picked('b')], picked('={{ $json.id }}')));
		expect([read(0), read(1)]).toEqual(['a', 'b']);
	});
});

describe('switchReader', () => {
	it('is on for true alone, whatever else an expression gives', () => {
		const values = [true, false, 'true', 1, null, undefined];
		const read = switchReader(contextOf({ on: expression(values) }).context, 'on');
		expect(values.map((_, index) => read(index))).toEqual([true, false, false, false, false, false]);
		expect(switchReader(contextOf({ on: true }).context, 'on')(3)).toBe(true);
	});
});
