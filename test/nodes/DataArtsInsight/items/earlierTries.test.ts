import type { IExecuteFunctions } from 'n8n-workflow';

import { EarlierTries, isTool } from '../../../../nodes/DataArtsInsight/items/earlierTries';

const NODE = { id: '1', type: 'package.node', retryOnFail: true };
const contextOf = (executeData: object, node: object = {}) =>
	({
		getExecuteData: () => executeData,
		getNode: () => ({ ...NODE, ...node }),
	}) as unknown as IExecuteFunctions;

const items = [{ json: { a: 1 } }];

describe('the results of earlier tries', () => {
	it('are kept for Retry On Fail alone, and not for a tool of an agent', () => {
		expect(EarlierTries.of(contextOf({}))).toBeDefined();
		expect(EarlierTries.of(contextOf({}, { retryOnFail: false }))).toBeUndefined();
		expect(EarlierTries.of(contextOf({}, { retryOnFail: undefined }))).toBeUndefined();
		expect(EarlierTries.of(contextOf({}, { type: 'package.nodeTool' }))).toBeUndefined();
	});

	it('come to the next try, known by the same execute data object, for the same item and request', () => {
		const data = {};
		EarlierTries.of(contextOf(data))?.add(3, 'request', items);
		const next = EarlierTries.of(contextOf(data));
		expect(next?.get(3, 'request')).toBe(items);
		expect(next?.get(3, 'other')).toBeUndefined();
		expect(next?.get(3, '')).toBeUndefined();
		expect(next?.get(2, 'request')).toBeUndefined();
		// And so to the third.
		expect(EarlierTries.of(contextOf(data))?.get(3, 'request')).toBe(items);
	});

	it('are found without the request where it cannot be told', () => {
		const data = {};
		const tries = EarlierTries.of(contextOf(data));
		tries?.add(0, 'request', items);
		expect(tries?.get(0)).toBe(items);
		expect(tries?.get(1)).toBeUndefined();
	});

	it('are not those of another node or another run', () => {
		const data = {};
		EarlierTries.of(contextOf(data))?.add(0, 'request', items);
		expect(EarlierTries.of(contextOf({}))?.get(0)).toBeUndefined();
		expect(EarlierTries.of(contextOf(data, { id: '2' }))?.get(0)).toBeUndefined();
	});

	it('are forgotten once a try has succeeded as a whole', () => {
		const data = {};
		const tries = EarlierTries.of(contextOf(data));
		tries?.add(0, 'request', items);
		tries?.forget();
		expect(EarlierTries.of(contextOf(data))?.get(0)).toBeUndefined();
	});
});

it('a node is a tool of an agent if its type ends so', () => {
	const types = ['package.nodeTool', 'package.node', 'Tool.node'];
	const node = { id: '1', name: 'n', typeVersion: 1, position: [0, 0] as [number, number], parameters: {} };
	expect(types.map((type) => isTool({ ...node, type }))).toEqual([true, false, false]);
});
