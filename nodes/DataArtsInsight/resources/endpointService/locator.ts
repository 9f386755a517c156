import {
	type IExecuteFunctions,
	type INodeProperties,
	isExpression,
	isResourceLocatorValue,
} from 'n8n-workflow';

import { textOf } from '../../items/parameters';
import { InputError } from '../../transport/errors/errors';

const LABEL = 'Endpoint Service';

/** Which endpoint service is meant, for every operation of its owner. */
export const endpointServiceField: INodeProperties = {
	displayName: LABEL,
	name: 'endpointService',
	type: 'resourceLocator',
	default: { mode: 'list', value: '' },
	required: true,
	description:
		'The VPC endpoint service. The list shows those of your project. A full name is region, name and ID, joined by dots.',
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			placeholder: 'Choose an endpoint service',
			typeOptions: { searchListMethod: 'searchEndpointServices', searchable: true },
		},
		{
			displayName: 'By ID',
			name: 'id',
			type: 'string',
			placeholder: 'e.g. 6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb',
		},
		{
			displayName: 'By Name',
			name: 'name',
			type: 'string',
			placeholder: 'e.g. cn-north-4.sales-warehouse.6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb',
		},
	],
};

/** How an endpoint service is named: by its ID or by its full name. */
export interface ServiceLocator {
	by: 'id' | 'name';
	value: string;
}

/** The longest ID and name that the VPC Endpoint service takes, in characters. */
const MAX_LENGTH = { id: 64, name: 128 };

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Prepares to read which endpoint service each item means. Only an expression is evaluated for each of them.
 *
 * @returns a function that throws an InputError if the value is blank, no text, or no single ID or name
 */
export function locatorReader(context: IExecuteFunctions): (itemIndex: number) => ServiceLocator {
	const name = endpointServiceField.name;
	const written: unknown = context.getNodeParameter(name, 0, null, { rawExpressions: true });
	const text = isResourceLocatorValue(written) ? written.value : written;
	if (isExpression(text)) return (itemIndex) => locatorOf(context.getNodeParameter(name, itemIndex));
	return () => locatorOf(written);
}

/**
 * Reads which endpoint service a value of the field means.
 *
 * @throws {InputError} if the value is blank, no text, or no single ID or name
 */
export function locatorOf(given: unknown): ServiceLocator {
	const isLocator = isResourceLocatorValue(given);
	const value = textOf(isLocator ? given.value : given, LABEL);
	// An expression in the place of the whole field says nothing of the mode.
	const isName = isLocator ? given.mode === 'name' : !UUID.test(value);
	return { by: isName ? 'name' : 'id', value: checked(value, isName ? 'name' : 'id', LABEL) };
}

/** Whether a value is an ID. It becomes a part of a path, so nothing that has a meaning in one may stand in it. */
export function isId(value: unknown): value is string {
	return typeof value === 'string' && /^[\w-]+$/.test(value);
}

/**
 * Checks that a text is one ID or one name.
 *
 * @param label what the form calls the field
 * @throws {InputError} that names the field and says what is wrong
 */
export function checked(value: string, kind: 'id' | 'name', label: string): string {
	const noun = kind === 'id' ? 'ID' : 'name';
	if (!value) {
		throw new InputError(
			`'${label}' is blank`,
			`Fill in '${label}', or check what its expression gives for this item`,
		);
	}
	if (/[\s,;]/.test(value)) {
		throw new InputError(
			`'${label}' holds more than one ${noun}, or a blank in it`,
			`Give each ${noun} an item of its own`,
		);
	}
	if (value.length > MAX_LENGTH[kind] || (kind === 'id' && !isId(value))) {
		throw new InputError(
			`'${label}' holds '${value.slice(0, 40)}', which is no ${noun}`,
			kind === 'id'
				? `Copy the ID from the VPC Endpoint console${label === LABEL ? `, or choose 'By Name' in '${LABEL}'` : ''}`
				: `Copy the name from the VPC Endpoint console: it has at most ${MAX_LENGTH.name} characters`,
		);
	}
	return value;
}
