import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { searchWorkspaces } from '../../../../nodes/DataArtsInsight/methods/workspaceSearch';
import { type ScriptedServer, startScriptedServer } from '../../../support/network/scriptedServer';

type Record = object | string | null;

let server: ScriptedServer;
beforeEach(async () => (server = await startScriptedServer(() => ({ body: {} }))));
afterEach(async () => await server.close());

/** Lets the service have these instances, each with its workspaces. */
function serve(instances: Record[], workspaces: { [instance: string]: Record[] }) {
	server.reply = (_count, { path }) => {
		const { pathname, searchParams } = new URL(path, server.url);
		const instance = /instances\/([^/]+)\/workspaces$/.exec(pathname)?.[1];
		const all = instance === undefined ? instances : (workspaces[decodeURIComponent(instance)] ?? []);
		const offset = Number(searchParams.get('offset'));
		const page_data = all.slice(offset, offset + Number(searchParams.get('limit')));
		return { body: { count: all.length, page_data } };
	};
}

const instance = (id: string, name?: string) => ({ instance_id: id, instance_name: name });
const workspaces = (count: number, name = 'w') =>
	Array.from({ length: count }, (_, index) => ({ id: `${name}-id-${index}`, name: `${name}-${index}` }));

/** @param inForm what stands in the options of the form */
async function search(filter?: string, token?: string, inForm?: unknown) {
	const credential = { region: 'custom', baseUrl: server.url, token: 'secret-token', projectId: 'p' };
	const context = {
		helpers: {},
		getNode: () => ({ id: '1', name: 'Node', type: 'x', typeVersion: 1, position: [0, 0], parameters: {} }),
		getCredentials: async () => await Promise.resolve(credential),
		getCurrentNodeParameter: (path: string) => (path === 'options.projectId' ? inForm : undefined),
	} as unknown as ILoadOptionsFunctions;
	return await searchWorkspaces.call(context, filter, token);
}

/** The whole list, and how many parts it took. */
async function searchAll(filter?: string) {
	const ids: unknown[] = [];
	let token: string | undefined;
	let parts = 0;
	do {
		const page = await search(filter, token);
		ids.push(...page.results.map(({ value }) => value));
		token = page.paginationToken;
		parts++;
	} while (token);
	return { ids, parts };
}

it('asks for an instance, then for its workspaces', async () => {
	serve([instance('a/b', 'first')], { 'a/b': workspaces(1) });
	expect(await search()).toEqual({ results: [{ name: 'w-0', value: 'w-id-0' }], paginationToken: undefined });
	expect(server.seen.map(({ path }) => path)).toEqual([
		'/v1/p/instances?limit=1&offset=0',
		'/v1/p/instances/a%2Fb/workspaces?limit=200&offset=0',
	]);
});

it.each([
	['a fixed one of the form', ' q ', 'q'],
	['none where the form has an expression', '={{ $json.project }}', 'p'],
	['none where the form has a blank one', ' ', 'p'],
	['none where the form has none', undefined, 'p'],
])("takes the place of the credential's project: %s", async (_what, inForm, project) => {
	await search('', '', inForm).catch(() => undefined);
	expect(server.seen[0]?.path).toBe(`/v1/${project}/instances?limit=1&offset=0`);
});

it('lists the workspaces of all instances, with the name of each where there are several', async () => {
	serve([instance('a', 'first'), instance('b'), instance('c', 'third')], {
		a: [{ id: '1', name: 'team', is_default: true }],
		b: [{ id: '2' }],
		c: [],
	});
	expect(await search()).toEqual({
		results: [
			{ name: 'team (default) in first', value: '1' },
			{ name: '2 in b', value: '2' },
		],
		paginationToken: undefined,
	});
});

it('reads on where the last part ended, and each workspace once', async () => {
	const all = { a: workspaces(450, 'a'), b: workspaces(1, 'b'), c: workspaces(260, 'c') };
	serve([instance('a'), instance('b'), instance('c')], all);
	const { ids, parts } = await searchAll();
	expect(ids).toEqual(Object.values(all).flatMap((list) => list.map(({ id }) => id)));
	expect(parts).toBeGreaterThan(2);
});

it.each([
	['a part of the name, in any case', 'C-25', ['c-id-25', 'c-id-250', 'c-id-251']],
	['a part of the ID', 'a-ID-44', ['a-id-44', 'a-id-440']],
	['the name of the instance', 'in second', ['b-id-0']],
	['nothing that is there', 'none', []],
])('finds %s', async (_what, filter, expected) => {
	const all = { a: workspaces(441, 'a'), b: workspaces(1, 'b'), c: workspaces(252, 'c') };
	serve([instance('a', 'first'), instance('b', 'second'), instance('c', 'third')], all);
	expect((await searchAll(filter)).ids).toEqual(expected);
});

it('reads 20 pages at most for one part, and goes on with the next', async () => {
	const all = Array.from({ length: 45 }, (_, index) => [`i${index}`, workspaces(1, `x${index}`)] as const);
	serve(
		all.map(([id]) => instance(id)),
		Object.fromEntries(all),
	);
	const { results, paginationToken } = await search('x44');
	expect(results).toEqual([]);
	expect(paginationToken).toBe('20 0');
	expect(server.seen).toHaveLength(40);
	expect(await searchAll('x44')).toEqual({ ids: ['x44-id-0'], parts: 3 });
});

it('ends where the service counts more than it gives', async () => {
	server.reply = (_count, { path }) => ({
		body: {
			count: 1000,
			page_data: path.includes('workspaces') || path.endsWith('=2') ? [] : [instance('a')],
		},
	});
	expect(await search()).toEqual({ results: [], paginationToken: undefined });
	expect(server.seen).toHaveLength(5);
});

it('leaves out what is no workspace that can be sent, and shows no name that is no text', async () => {
	serve([instance('a')], {
		a: [null, 'text', { id: 5, name: 'z' }, { id: 'x', name: {}, is_default: 'yes' }],
	});
	expect((await search()).results).toEqual([{ name: 'x', value: 'x' }]);
});

it.each<[string, Record[] | object, string]>([
	['no list', {}, "without the list 'page_data'"],
	['an instance without an ID', [{ instance_name: 'a' }], "without the 'instance_id' of an instance"],
])('where the service answers with %s, the form says so', async (_what, page_data, reason) => {
	server.reply = () => ({ body: { count: 1, page_data } });
	await expect(search()).rejects.toMatchObject({
		message: 'The workspaces could not be listed',
		description: expect.stringContaining(reason) as string,
	});
});
