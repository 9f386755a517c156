import type { ICredentialDataDecryptedObject, INodeListSearchResult, NodeApiError } from 'n8n-workflow';

import { type Simulator, startSimulator, validToken } from '../support/cloud';
import { searchList } from '../support/engine';
import { built, OUR_NODE } from '../support/engine/built';
import { runNode, toItems } from '../support/engine/runNode';
import { endpointServices } from '../support/cloud';
import { type ScriptedServer, startScriptedServer } from '../support/network/scriptedServer';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ moreWorkspaces: 449, moreProjects: 2 })));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

const search = async (
	filter?: string,
	token?: string,
	credential: ICredentialDataDecryptedObject = simulator.credentials,
) => {
	const credentials = { dataArtsInsightApi: credential };
	return await searchList(OUR_NODE, 'searchWorkspaces', { types: await built, credentials }, filter, token);
};

const idsIn = ({ results }: INodeListSearchResult) => results.map(({ value }) => value);

describe('the list of workspaces', () => {
	it('shows those of the project, by calls that only read and name no workspace', async () => {
		const { results } = await search();
		const [first, second] = simulator.workspacesOf(simulator.credentials.projectId);
		expect(results.slice(0, 2)).toEqual([
			{ name: 'default (default)', value: first },
			{ name: 'team-1', value: second },
		]);
		for (const { method, body, headers } of simulator.requests) {
			expect([method, body, headers['x-workspace-id']]).toEqual(['GET', '', undefined]);
		}
	});

	it('pagination: the pages hold each workspace once', async () => {
		const ids: unknown[] = [];
		let token: string | undefined;
		do {
			const page = await search('', token);
			ids.push(...idsIn(page));
			token = page.paginationToken;
		} while (token);
		expect(ids).toEqual(simulator.workspacesOf(simulator.credentials.projectId));
	});

	it('is searched by name and by ID, to the last page', async () => {
		const all = simulator.workspacesOf(simulator.credentials.projectId);
		expect(idsIn(await search(' TEAM-449 '))).toEqual([all[449]]);
		expect(idsIn(await search(all[300]?.toUpperCase()))).toEqual([all[300]]);
		const nothing = await search('no such workspace');
		expect(nothing).toEqual({ results: [], paginationToken: undefined });
	});

	it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const)(
		'works with a credential without a workspace (%s)',
		async (name) => {
			const credential = { ...simulator[name], workspaceId: '' };
			expect((await search('', '', credential)).results.length).toBeGreaterThan(0);
			expect(simulator.refusedSignatures).toBe(0);
		},
	);

	it('gives what Verify and Create then sends', async () => {
		const [, workspace] = simulator.workspacesOf(simulator.credentials.projectId);
		const picked = { __rl: true, mode: 'list', value: workspace ?? '', cachedResultName: 'team-1' };
		const { items } = await runNode(
			{ options: { workspaceId: picked } },
			{
				credential: { ...simulator.credentials, workspaceId: '' },
				input: toItems(endpointServices.webShop.name),
			},
		);
		expect(items[0]?.json).toMatchObject({ vpc_ep_client_status: 'accepted' });
		expect(simulator.requests.map(({ headers }) => headers['x-workspace-id'])).toEqual([workspace]);
	});
});

describe('a list of workspaces that fails says why and how to do without it:', () => {
	const failure = async (credential: ICredentialDataDecryptedObject) =>
		(await search('', '', credential).catch((error: unknown) => error)) as Error & {
			description: string;
			httpCode: string | null;
		};

	it.each<[string, () => ICredentialDataDecryptedObject, string, string | null]>([
		[
			'403 without permission',
			() => simulator.verifierCredentials,
			'permission to list the workspaces',
			'403',
		],
		['401', () => ({ ...simulator.credentials, token: 'expired' }), 'User Token', '401'],
		[
			'a project that is not the one of the token',
			() => ({ ...simulator.credentials, projectId: simulator.projectIds[1] ?? '' }),
			'The project cannot be used with this token',
			'403',
		],
		[
			'no project',
			() => ({ ...simulator.credentials, projectId: '' }),
			"'Project ID' in the credential is blank",
			null,
		],
	])('%s', async (_what, credential, reason, httpCode) => {
		const error = await failure(credential());
		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: 'The workspaces could not be listed',
			httpCode,
		});
		expect(error.description).toContain(reason);
		expect(error.description).toContain(". To do without the list, choose 'By ID' and copy the ID from");
		expect(JSON.stringify(error)).not.toContain(validToken);
	});
});

describe('a service whose lists are not what they should be', () => {
	let server: ScriptedServer;
	afterEach(async () => await server.close());

	/** @param bodies what the service gives for the instances, and for the workspaces of each */
	const searchAt = async (instances: object, workspaces: object = {}) => {
		server = await startScriptedServer((_count, { path }) => ({
			body: path.includes('/workspaces') ? workspaces : instances,
		}));
		return await search('', '0 0', { ...simulator.credentials, baseUrl: server.url });
	};
	const description = async (instances: object, workspaces: object) =>
		await searchAt(instances, workspaces).then(
			() => undefined,
			(error: NodeApiError) => error.description,
		);

	it.each<[string, object, object]>([
		['has no list of instances', { count: 1 }, {}],
		['has an instance without an ID', { count: 1, page_data: [{ instance_name: 'one' }] }, {}],
		['has no list of workspaces', { count: 1, page_data: [{ instance_id: 'i' }] }, { count: 1 }],
	])('%s: the error says so, and how to do without', async (_what, instances, workspaces) => {
		expect(await description(instances, workspaces)).toMatch(/answered without .*choose 'By ID'/s);
	});

	it('has no instance: the list is empty', async () => {
		expect(await searchAt({ count: 0, page_data: [] })).toEqual({ results: [], paginationToken: undefined });
	});

	it('has workspaces without a name, in several instances', async () => {
		const { results } = await searchAt(
			{ count: 2, page_data: [{ instance_id: 'i', instance_name: 7 }] },
			{ count: 2, page_data: [{ id: 'w1' }, { id: 'w2', name: 'two', is_default: true }] },
		);
		expect(results.map(({ name }) => name)).toEqual([
			'w1 in i',
			'two (default) in i',
			'w1 in i',
			'two (default) in i',
		]);
	});
});
