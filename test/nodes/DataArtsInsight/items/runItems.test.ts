import fc from 'fast-check';
import type { IExecuteFunctions, INode, INodeExecutionData } from 'n8n-workflow';

import { type ItemHandler, runItems } from '../../../../nodes/DataArtsInsight/items/runItems';
import { InputError, RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';

type Outcome = 'good' | 'refused' | 'ambiguous' | 'unforeseen' | 'unreadable' | 'again' | 'later';

interface Setting {
	total: number;
	continueOnFail?: boolean;
	retryOnFail?: boolean;
	type?: string;
	id?: string;
	/** n8n hands over the same object to each try. */
	executeData?: object;
	signal?: AbortSignal;
}

/** As much of n8n as items need. */
function contextOf({ total, continueOnFail = true, retryOnFail, type = 'x', id = '1', ...rest }: Setting) {
	return {
		getInputData: () => Array.from({ length: total }, () => ({ json: {} })),
		continueOnFail: () => continueOnFail,
		getExecutionCancelSignal: () => rest.signal,
		getExecuteData: () => rest.executeData ?? {},
		getNode: () =>
			({ id, name: 'Node', type, typeVersion: 1, parameters: {}, retryOnFail }) as Partial<INode>,
	} as unknown as IExecuteFunctions;
}

const refused = (index: number) =>
	new RequestError(`refused ${index}`, 'Look', { code: 'R', httpStatus: 400, outcomeUnknown: false });

/** A service that does with each item what is planned for each time that it is sent, and remembers what came. */
function service(plan: (index: number, attempt: number) => Outcome, maxConcurrency = 3) {
	const sent = new Map<number, number>();
	const readable: number[] = [];
	let inFlight = 0;
	let most = 0;
	const handler: ItemHandler<{ index: number }> = {
		maxConcurrency,
		doubt: 'A thing may exist',
		read: (index) => {
			if (plan(index, 1) === 'unreadable') throw new InputError(`unreadable ${index}`, 'Correct it');
			readable.push(index);
			return { index };
		},
		send: async ({ index }) => {
			const attempt = (sent.get(index) ?? 0) + 1;
			sent.set(index, attempt);
			most = Math.max(most, ++inFlight);
			await new Promise((resolve) => setTimeout(resolve, (index % 2) * 10));
			inFlight--;
			switch (plan(index, attempt)) {
				case 'refused':
					throw refused(index);
				case 'ambiguous':
					throw new RequestError(`lost ${index}`, 'Look', { code: 'LOST', outcomeUnknown: true });
				case 'unforeseen':
					throw new TypeError(`secret ${index}`);
				case 'again':
					return { json: { index, attempt }, sendAgainAfter: 1 };
				case 'later':
					return { json: { index, attempt }, sendAgainAfter: 3_600_000 };
				default:
					return { json: { index, attempt } };
			}
		},
		identify: ({ index }) => String(index),
	};
	return { handler, sent, readable, most: () => most };
}

const run = async (setting: Setting, { handler }: { handler: ItemHandler<{ index: number }> }) =>
	await runItems(contextOf(setting), async () => await Promise.resolve(handler));

const summary = ({ json }: INodeExecutionData) =>
	json.error ? { ...(json.details as object), description: undefined } : json.index;

describe('for any outcomes of the calls', () => {
	const outcome = fc.constantFrom<Outcome>('good', 'refused', 'ambiguous', 'unforeseen', 'again');
	const planned = fc.oneof(
		{ weight: 5, arbitrary: fc.array(outcome, { minLength: 1, maxLength: 3 }) },
		{ weight: 1, arbitrary: fc.constant<Outcome[]>(['unreadable']) },
	);
	const plans = fc.array(planned, { minLength: 1, maxLength: 12 });
	const limit = fc.integer({ min: 1, max: 5 });
	/** After what is planned an item succeeds. */
	const planOf = (plan: Outcome[][]) => (index: number, attempt: number) =>
		plan[index]?.[attempt - 1] ?? 'good';
	/** The first outcome that ends an item decides. */
	const endOf = (outcomes?: Outcome[]) => outcomes?.find((one) => one !== 'again') ?? 'good';

	it('every item comes out once, in its place, and no more are in flight than allowed', async () => {
		await fc.assert(
			fc.asyncProperty(plans, limit, async (plan, maxConcurrency) => {
				const it = service(planOf(plan), maxConcurrency);
				const items = await run({ total: plan.length }, it);
				expect(items.map(({ pairedItem }) => pairedItem)).toEqual(plan.map((_, item) => ({ item })));
				expect(it.most()).toBeLessThanOrEqual(maxConcurrency);
				items.forEach((item, index) => {
					const expected: Record<string, unknown> = {
						refused: { code: 'R', httpStatus: 400, outcomeUnknown: false },
						ambiguous: { code: 'LOST', outcomeUnknown: true },
						unforeseen: { code: 'UNKNOWN', outcomeUnknown: true },
						unreadable: { code: 'INVALID_INPUT', outcomeUnknown: false },
						good: index,
					};
					expect(summary(item)).toEqual(expected[endOf(plan[index])]);
					expect(JSON.stringify(item)).not.toContain('secret');
				});
			}),
			{ numRuns: 60 },
		);
	});

	it('without Continue On Fail the error counts right, and what was only read ahead as not sent', async () => {
		const withWaits = fc.array(fc.oneof(planned, fc.constant<Outcome[]>(['later'])), { maxLength: 12 });
		await fc.assert(
			fc.asyncProperty(withWaits, limit, async (rest, maxConcurrency) => {
				// At least one item fails, so no item is waited for.
				const plan: Outcome[][] = [...rest, ['refused'], ['good']];
				const total = plan.length;
				const it = service(planOf(plan), maxConcurrency);
				const setting = { total, continueOnFail: false };
				const error = (await run(setting, it).catch((one: unknown) => one)) as Error & {
					description: string;
					context: { itemIndex: number };
				};
				const indices = plan.map((_, index) => index);
				const lastOf = (index: number) => planOf(plan)(index, it.sent.get(index) ?? 0);
				const ended = (...outcomes: Outcome[]) =>
					indices.filter((index) => it.sent.has(index) && outcomes.includes(lastOf(index))).length;
				const { itemIndex } = error.context;
				const isUnreadable = plan[itemIndex]?.[0] === 'unreadable';
				const unsent = indices.filter((index) => !it.sent.has(index)).length - (isUnreadable ? 1 : 0);
				const waiting = ended('again', 'later');
				expect(error.description).toContain(
					`. Of ${total} items: ${ended('good')} completed, ${unsent} not sent${waiting ? `, ${waiting} still waiting` : ''}`,
				);
				// Reading ahead changes nothing for the items before: all of them are sent.
				const before = indices.slice(0, itemIndex).filter((index) => plan[index]?.[0] !== 'unreadable');
				expect(before).toHaveLength(itemIndex);
				expect(before.filter((index) => !it.sent.has(index))).toEqual([]);
				expect(it.readable.length - it.sent.size).toBeLessThanOrEqual(maxConcurrency);
			}),
			{ numRuns: 100 },
		);
	});

	it('over the tries of Retry On Fail nothing is sent again that succeeded', async () => {
		await fc.assert(
			fc.asyncProperty(plans, fc.boolean(), async (plan, continueOnFail) => {
				const it = service(planOf(plan));
				const executeData = {};
				const done = new Set<number>();
				for (let attempt = 0; attempt < 3; attempt++) {
					const before = new Map(it.sent);
					const setting = { total: plan.length, continueOnFail, retryOnFail: true, executeData };
					const items = await run(setting, it).catch(() => undefined);
					for (const index of done) expect(it.sent.get(index)).toBe(before.get(index));
					items?.forEach(({ json }, index) => (json.error ? undefined : done.add(index)));
					if (items?.every(({ json }) => !json.error)) break;
				}
			}),
			{ numRuns: 40 },
		);
	});
});

describe('without Continue On Fail', () => {
	it('the first error in time is the one that is told, and says how far the run came', async () => {
		const it = service((index) => (index >= 1 ? 'refused' : 'good'), 4);
		const error: unknown = await run({ total: 6, continueOnFail: false }, it).catch((one: unknown) => one);
		// Of those in flight the even ones are done first.
		expect(error).toMatchObject({
			message: 'refused 2',
			description: expect.stringMatching(/^Look\. Of 6 items: 1 completed, [12] not sent$/) as string,
		});
	});

	it('an error of the preparation is that of the first item', async () => {
		const setting = { total: 2, continueOnFail: false };
		const error: unknown = await runItems(contextOf(setting), () =>
			Promise.reject(new InputError("'A' is blank", 'Fill it in')),
		).catch((one: unknown) => one);
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: "'A' is blank",
			context: { itemIndex: 0 },
		});
	});

	it('the error of the only item says nothing of how far the run came', async () => {
		const it = service(() => 'refused');
		const error: unknown = await run({ total: 1, continueOnFail: false }, it).catch((one: unknown) => one);
		expect(error).toMatchObject({ message: 'refused 0', description: 'Look' });
	});

	it('the error says how many items are still waiting to be sent again', async () => {
		const it = service((index) => (index === 3 ? 'refused' : index === 0 ? 'good' : 'again'), 1);
		const send = it.handler.send;
		it.handler.send = async (request) => {
			const { json, sendAgainAfter } = await send(request);
			return { json, sendAgainAfter: sendAgainAfter && 60_000 };
		};
		const error: unknown = await run({ total: 9, continueOnFail: false }, it).catch((one: unknown) => one);
		expect(error).toMatchObject({
			message: 'refused 3',
			description: 'Look. Of 9 items: 1 completed, 5 not sent, 2 still waiting',
		});
	});

	it('an item that cannot be read ends the run once all before it were sent', async () => {
		const it = service((index) => (index === 2 ? 'unreadable' : 'good'), 4);
		const error: unknown = await run({ total: 9, continueOnFail: false }, it).catch((one: unknown) => one);
		expect(error).toMatchObject({
			message: 'unreadable 2',
			description: 'Correct it. Of 9 items: 2 completed, 6 not sent',
			context: { itemIndex: 2 },
		});
		expect([...it.sent.keys()]).toEqual([0, 1]);
	});

	it.each([
		['that creates says what may exist', 'A thing may exist', 'A thing may exist'],
		['that only reads says nothing of that', undefined, 'If it happens again, report it'],
	])('an error that nobody foresaw in an operation %s', async (_what, doubt, words) => {
		const it = service(() => 'unforeseen');
		it.handler.doubt = doubt;
		const error: unknown = await run({ total: 1, continueOnFail: false }, it).catch((one: unknown) => one);
		expect(error).toMatchObject({
			message: 'The request ended in a way that this node does not know (TypeError)',
			description: expect.stringContaining(words) as string,
			errorResponse: { outcomeUnknown: doubt !== undefined },
		});
		expect((error as Error & { description: string }).description.includes('exist')).toBe(
			doubt !== undefined,
		);
	});
});

describe('with Continue On Fail', () => {
	it('an error of the preparation is that of every item', async () => {
		const items = await runItems(contextOf({ total: 2 }), () =>
			Promise.reject(new InputError("'A' is blank", 'Fill it in')),
		);
		const details = { code: 'INVALID_INPUT', outcomeUnknown: false, description: 'Fill it in' };
		const json = { error: "'A' is blank", details };
		expect(items).toStrictEqual([
			{ json, pairedItem: { item: 0 } },
			{ json, pairedItem: { item: 1 } },
		]);
	});

	it('an error of n8n, such as that of an expression, comes with its words and no description', async () => {
		const it = service(() => 'good');
		it.handler.read = () => Promise.reject(new TypeError('no such node'));
		expect((await run({ total: 1 }, it))[0]?.json).toStrictEqual({
			error: 'no such node',
			details: { code: 'INVALID_INPUT', outcomeUnknown: false },
		});
	});

	it('a refused call comes with the advice for it', async () => {
		const [item] = await run(
			{ total: 1 },
			service(() => 'refused'),
		);
		expect(item?.json).toStrictEqual({
			error: 'refused 0',
			details: { code: 'R', httpStatus: 400, outcomeUnknown: false, description: 'Look' },
		});
	});
});

describe('what earlier tries gave', () => {
	const plan = (index: number) => (index === 0 ? 'refused' : 'good');

	it('comes out even where a later try cannot get ready, and is not lost for the one after', async () => {
		const data = {};
		const it = service(plan);
		const setting = { total: 3, retryOnFail: true, executeData: data };
		await run(setting, it);
		const second = await runItems(contextOf(setting), () => Promise.reject(new InputError('no', 'Do')));
		expect(second.map(summary)).toEqual([{ code: 'INVALID_INPUT', outcomeUnknown: false }, 1, 2]);
		await run(setting, it);
		expect([...it.sent]).toEqual([
			[0, 2],
			[1, 1],
			[2, 1],
		]);
	});

	it.each<[string, Partial<Setting>]>([
		['by a node without Retry On Fail', { retryOnFail: false }],
		['by another node', { id: '2' }],
		['by a tool of an agent', { type: 'xTool' }],
		['in another run', { executeData: {} }],
	])('is not taken %s', async (_who, change) => {
		const it = service(plan);
		const setting = { total: 2, retryOnFail: true, executeData: {} };
		await run(setting, it);
		await run({ ...setting, ...change }, it);
		expect(it.sent.get(1)).toBe(2);
	});

	it('is not taken for another request', async () => {
		const it = service(plan);
		const setting = { total: 2, retryOnFail: true, executeData: {} };
		await run(setting, it);
		it.handler.identify = ({ index }) => `other ${index}`;
		await run(setting, it);
		expect(it.sent.get(1)).toBe(2);
	});

	it('stays where n8n takes a good first item for a failure, since it has a field named error', async () => {
		const it = service(() => 'good');
		const { send } = it.handler;
		it.handler.send = async (request) => {
			const { json } = await send(request);
			return { json: { ...json, error: [] } };
		};
		const setting = { total: 2, retryOnFail: true, executeData: {} };
		await run(setting, it);
		await run(setting, it);
		expect([...it.sent.values()]).toEqual([1, 1]);
	});

	it('goes once a try has succeeded as a whole', async () => {
		const it = service(() => 'good');
		const setting = { total: 2, retryOnFail: true, executeData: {} };
		await run(setting, it);
		await run(setting, it);
		expect([...it.sent.values()]).toEqual([2, 2]);
	});
});

it('the details of an error are copied for each item', async () => {
	const shared = refused(0);
	const it = service(() => 'good');
	it.handler.send = () => Promise.reject(shared);
	const [first, second] = await run({ total: 2 }, it);
	Object.assign(first?.json.details as object, { code: 'changed' });
	expect((second?.json.details as { code: string }).code).toBe('R');
	expect(shared.details.code).toBe('R');
});

describe('once the execution is stopped', () => {
	/** A service that refuses what comes after the stop, as the node's client does. */
	async function runStopped(total: number, outcome: Outcome) {
		const stop = new AbortController();
		const it = service(() => outcome, 2);
		const { send } = it.handler;
		let sent = 0;
		it.handler.send = async (request) => {
			if (stop.signal.aborted) throw refused(request.index);
			if (++sent === 4) setTimeout(() => stop.abort(), 1);
			return await send(request);
		};
		const error: unknown = await run({ total, signal: stop.signal }, it).catch((one: unknown) => one);
		return { it, error };
	}

	it('the first failed item ends the run, also with Continue On Fail', async () => {
		const { it, error } = await runStopped(50, 'good');
		expect(error).toMatchObject({ message: expect.stringMatching(/^refused \d+$/) as string });
		expect(it.sent.size).toBeLessThan(10);
	});

	it('it is not waited until delayed requests are due', async () => {
		const { it, error } = await runStopped(4, 'later');
		expect(error).toMatchObject({ description: expect.stringContaining(' still waiting') as string });
		expect([...it.sent.values()]).toEqual([1, 1, 1, 1]);
	});
});
