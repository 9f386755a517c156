import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import {
	entryReader,
	entrySwitchReader,
	optionsField,
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

it.each([null, '{"timeout":1}', [1]])('options by an expression that gives %j are none', (options) => {
	const { context } = contextOf({ options: expression([options]) });
	expect(thrownBy(() => readRunOptions(context))).toMatchObject({
		constructor: InputError,
		description: expect.stringContaining("Correct the expression in 'Options'") as string,
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
		// As a collection adds it, before anybody touches it.
		expect(reader({ mode: 'list', value: '' }).read(0)).toBe('');
		const { read } = reader(expression([picked('a'), picked('b')], picked('={{ $json.id }}')));
		expect([read(0), read(1)]).toEqual(['a', 'b']);
	});
});

describe('switchReader', () => {
	it('is on for true, and off for false and for nothing', () => {
		const values = [true, false, null, undefined];
		const read = switchReader(contextOf({ on: expression(values) }).context, 'on', 'On');
		expect(values.map((_, index) => read(index))).toEqual([true, false, false, false]);
		expect(switchReader(contextOf({ on: true }).context, 'on', 'On')(3)).toBe(true);
	});

	it.each(['true', 'false', 1, 0, '', []])('refuses an expression that gives %j', (value) => {
		const read = switchReader(contextOf({ on: expression([value]) }).context, 'on', 'On');
		expect(thrownBy(() => read(0))).toMatchObject({
			constructor: InputError,
			message: "'On' is neither true nor false",
		});
	});
});

describe('entryReader', () => {
	const reader = (parameters: Record<string, unknown>) =>
		entryReader(
			{ getNodeParameter: parameterValues(parameters) } as unknown as IExecuteFunctions,
			'options',
			'projectId',
			'Project ID',
		);

	it('gives nothing where nobody has added the entry', () => {
		expect(reader({})(0)).toBeUndefined();
		expect(reader({ options: { timeout: 1 } })(0)).toBeUndefined();
	});

	it('gives what was written, without the blanks around it, and a blank entry as such', () => {
		expect(reader({ options: { projectId: ' p ' }, 'options.projectId': ' p ' })(3)).toBe('p');
		expect(reader({ options: { projectId: '' }, 'options.projectId': '' })(0)).toBe('');
	});

	it('evaluates its expression for each item', () => {
		const written = '={{ $json.project }}';
		const read = reader({
			options: { projectId: written },
			'options.projectId': expression(['a', null, 5], written),
		});
		expect([read(0), read(1)]).toEqual(['a', '']);
		expect(() => read(2)).toThrow("'Project ID' holds a value of the type number instead of text");
	});

	it('evaluates a collection that is an expression itself', () => {
		const read = reader({ options: expression([{ projectId: ' a ' }, {}, { projectId: 1 }]) });
		expect([read(0), read(1)]).toEqual(['a', undefined]);
		expect(() => read(2)).toThrow("'Project ID'");
	});

	it.each([null, undefined, '{"projectId":"a"}', 7, true, [{ projectId: 'a' }]])(
		'does without the entry of no collection that gives %j',
		(options) => {
			const read = reader({ options: expression([options]) });
			expect(thrownBy(() => read(0))).toMatchObject({
				constructor: InputError,
				message: "'Options' holds no object",
			});
		},
	);

	it('nor of one that was saved as nothing', () => {
		expect(thrownBy(() => reader({ options: null })(0))).toMatchObject({ constructor: InputError });
	});
});

describe('entrySwitchReader', () => {
	const reader = (parameters: Record<string, unknown>) =>
		entrySwitchReader(
			{ getNodeParameter: parameterValues(parameters) } as unknown as IExecuteFunctions,
			'options',
			'checkFirst',
			'Check First',
		);
	const message = "'Check First' in the options is neither true nor false";

	it('is off where nobody has added the switch', () => {
		expect(reader({})(0)).toBe(false);
		expect(reader({ options: { timeout: 1 } })(0)).toBe(false);
	});

	it('gives what was written', () => {
		expect(reader({ options: { checkFirst: true }, 'options.checkFirst': true })(2)).toBe(true);
		expect(reader({ options: { checkFirst: false }, 'options.checkFirst': false })(2)).toBe(false);
	});

	it('evaluates its expression for each item, and takes nothing but true and false', () => {
		const written = '={{ $json.isNew }}';
		const values = [true, false, 'true', 1, null, undefined];
		const read = reader({
			options: { checkFirst: written },
			'options.checkFirst': expression(values, written),
		});
		expect([read(0), read(1)]).toEqual([true, false]);
		for (const index of [2, 3, 4, 5]) expect(() => read(index)).toThrow(message);
	});

	it('evaluates a collection that is an expression itself', () => {
		const read = reader({ options: expression([{ checkFirst: true }, {}, { checkFirst: 'no' }]) });
		expect([read(0), read(1)]).toEqual([true, false]);
		expect(() => read(2)).toThrow(message);
	});
});

it('the field of the options lists them by name', () => {
	const { options } = optionsField(runOptions.toReversed());
	expect(options?.map(({ name }) => name)).toEqual(['maxConcurrency', 'maxRetries', 'timeout']);
	expect(optionsField(runOptions)).toMatchObject({ name: 'options', type: 'collection', default: {} });
});
