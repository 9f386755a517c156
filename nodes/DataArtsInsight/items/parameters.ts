import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isExpression } from 'n8n-workflow';

import { isObject } from '../transport/errors/answer';
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
		'How often a call is repeated when the service cannot have acted on it (no connection, or too many calls), or when acting twice does no harm. Any other call is made exactly once.',
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
		"The service takes no more requests for the moment. Wait a minute, then run the node again with a lower 'Max Concurrency'",
	timeout: "Raise 'Timeout' in the options if the service needs longer",
};

/** The options that every operation has. */
export const runOptions = [maxConcurrency, maxRetries, timeout];

/** The field that holds an operation's options, in the order in which the form lists them: by name. */
export function optionsField(options: INodeProperties[]): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options: options.toSorted((one, other) => one.displayName.localeCompare(other.displayName)),
	};
}

/**
 * The options that count for the whole run; expressions in them are those of the first item.
 *
 * @returns the timeout in milliseconds
 * @throws {InputError} that names the option, if it is not a whole number in its range
 */
export function readRunOptions(context: IExecuteFunctions) {
	const options = readCollection(context, 'options', 0);
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
	return (itemIndex) => textOf(read(itemIndex), label);
}

/**
 * Like {@link textReader}, for an entry of a collection that each item may fill in its own way.
 *
 * @param collection the parameter that holds it, such as `options`
 * @returns a function that gives nothing where nobody has added the entry, and '' where it is blank
 */
export function entryReader(
	context: IExecuteFunctions,
	collection: Collection,
	name: string,
	label: string,
): (itemIndex: number) => string | undefined {
	const read = entryValueReader(context, collection, name);
	return (itemIndex) => {
		const entry = read(itemIndex);
		return entry && textOf(entry.value, label);
	};
}

/**
 * The same for a switch.
 *
 * @returns a function that gives whether the switch is on; it is off where nobody has added it. It throws an InputError
 * if an expression gave neither true nor false: nobody can tell what was meant.
 */
export function entrySwitchReader(
	context: IExecuteFunctions,
	collection: Collection,
	name: string,
	label: string,
): (itemIndex: number) => boolean {
	const read = entryValueReader(context, collection, name);
	return (itemIndex) => {
		const entry = read(itemIndex);
		return entry ? switchOf(entry.value, `'${label}' in the ${collection}`) : false;
	};
}

type Collection = 'options' | 'filters';

/**
 * What was added to a collection, as it is for an item.
 *
 * @throws {InputError} if an expression in the place of the whole collection gives something else, such as text: what it
 * was to say, as where to act or what to check, would be passed over without a word
 */
export function readCollection(
	context: IExecuteFunctions,
	collection: Collection,
	itemIndex: number,
): IDataObject {
	const entries: unknown = context.getNodeParameter(collection, itemIndex, {});
	if (isObject(entries)) return entries;
	const label = collection === 'options' ? 'Options' : 'Filters';
	throw new InputError(
		`'${label}' holds no object`,
		`Correct the expression in '${label}', or add each entry by itself`,
	);
}

/** @returns a function that gives nothing where nobody has added the entry */
function entryValueReader(
	context: IExecuteFunctions,
	collection: Collection,
	name: string,
): (itemIndex: number) => { value: unknown } | undefined {
	const written: unknown = context.getNodeParameter(collection, 0, {}, { rawExpressions: true });
	if (!isObject(written)) {
		return (itemIndex) => {
			const entries = readCollection(context, collection, itemIndex);
			return Object.hasOwn(entries, name) ? { value: picked(entries[name]) } : undefined;
		};
	}
	if (!Object.hasOwn(written, name)) return () => undefined;
	const read = valueReader(context, `${collection}.${name}`);
	return (itemIndex) => ({ value: read(itemIndex) });
}

/**
 * The text of a value, without the blanks around it; '' if there is none.
 *
 * @throws {InputError} that names the field, if the value is something else than text
 */
export function textOf(value: unknown, label: string): string {
	if (typeof value === 'string') return value.trim();
	if (value === null || value === undefined) return '';
	throw new InputError(
		`'${label}' holds ${Array.isArray(value) ? 'a list' : `a value of the type ${typeof value}`} instead of text`,
		`Correct the expression in '${label}'`,
	);
}

/**
 * Like {@link textReader}, for a switch. One that is not there is off.
 *
 * @returns a function that throws an InputError if an expression gave neither true nor false
 */
export function switchReader(
	context: IExecuteFunctions,
	name: string,
	label: string,
): (itemIndex: number) => boolean {
	const read = valueReader(context, name);
	return (itemIndex) => switchOf(read(itemIndex) ?? false, `'${label}'`);
}

/** @throws {InputError} if the value is neither true nor false */
export function switchOf(value: unknown, label: string): boolean {
	if (typeof value === 'boolean') return value;
	throw new InputError(
		`${label} is neither true nor false`,
		'Correct its expression: nobody can tell what was meant',
	);
}

function valueReader(context: IExecuteFunctions, name: string): (itemIndex: number) => unknown {
	const written = picked(context.getNodeParameter(name, 0, null, { rawExpressions: true }));
	return isExpression(written)
		? (itemIndex) => picked(context.getNodeParameter(name, itemIndex))
		: () => written;
}

/**
 * A value as it stands in the form, or what was picked in a list that n8n searched. One that was added to a collection and
 * not touched yet lacks the mark `__rl`, by which n8n tells it from other objects.
 */
function picked(value: unknown): unknown {
	const isLocator = typeof value === 'object' && value !== null && 'mode' in value && 'value' in value;
	return isLocator ? value.value : value;
}
