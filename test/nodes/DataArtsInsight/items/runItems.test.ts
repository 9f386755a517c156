import fc from 'fast-check';
import type { IExecuteFunctions, INode, INodeExecutionData } from 'n8n-workflow';

import { type ItemHandler, runItems } from '../../../../nodes/DataArtsInsight/items/runItems';
import { InputError, RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';

type Outcome = 'good' | 'refused' | 'ambiguous' | 'unforeseen' | 'unreadable' | 'again';

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
function service(plan: (index: number, knock: number) => Outcome, maxConcurrency = 3) {
	const sent = new Map<number, number>();
	const order: number[] = [];
	let inFlight = 0;
	let most = 0;
	const handler: ItemHandler<{ index: number }> = {
		maxConcurrency,
		read: (index) => {
			if (plan(index, 1) === 'unreadable') throw new InputError(`unreadable ${index}`, 'Correct it');
			return { index };
		},
		send: async ({ index }) => {
			const knock = (sent.get(index) ?? 0) + 1;
			sent.set(index, knock);
			order.push(index);
			most = Math.max(most, ++inFlight);
			await new Promise((resolve) => setTimeout(resolve, (index % 2) * 10));
			inFlight--;
			switch (plan(index, knock)) {
				case 'refused':
					throw refused(index);
				case 'ambiguous':
					throw new RequestError(`lost ${index}`, 'Look', { code: 'LOST', outcomeUnknown: true });
				case 'unforeseen':
					throw new TypeError(`secret ${index}`);
				case 'again':
					return { json: { index, knock }, sendAgainAfter: 1 };
				default:
					return { json: { index, knock } };
			}
		},
		identify: ({ index }) => String(index),
	};
	return { handler, sent, order, most: () => most };
}

const run = async (setting: Setting, { handler }: { handler: ItemHandler<{ index: number }> }) =>
	await runItems(contextOf(setting), async () => await Promise.resolve(handler));

const summary = ({ json }: INodeExecutionData) =>
	json.error ? { ...(json.details as object), description: undefined } : json.index;

describe('for any outcomes of the calls', () => {
	const outcome = fc.constantFrom<Outcome>(
		'good',
		'refused',
		'ambiguous',
		'unforeseen',
		'unreadable',
		'again',
	);
	const plans = fc.array(fc.array(outcome, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 });
	/** After what is planned an item succeeds. */
	const planOf = (plan: Outcome[][]) => (index: number, knock: number) =>
		plan[index]?.[0] === 'unreadable' ? 'unreadable' : (plan[index]?.[knock - 1] ?? 'good');

	it('every item comes out once, in its place, and no more are in flight than allowed', async () => {
		await fc.assert(
			fc.asyncProperty(plans, fc.integer({ min: 1, max: 5 }), async (plan, maxConcurrency) => {
				const it = service(planOf(plan), maxConcurrency);
				const items = await run({ total: plan.length }, it);
				expect(items.map(({ pairedItem }) => pairedItem)).toEqual(plan.map((_, item) => ({ item })));
				expect(it.most()).toBeLessThanOrEqual(maxConcurrency);
				items.forEach((item, index) => {
					// The first outcome that ends an item decides.
					const last = plan[index]?.find((one) => one !== 'again') ?? 'good';
					const expected: Record<string, unknown> = {
						refused: { code: 'R', httpStatus: 400, outcomeUnknown: false },
						ambiguous: { code: 'LOST', outcomeUnknown: true },
						unforeseen: { code: 'UNKNOWN', outcomeUnknown: true },
						unreadable: { code: 'INVALID_INPUT', outcomeUnknown: false },
						good: index,
					};
					const end = planOf(plan)(index, 1) === 'unreadable' ? 'unreadable' : last;
					if (end !== 'unreadable' || plan[index]?.[0] === 'unreadable') {
						expect(summary(item)).toEqual(expected[end]);
					}
					expect(JSON.stringify(item)).not.toContain('secret');
				});
			}),
			{ numRuns: 60 },
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

	it('an error that nobody foresaw says that the call may have acted', async () => {
		const error: unknown = await run(
			{ total: 1, continueOnFail: false },
			service(() => 'unforeseen'),
		).catch((one: unknown) => one);
		expect(error).toMatchObject({
			message: 'The call ended in a way that this node does not know (TypeError)',
			description: expect.stringContaining('a VPC endpoint may exist') as string,
		});
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

it('requests that are due again and new ones take turns', async () => {
	const it = service((_index, knock) => (knock < 3 ? 'again' : 'good'), 1);
	await run({ total: 30 }, it);
	// The first item is sent again while others have not been sent at all.
	expect(it.order.lastIndexOf(0)).toBeLessThan(it.order.indexOf(29));
	expect([...it.sent.values()]).toEqual(Array(30).fill(3));
});

it('of many that are due at once and many new ones neither wait for all of the others', async () => {
	let now = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	const it = service((index, knock) => (index < 10 && knock === 1 ? 'again' : 'good'), 1);
	const { read } = it.handler;
	it.handler.read = (index) => {
		// Up to it the clock stands still; behind it all that rests is due.
		if (index >= 10) now += 1_000;
		return read(index);
	};
	await run({ total: 20 }, it).finally(() => jest.restoreAllMocks());
	const kinds = it.order.slice(10).map((index) => (index < 10 ? 'due' : 'new'));
	expect(kinds).toHaveLength(20);
	// At the end one kind alone is left.
	for (let i = 0; i < 16; i++) expect(new Set(kinds.slice(i, i + 3)).size).toBe(2);
});

describe('while all that is left rests', () => {
	afterEach(() => jest.useRealTimers());

	it('other work of n8n goes on', async () => {
		const it = service((_index, knock) => (knock === 1 ? 'again' : 'good'));
		const { send } = it.handler;
		const happened: string[] = [];
		it.handler.send = async (request) => {
			const { json, sendAgainAfter } = await send(request);
			happened.push('sent');
			setTimeout(() => happened.push('other work'), 0);
			return { json, sendAgainAfter: sendAgainAfter && 50 };
		};
		await run({ total: 1 }, it);
		expect(happened).toEqual(['sent', 'other work', 'sent']);
	});

	it('a request is sent again as soon as it is due, and nothing is left behind that waits on', async () => {
		jest.useFakeTimers();
		const it = service(() => 'good');
		const times: number[] = [];
		it.handler.send = async () => {
			times.push(performance.now());
			return await Promise.resolve({ json: {}, sendAgainAfter: [30, 60_000][times.length - 1] });
		};
		const start = performance.now();
		const done = run({ total: 1 }, it);
		await jest.advanceTimersByTimeAsync(61_000);
		await done;
		expect(times.map((time) => Math.round(time - start))).toEqual([0, 30, 60_030]);
		expect(jest.getTimerCount()).toBe(0);
	});

	it('and one that is under way comes to rest, it is sent again in its time', async () => {
		jest.useFakeTimers();
		const it = service(() => 'good', 2);
		const times: Array<[number, number]> = [];
		const start = performance.now();
		it.handler.send = async ({ index }) => {
			const knock = times.filter(([one]) => one === index).length;
			times.push([index, Math.round(performance.now() - start)]);
			if (knock > 0) return { json: {} };
			// The second answer comes while the first item rests for long.
			if (index === 1) await new Promise((resolve) => setTimeout(resolve, 1_010));
			return { json: {}, sendAgainAfter: index === 0 ? 10_000 : 40 };
		};
		const done = run({ total: 2 }, it);
		await jest.advanceTimersByTimeAsync(11_000);
		await done;
		expect(times).toEqual([
			[0, 0],
			[1, 0],
			[1, 1_050],
			[0, 10_000],
		]);
		expect(jest.getTimerCount()).toBe(0);
	});
});

it('reading many items leaves n8n time for other work', async () => {
	let turns = 0;
	const watch = setInterval(() => turns++, 1);
	const it = service(() => 'good');
	it.handler.read = (index) => {
		const end = performance.now() + 5;
		while (performance.now() < end);
		throw new InputError(`unreadable ${index}`, 'Correct it');
	};
	await run({ total: 100 }, it);
	clearInterval(watch);
	// Half a second of reading, and a turn each 50 ms.
	expect(turns).toBeGreaterThan(6);
});
