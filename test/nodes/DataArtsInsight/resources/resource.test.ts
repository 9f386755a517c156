import type { INodeProperties } from 'n8n-workflow';

import { formOf, type Operation } from '../../../../nodes/DataArtsInsight/resources/resource';

const field = (name: string, more: Partial<INodeProperties> = {}): INodeProperties => ({
	...{ displayName: name, name, type: 'string', default: '' },
	...more,
});
const operation = (value: string, fields: INodeProperties[] = []): Operation => ({
	value,
	name: `Name of ${value}`,
	action: `Action of ${value}`,
	description: `Description of ${value}`,
	fields,
	run: async () => await Promise.resolve([]),
});
const optionOf = (value: string) => ({
	value,
	name: `Name of ${value}`,
	action: `Action of ${value}`,
	description: `Description of ${value}`,
});

describe('the form', () => {
	it('asks for the resource, then for its operation, the first ones by default', () => {
		const form = formOf([
			{ value: 'book', name: 'Book', operations: [operation('get'), operation('add')] },
			{ value: 'page', name: 'Page', operations: [operation('turn')] },
		]);
		const common = { type: 'options', noDataExpression: true };
		expect(form).toEqual([
			{
				...common,
				displayName: 'Resource',
				name: 'resource',
				default: 'book',
				options: [
					{ name: 'Book', value: 'book' },
					{ name: 'Page', value: 'page' },
				],
			},
			{
				...common,
				displayName: 'Operation',
				name: 'operation',
				default: 'get',
				options: [optionOf('get'), optionOf('add')],
				displayOptions: { show: { resource: ['book'] } },
			},
			{
				...common,
				displayName: 'Operation',
				name: 'operation',
				default: 'turn',
				options: [optionOf('turn')],
				displayOptions: { show: { resource: ['page'] } },
			},
		]);
	});

	it('has the fields of an operation behind its resource, each shown for this operation alone', () => {
		const form = formOf([
			{
				value: 'book',
				name: 'Book',
				operations: [operation('get', [field('title')]), operation('add', [field('title'), field('author')])],
			},
			{ value: 'page', name: 'Page', operations: [operation('turn', [field('number')])] },
		]);
		expect(form.map(({ name, displayOptions }) => [name, displayOptions?.show])).toEqual([
			['resource', undefined],
			['operation', { resource: ['book'] }],
			['title', { resource: ['book'], operation: ['get'] }],
			['title', { resource: ['book'], operation: ['add'] }],
			['author', { resource: ['book'], operation: ['add'] }],
			['operation', { resource: ['page'] }],
			['number', { resource: ['page'], operation: ['turn'] }],
		]);
	});

	it('keeps whatever else a field says, and leaves the field itself as it was', () => {
		const asked = field('title', {
			hint: 'Short',
			displayOptions: { show: { mode: ['name'] }, hide: { simple: [true] } },
		});
		const before = structuredClone(asked);
		const form = formOf([{ value: 'book', name: 'Book', operations: [operation('get', [asked])] }]);
		expect(form[2]).toEqual({
			...asked,
			displayOptions: {
				show: { resource: ['book'], operation: ['get'], mode: ['name'] },
				hide: { simple: [true] },
			},
		});
		expect(asked).toEqual(before);
	});

	it('lets a field say for itself with which operations it is shown', () => {
		const asked = field('title', { displayOptions: { show: { operation: ['get', 'add'] } } });
		const form = formOf([{ value: 'book', name: 'Book', operations: [operation('get', [asked])] }]);
		expect(form[2]?.displayOptions?.show).toEqual({ resource: ['book'], operation: ['get', 'add'] });
	});
});
