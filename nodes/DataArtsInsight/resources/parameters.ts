import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { InputError } from '../transport/errors';

const maxConcurrency: INodeProperties = {
	displayName: 'Max Concurrency',
	name: 'maxConcurrency',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 100 },
	default: 10,
	description: 'How many calls may be under way at the same time, from 1 to 100',
};

const timeout: INodeProperties = {
	displayName: 'Timeout',
	name: 'timeout',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 3600000 },
	default: 30000,
	description: 'How many milliseconds one call may take, from sending it to the end of its answer',
};

/** The options that every operation has. */
export const runOptions = [maxConcurrency, timeout];

/**
 * The options that count for the whole run; expressions in them are those of the first item.
 *
 * @returns the timeout in milliseconds
 * @throws {InputError} that names the option, if it is not a whole number in its range
 */
export function readRunOptions(context: IExecuteFunctions) {
	const options = context.getNodeParameter('options', 0, {});
	return {
		maxConcurrency: wholeNumber(options, maxConcurrency),
		timeout: wholeNumber(options, timeout),
	};
}

function wholeNumber(
	options: IDataObject,
	{ name, displayName, typeOptions, ...option }: INodeProperties,
): number {
	const { minValue = 0, maxValue = Infinity } = typeOptions ?? {};
	const number = Number(options[name] ?? option.default);
	if (Number.isInteger(number) && number >= minValue && number <= maxValue) return number;
	throw new InputError(
		`'${displayName}' in the options is not a whole number from ${minValue} to ${maxValue}`,
		`Correct '${displayName}', or remove the option`,
	);
}

/**
 * The text that a parameter holds for an item, without the blanks around it.
 *
 * @param label what the form calls the parameter
 * @returns '' for a value that is not there
 * @throws {InputError} if an expression gave something that is not text
 */
export function readText(context: IExecuteFunctions, name: string, label: string, itemIndex: number): string {
	const value: unknown = context.getNodeParameter(name, itemIndex, '');
	if (typeof value === 'string') return value.trim();
	if (value === null || value === undefined) return '';
	throw new InputError(
		`'${label}' holds ${Array.isArray(value) ? 'a list' : `a value of the type ${typeof value}`} instead of text`,
		`Correct the expression in '${label}'`,
	);
}
