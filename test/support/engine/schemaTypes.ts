interface Schema {
	type: string;
	properties?: object;
	items?: Schema;
}

/**
 * What an output schema would say of an item. Of a list without entries nothing but its own schema can tell what they
 * hold, so that is taken.
 */
export function typesOf(item: object, { properties = {} }: { properties?: object }) {
	const known = properties as Record<string, Schema>;
	return Object.fromEntries(
		Object.entries(item).map(([field, value]) => [field, schemaOf(value, known[field])]),
	);
}

function schemaOf(value: unknown, known: Schema | undefined): object {
	if (Array.isArray(value)) {
		const first: unknown = value[0];
		return { type: 'array', items: first === undefined ? known?.items : schemaOf(first, known?.items) };
	}
	if (typeof value === 'object' && value !== null) {
		return { type: 'object', properties: typesOf(value, known ?? {}) };
	}
	return { type: Number.isInteger(value) ? 'integer' : typeof value };
}
