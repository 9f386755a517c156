import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';

/** One thing that the node can do. Workflows store its value. */
export interface Operation {
	value: string;
	name: string;
	/** What n8n's list of actions says. */
	action: string;
	description: string;
	/** Its parameters. They are shown for this operation alone, under whatever else each of them asks for. */
	fields: INodeProperties[];
	/** Handles all items of a run. */
	run: (context: IExecuteFunctions) => Promise<INodeExecutionData[]>;
}

/** What the node can do with one kind of thing. The first operation is the default. */
export interface Resource {
	value: string;
	name: string;
	operations: Operation[];
}

/** The form of the node: the choice of the resource, of its operation, and the fields of that. */
export function formOf(resources: Resource[]): INodeProperties[] {
	return [
		choice(
			'Resource',
			'resource',
			resources.map(({ name, value }) => ({ name, value })),
		),
		...resources.flatMap(({ value, operations }) => [
			{
				...choice(
					'Operation',
					'operation',
					operations.map(({ name, value, action, description }) => ({ name, value, action, description })),
				),
				displayOptions: { show: { resource: [value] } },
			},
			...operations.flatMap((operation) =>
				operation.fields.map((field) => ({
					...field,
					displayOptions: {
						...field.displayOptions,
						show: { resource: [value], operation: [operation.value], ...field.displayOptions?.show },
					},
				})),
			),
		]),
	];
}

function choice(displayName: string, name: string, options: INodePropertyOptions[]): INodeProperties {
	const first = options[0]?.value ?? '';
	const form: Pick<INodeProperties, 'type' | 'noDataExpression' | 'default'> = {
		type: 'options',
		noDataExpression: true,
		default: first,
	};
	return { displayName, name, ...form, options };
}
