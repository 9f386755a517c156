import { type IExecuteFunctions, type INodeProperties, isExpression } from 'n8n-workflow';

import { entryReader, switchReader } from '../items/parameters';
import { InputError } from '../transport/errors/errors';

const limit: INodeProperties = {
	displayName: 'Limit',
	name: 'limit',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 50,
	description: 'Max number of results to return',
	displayOptions: { show: { returnAll: [false] } },
};

/** The fields that say how many records of a list are wanted. */
export const listFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	limit,
];

/**
 * Prepares to read how many records each item wants.
 *
 * @returns a function that gives Infinity for all of them, and throws an InputError if the limit is no whole number from
 * 1 on
 */
export function limitReader(context: IExecuteFunctions): (itemIndex: number) => number {
	const readReturnAll = switchReader(context, 'returnAll', 'Return All');
	const written: unknown = context.getNodeParameter('limit', 0, limit.default, { rawExpressions: true });
	return (itemIndex) => {
		if (readReturnAll(itemIndex)) return Infinity;
		const value = isExpression(written) ? context.getNodeParameter('limit', itemIndex) : written;
		const number = typeof value === 'string' && value.trim() ? Number(value) : value;
		if (Number.isSafeInteger(number) && (number as number) >= 1) return number as number;
		throw new InputError(
			`'${limit.displayName}' is not a whole number from 1 on`,
			`Correct '${limit.displayName}', or turn on 'Return All'`,
		);
	};
}

/** The field that holds what a list can be narrowed down by. */
export function filtersField(...filters: INodeProperties[]): INodeProperties {
	return {
		displayName: 'Filters',
		name: 'filters',
		type: 'collection',
		placeholder: 'Add filter',
		default: {},
		options: filters,
	};
}

/**
 * Prepares to read what each item narrows a list down by.
 *
 * @returns a function that gives nothing where nobody has added the filter. It throws an InputError if the filter is
 * blank, which would leave the whole list, or holds another value than its options,
 * which are the only ones that the service knows.
 */
export function filterReader(
	context: IExecuteFunctions,
	{ name, displayName, options }: INodeProperties,
): (itemIndex: number) => string | undefined {
	const read = entryReader(context, 'filters', name, displayName);
	const values = options?.flatMap((option) => ('value' in option ? [option.value] : []));
	return (itemIndex) => {
		const value = read(itemIndex);
		if (value === undefined) return undefined;
		if (!value) {
			throw new InputError(
				`'${displayName}' in the filters is blank`,
				`Fill in '${displayName}', or remove the filter`,
			);
		}
		if (values && !values.includes(value)) {
			throw new InputError(
				`'${displayName}' in the filters is '${value.slice(0, 40)}', which the service does not know`,
				`Choose one from the list, or let the expression give ${values.join(', ')}`,
			);
		}
		return value;
	};
}
