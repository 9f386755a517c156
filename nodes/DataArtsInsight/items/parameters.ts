import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isExpression, isResourceLocatorValue } from 'n8n-workflow';

import { type Advice, InputError } from '../transport/errors/errors';

const maxConcurrency: INodeProperties = {
	displayName: 'Max Concurrency',
	name: 'maxConcurrency',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 100 },
	default: 10,
	description: 'How many calls may be under way at the same time, from 1 to 100',
};

const maxRetries: INodeProperties = {
	displayName: 'Max Retries',
	name: 'maxRetries',
	type: 'number',
	typeOptions: { minValue: 0, maxValue: 10 },
	default: 3,
	description:
		'How often a call is repeated when the service cannot have acted on it: no connection, or too many calls. Any other call is made exactly once.',
};

const timeout: INodeProperties = {
	displayName: 'Timeout',
	name: 'timeout',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 3600000 },
	default: 30000,
	description: 'How many milliseconds one call may take, from sending it to the end of its answer',
};

/** What the user of the node can do about a failed request, with these options among others. */
export const runAdvice: Advice = {
	invalid: 'Check the values of the node and of the credential',
	throttled:
		'The service takes no more requests for the moment. Wait a minute, then run the node again with a lower Max Concurrency',
	timeout: "Raise 'Timeout' in the options if the service needs longer",
};

/** The options that every operation has. */
export const runOptions = [maxConcurrency, maxRetries, timeout];

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
		maxRetries: wholeNumber(options, maxRetries),
		timeout: wholeNumber(options, timeout),
	};
}

/** @throws {InputError} that names the option, if it is not a whole number in its range */
export function wholeNumber(
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
 * Prepares to read a parameter for many items. Only an expression is evaluated for each of them: evaluating
 * costs n8n about as much time as a call, and a fixed value is the same for all.
 *
 * @param label what the form calls the parameter
 * @returns a function that gives the item's text, without the blanks around it, and '' for a value that is
 * not there. It throws an InputError if an expression gave something that is not text.
 */
export function textReader(
	context: IExecuteFunctions,
	name: string,
	label: string,
): (itemIndex: number) => string {
	const read = valueReader(context, name);
	return (itemIndex) => {
		const value = read(itemIndex);
		if (typeof value === 'string') return value.trim();
		if (value === null || value === undefined) return '';
		throw new InputError(
			`'${label}' holds ${Array.isArray(value) ? 'a list' : `a value of the type ${typeof value}`} instead of text`,
			`Correct the expression in '${label}'`,
		);
	};
}

/** Like {@link textReader}, for a switch: on only if the value is `true`. */
export function switchReader(context: IExecuteFunctions, name: string): (itemIndex: number) => boolean {
	const read = valueReader(context, name);
	return (itemIndex) => read(itemIndex) === true;
}

function valueReader(context: IExecuteFunctions, name: string): (itemIndex: number) => unknown {
	const written = picked(context.getNodeParameter(name, 0, null, { rawExpressions: true }));
	return isExpression(written)
		? (itemIndex) => picked(context.getNodeParameter(name, itemIndex))
		: () => written;
}

/** A value as it stands in the form, or what was picked in a list that n8n searched. */
function picked(value: unknown): unknown {
	return isResourceLocatorValue(value) ? value.value : value;
}
