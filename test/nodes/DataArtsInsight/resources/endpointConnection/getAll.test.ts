import { getAll } from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/getAll';
import { expression } from '../../../../support/engine/parameterValues';
import { type OperationRun, runOperation } from '../../../../support/engine/runOperation';
import { type ScriptedServer, startScriptedServer } from '../../../../support/network/scriptedServer';

const SERVICE = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
const ENDPOINT = '705290f3-0d00-41f2-aedc-71f09844e879';

let server: ScriptedServer;
beforeEach(async () => {
	// As many as are asked for.
	server = await startScriptedServer((_count, { path }) => {
		const size = Number(new URLSearchParams(path.split('?')[1]).get('limit'));
		const connections = Array.from({ length: Math.min(size, 60) }, (_, id) => ({ id: `${id}`, error: [] }));
		return { body: { connections, total_count: 60 } };
	});
});
afterEach(async () => await server.close());

const run = async (parameters: Record<string, unknown> = {}, setting: Partial<OperationRun> = {}) =>
	await runOperation(getAll, {
		url: server.url,
		parameters: { endpointService: { __rl: true, mode: 'id', value: SERVICE }, ...parameters },
		...setting,
	});
const queries = () =>
	server.seen.map(({ path }) => Object.fromEntries(new URLSearchParams(path.split('?')[1])));

it('reads up to 50 connections, the oldest first, each with the ID of its endpoint service', async () => {
	const { items } = await run({}, { total: 2 });
	expect(items).toHaveLength(100);
	expect(items[50]).toEqual({
		json: { id: '0', error: [], endpoint_service_id: SERVICE },
		pairedItem: { item: 1 },
	});
	expect(server.seen[0]?.path).toContain(`/v1/p/vpc-endpoint-services/${SERVICE}/connections?`);
	expect(queries()[0]).toEqual({ sort_key: 'create_at', sort_dir: 'asc', limit: '50', offset: '0' });
});

it('reads as many as each item says', async () => {
	const { items } = await run(
		{ returnAll: expression([true, false, false]), limit: expression([0, 2, '3']) },
		{ total: 3 },
	);
	expect(items.map(({ pairedItem }) => (pairedItem as { item: number }).item)).toEqual([
		...Array<number>(60).fill(0),
		...[1, 1, 2, 2, 2],
	]);
});

it.each([0, -1, 1.5, 'many', null])('refuses %j as a limit before anything is sent', async (limit) => {
	const { error } = await run({ limit });
	expect(error?.message).toBe("'Limit' is not a whole number from 1 on");
	expect(server.seen).toEqual([]);
});

describe('filters', () => {
	/** n8n gives a collection as a whole, and each of its entries by a path. */
	const filters = (entries: Record<string, unknown>) => ({
		filters: entries,
		...Object.fromEntries(Object.entries(entries).map(([name, value]) => [`filters.${name}`, value])),
	});

	it('are what each item says', async () => {
		await run(filters({ status: expression(['rejected', 'failed']), endpointId: ` ${ENDPOINT} ` }), {
			total: 2,
		});
		expect(queries()).toMatchObject([
			{ id: ENDPOINT, status: 'rejected' },
			{ id: ENDPOINT, status: 'failed' },
		]);
	});

	it.each([
		['status', 'creating', "'Status' in the filters is 'creating', which the service does not know"],
		['status', '', "'Status' in the filters is blank"],
		['status', ['accepted'], "'Status' holds a list instead of text"],
		['endpointId', '', "'Endpoint ID' in the filters is blank"],
		['endpointId', `${ENDPOINT};${ENDPOINT}`, "'Endpoint ID' holds more than one ID, or a blank in it"],
	])('%s: %j is refused before anything is sent', async (name, value, message) => {
		expect((await run(filters({ [name]: expression([value]) }))).error?.message).toBe(message);
		expect(server.seen).toEqual([]);
	});
});

describe('by Retry On Fail', () => {
	/** Of two items the second fails, so that there is another try. */
	async function tryTwice(change: Record<string, unknown>) {
		const setting = { total: 2, continueOnFail: true, retryOnFail: true, executeData: {} };
		const first = { limit: expression([7, 0]), filters: {} };
		await run(first, setting);
		await run({ ...first, ...change }, setting);
		return server.seen.length;
	}

	it('what was read is not read again', async () => {
		expect(await tryTwice({})).toBe(1);
	});

	it.each([
		['more', { limit: expression([8, 0]) }],
		['other ones', { filters: { status: 'failed' }, 'filters.status': 'failed' }],
		['those of another endpoint service', { endpointService: { __rl: true, mode: 'id', value: 'other' } }],
	])('%s are read', async (_what, change) => {
		expect(await tryTwice(change)).toBe(2);
	});
});

it.each([
	[403, 'vpcep:connections:list'],
	[404, 'Check the ID or name of the endpoint service'],
])('%d says what to do', async (status, advice) => {
	server.reply = () => ({ status });
	expect((await run()).error?.description).toContain(advice);
});
