import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { JsonObject } from 'n8n-workflow';

import { queryOf, readRecords } from '../../../../nodes/DataArtsInsight/resources/records';
import { type Client, createClient } from '../../../../nodes/DataArtsInsight/transport/client';
import { VPC_ENDPOINT } from '../../../../nodes/DataArtsInsight/transport/identity/address';
import { readCredential } from '../../../../nodes/DataArtsInsight/transport/identity/credential';
import { startScriptedServer } from '../../../support/network/scriptedServer';

const LIST = { path: '/things', field: 'things' };

interface Page {
	size: number;
	offset: number;
	query: URLSearchParams;
}

/** A service that gives what a test says to each page that is asked for. */
function service(answer: (page: Page, count: number) => JsonObject) {
	const pages: Page[] = [];
	const call: Client = async ({ path }) => {
		const query = new URL(path, 'http://x').searchParams;
		pages.push({ size: Number(query.get('limit')), offset: Number(query.get('offset')), query });
		return await Promise.resolve(answer(pages.at(-1) as Page, pages.length));
	};
	return { pages, call, projectId: 'p' };
}

const things = (from: number, count: number) =>
	Array.from({ length: Math.max(count, 0) }, (_, index) => ({ id: `thing-${from + index}` }));
/** So many things, of which each page holds what was asked for. */
const shelf = (total: number) =>
	service(({ size, offset }) => ({
		things: things(offset, Math.min(size, total - offset)),
		total_count: total,
	}));

describe('readRecords', () => {
	it.each([
		[0, [[500, 0]]],
		[499, [[500, 0]]],
		[500, [[500, 0]]],
		[
			501,
			[
				[500, 0],
				[500, 500],
			],
		],
	])('of %d records asks for no page more than there are', async (total, asked) => {
		const one = shelf(total);
		expect(await readRecords(one, LIST)).toEqual({ records: things(0, total), total });
		expect(one.pages.map(({ size, offset }) => [size, offset])).toEqual(asked);
	});

	it.each([1, 499, 500, 501, 700])('with the limit %d asks for no record more', async (limit) => {
		const one = shelf(2_000);
		expect(await readRecords(one, LIST, limit)).toEqual({ records: things(0, limit), total: 2_000 });
		expect(one.pages.reduce((sum, { size }) => sum + size, 0)).toBe(limit);
	});

	it('asks for the oldest first, and for what narrows the list down', async () => {
		const one = shelf(0);
		await readRecords(one, { ...LIST, query: { name: 'a&b c', status: undefined } });
		expect(Object.fromEntries(one.pages[0]?.query ?? [])).toEqual({
			name: 'a&b c',
			sort_key: 'create_at',
			sort_dir: 'asc',
			limit: '500',
			offset: '0',
		});
	});

	it('a record that comes twice, since another one has gone, counts once, in its newer state', async () => {
		const pages: JsonObject[][] = [
			[{ id: 'a' }, { id: 'b', state: 'old' }],
			[{ id: 'b', state: 'new' }, { id: 'c' }],
		];
		const one = service((_page, count) => ({ things: pages[count - 1] ?? [], total_count: 4 }));
		const { records } = await readRecords(one, LIST);
		expect(records).toEqual([{ id: 'a' }, { id: 'b', state: 'new' }, { id: 'c' }]);
	});

	it('records without an ID are all kept, and what is no record is left out', async () => {
		const one = service(() => ({ things: [{ a: 1 }, { a: 1 }, null, 'text', [], 5], total_count: 6 }));
		expect((await readRecords(one, LIST)).records).toEqual([{ a: 1 }, { a: 1 }]);
	});

	it('a service that gives the same page again and again is not asked for ever', async () => {
		const one = service(() => ({ things: things(0, 500), total_count: 1_000_000 }));
		expect((await readRecords(one, LIST)).records).toHaveLength(500);
		expect(one.pages).toHaveLength(2);
	});

	it.each([undefined, null, {}, []])(
		'nor is one whose records have the ID %j, and that does not count them',
		async (id) => {
			const one = service((_page, count) => {
				if (count > 5) throw new Error('Asked for ever');
				return {
					things: Array.from({ length: 500 }, (_, index) => structuredClone({ id, index }) as JsonObject),
				};
			});
			await readRecords(one, LIST);
			expect(one.pages).toHaveLength(2);
		},
	);

	it.each(['', ' ', false, [], -1, 'NaN'])('a count of %j does not end the list', async (count) => {
		const one = service(({ size, offset }) => ({
			things: things(offset, Math.min(size, 700 - offset)),
			total_count: count,
		}));
		expect(await readRecords(one, LIST)).toEqual({ records: things(0, 700), total: 700 });
	});

	it('a count may be text', async () => {
		const one = service(({ offset }) => ({ things: things(offset, 100), total_count: '300' }));
		expect(await readRecords(one, LIST)).toEqual({ records: things(0, 300), total: 300 });
	});

	it('a service that counts more than it has is asked for one empty page', async () => {
		const one = service(({ offset, size }) => ({
			things: things(offset, Math.min(size, 500 - offset)),
			total_count: 9_000,
		}));
		expect((await readRecords(one, LIST)).records).toHaveLength(500);
		expect(one.pages).toHaveLength(2);
	});

	it('a service that gives smaller pages than asked for is asked until all is read', async () => {
		const one = service(({ offset }) => ({
			things: things(offset, Math.min(100, 250 - offset)),
			total_count: 250,
		}));
		expect((await readRecords(one, LIST)).records).toEqual(things(0, 250));
	});

	it('a service that gives more than asked for adds nothing beyond the limit', async () => {
		const one = service(() => ({ things: things(0, 500), total_count: 500 }));
		expect((await readRecords(one, LIST, 3)).records).toEqual(things(0, 3));
	});

	it.each([undefined, null, 'many'])(
		'without a count (%j) a page that is not full is the last',
		async (count) => {
			const one = service(({ size, offset }) => ({
				things: things(offset, Math.min(size, 700 - offset)),
				total_count: count as never,
			}));
			expect(await readRecords(one, LIST)).toEqual({ records: things(0, 700), total: 700 });
		},
	);

	it.each([undefined, {}, 'text'])('a response with %j in place of the list is none', async (found) => {
		const one = service(() => ({ things: found as never, total_count: 0 }));
		await expect(readRecords(one, LIST)).rejects.toMatchObject({
			message: "The service answered without the list 'things'",
			details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: false },
		});
	});
});

describe('over the wire', () => {
	const close: Array<() => Promise<void>> = [];
	afterEach(async () => await Promise.all(close.splice(0).map(async (end) => await end())));

	/** So many records, each with a text of this length. */
	async function start(total: number, length: number, signal?: AbortSignal) {
		const server = await startScriptedServer((_count, { path }) => {
			const query = new URL(path, 'http://x').searchParams;
			const [size, offset] = [Number(query.get('limit')), Number(query.get('offset'))];
			const page = things(offset, Math.min(size, total - offset));
			return {
				body: {
					things: page.map((thing) => ({ ...thing, text: thing.id.padEnd(length, '.') })),
					total_count: total,
				},
			};
		});
		close.push(server.close);
		const credential = {
			region: 'custom',
			baseUrl: server.url,
			vpcepUrl: server.url,
			token: 't',
			projectId: 'p',
		};
		const call = createClient(readCredential(credential, VPC_ENDPOINT), {
			helpers: {},
			timeout: 30_000,
			maxRetries: 3,
			signal,
		});
		return { server, call, projectId: 'p' };
	}

	it('a page over the limit of 1 MiB is asked for again in smaller ones, and nothing is left out', async () => {
		// 500 take about 5 MiB and 100 a little more than 1.
		const one = await start(130, 11_000);
		const { records, total } = await readRecords(one, LIST);
		expect(records.map(({ id }) => id)).toEqual(things(0, 130).map(({ id }) => id));
		expect(total).toBe(130);
		const asked = one.server.seen.map(({ path }) => new URL(path, 'http://x').searchParams.get('limit'));
		expect(asked).toEqual(['500', '100', ...Array<string>(7).fill('20')]);
	});

	it('a record that is too large alone is an error, and asked for no more often than it helps', async () => {
		const one = await start(1, 2 * 1024 * 1024);
		await expect(readRecords(one, LIST)).rejects.toMatchObject({ details: { code: 'ANSWER_TOO_LARGE' } });
		expect(one.server.seen.length).toBeLessThanOrEqual(4);
	});

	it('stopping: after the execution was cancelled no further page is asked for', async () => {
		const stop = new AbortController();
		const one = await start(100_000, 20, stop.signal);
		const { reply } = one.server;
		one.server.reply = (count, seen) => {
			if (count === 3) stop.abort();
			return reply(count, seen);
		};
		await expect(readRecords(one, LIST)).rejects.toMatchObject({ details: { code: 'CANCELLED' } });
		expect(one.server.seen).toHaveLength(3);
	});

	it('memory: 100,000 records take little more than they do by themselves', async () => {
		setFlagsFromString('--expose-gc');
		const collectGarbage = runInNewContext('gc') as () => void;
		const held = () => {
			collectGarbage();
			return process.memoryUsage().heapUsed;
		};
		// What other test files of this process have left behind goes turn by turn, and would count as less memory.
		for (let last = Infinity, now = held(); now < last - 100_000;) {
			await new Promise((resolve) => setImmediate(resolve));
			[last, now] = [now, held()];
		}
		const one = await start(100_000, 60);
		const { reply } = one.server;
		let empty = 0;
		let most = 0;
		one.server.reply = (count, seen) => {
			one.server.seen.length = 0;
			if (seen.path.endsWith('offset=0')) empty = held();
			// While the last page is on its way nearly all records are there, and of earlier responses nothing may be.
			if (seen.path.endsWith('offset=99500')) most = held() - empty;
			return reply(count, seen);
		};
		const { records } = await readRecords(one, LIST);
		expect(records).toHaveLength(100_000);
		const before = held();
		const copy = JSON.parse(JSON.stringify(records)) as unknown[];
		const own = held() - before;
		expect(copy).toHaveLength(100_000);
		expect(own).toBeGreaterThan(100_000 * 60);
		expect(most).toBeGreaterThan(0);
		expect(most / own).toBeLessThan(2);
	});
});

it('queryOf writes what has a meaning in an address as what it stands for', () => {
	expect(queryOf({ a: 'x&y=z #/?', b: undefined, c: 'ü' })).toBe('a=x%26y%3Dz%20%23%2F%3F&c=%C3%BC');
	expect(queryOf({})).toBe('');
	// Half of a character, as where an expression has cut a text.
	expect(queryOf({ a: 'x\ud83d' })).toBe('a=x%EF%BF%BD');
});
