import type { IGetNodeParameterOptions } from 'n8n-workflow';

/** A parameter that somebody wrote as an expression. */
class Expression {
	constructor(
		/** What it gives for each item. */
		readonly values: unknown[],
		readonly written: unknown,
	) {}
}

export const expression = (values: unknown[], written: unknown = '={{ $json.value }}') =>
	new Expression(values, written);

/**
 * As n8n gives a node its parameters: what was written, or what comes of it for an item.
 *
 * @param evaluated is told each expression that is evaluated
 */
export function parameterValues(
	parameters: Record<string, unknown>,
	evaluated: (name: string, itemIndex: number) => void = () => undefined,
) {
	return (name: string, itemIndex: number, fallback?: unknown, options: IGetNodeParameterOptions = {}) => {
		const value = parameters[name];
		if (value === undefined) return fallback;
		if (!(value instanceof Expression)) return value;
		if (options.rawExpressions) return value.written;
		evaluated(name, itemIndex);
		return value.values[itemIndex];
	};
}
