import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { dataSourceTypes, endpointServices, type Simulator, startSimulator } from '../support/cloud';
import { startCountingService } from '../support/cloud/countingService';
import { detailsOf, type NodeRun, runNode } from '../support/engine/runNode';
import { startScriptedServer } from '../support/network/scriptedServer';

const { salesWarehouse, webShop, nameless } = endpointServices;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ moreWorkspaces: 49, moreProjects: 7 })));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

const inWorkspace = { __rl: true, mode: 'id', value: '={{ $json.workspace }}' };

/** Verifies with options that give each item its place; every item comes out. */
async function verify(
	options: INodeParameters,
	input: IDataObject[],
	credential: object = simulator.credentials,
	settings: Partial<NodeRun> = {},
) {
	const dsType = '={{ $json.type ?? "DWS" }}';
	const run = { onError: 'continueRegularOutput', ...settings } as const;
	const { items } = await runNode({ dsType, options }, { credential, input, ...run });
	return items;
}

/** What was POSTed where: project, workspace, type and name. */
const posts = (requests = simulator.requests) =>
	requests
		.filter(({ path }) => path.endsWith('/vpc-endpoint'))
		.map(({ path, headers, body }) => {
			const { ds_type, vpc_ep_server_name } = JSON.parse(body) as Record<string, string>;
			return [path.split('/')[2], headers['x-workspace-id'], ds_type, vpc_ep_server_name].join(' ');
		});

/** The workspaces of the project in turn, and each of them with so many endpoints that no two items are equal. */
function itemsOver(count: number, workspaces: string[]) {
	const names = [salesWarehouse.name, webShop.name, nameless.name];
	return Array.from({ length: count }, (_, index) => {
		const round = Math.floor(index / workspaces.length);
		return {
			workspace: workspaces[index % workspaces.length] ?? '',
			type: dataSourceTypes[round % dataSourceTypes.length] ?? '',
			name: names[Math.floor(round / dataSourceTypes.length)] ?? '',
		};
	});
}

describe('many items over 50 workspaces with one credential', () => {
	it.each<[number, string, 'credentials' | 'passwordCredentials' | 'accessKeyCredentials', number]>([
		[1000, 'a password', 'passwordCredentials', 1],
		[200, 'a user token', 'credentials', 0],
		[200, 'an access key', 'accessKeyCredentials', 0],
	])(
		'each of %d POSTs has its own workspace, with %s',
		async (count, _mode, name, logins) => {
			const workspaces = simulator.workspacesOf(simulator.credentials.projectId);
			expect(workspaces).toHaveLength(50);
			const input = itemsOver(count, workspaces);
			// A workspace of its own, which no item names, shows that the credential's is not sent.
			const credential = { ...simulator[name], workspaceId: 'unused' };
			const out = await verify({ workspaceId: inWorkspace }, input, credential);
			expect(out.filter(({ json }) => json.error)).toEqual([]);
			expect(out.map(({ json }) => [json.ds_type, json.vpc_ep_server_name])).toEqual(
				input.map(({ type, name: service }) => [type, service]),
			);
			const { projectId } = simulator.credentials;
			const expected = input.map((item) => [projectId, item.workspace, item.type, item.name].join(' '));
			expect(posts().sort()).toEqual(expected.sort());
			expect(new Set(expected).size).toBe(count);
			expect(simulator.logins).toBe(logins);
			expect(simulator.refusedSignatures).toBe(0);
			expect(simulator.requests).toHaveLength(count + logins);
		},
		// Without a pool each request takes a connection of its own.
		180_000,
	);

	it('the same by expressions in the credential: one login, and one pace', async () => {
		const workspaces = simulator.workspacesOf(simulator.credentials.projectId);
		const credential = { ...simulator.passwordCredentials, workspaceId: '={{ $json.workspace }}' };
		const out = await verify({}, itemsOver(100, workspaces), credential);
		expect(out.filter(({ json }) => json.error)).toEqual([]);
		expect(new Set(simulator.requests.flatMap(({ headers }) => headers['x-workspace-id'] ?? []))).toEqual(
			new Set(workspaces),
		);
		// The token is that of an earlier run in this process, or of this one.
		expect(simulator.logins).toBeLessThanOrEqual(1);
	});
});

describe('several projects', () => {
	const options = { projectId: '={{ $json.project }}', workspaceId: inWorkspace };

	const inProjects = (count: number) =>
		Array.from({ length: count }, (_, index) => {
			const project = simulator.projectIds[index % simulator.projectIds.length] ?? '';
			return { project, workspace: simulator.workspacesOf(project)[0] ?? '', name: salesWarehouse.name };
		});

	it('with a password: one login for each, one after the other', async () => {
		const cloud = await startSimulator({ moreProjects: 7, latency: 5 });
		const input = Array.from({ length: 80 }, (_, index) => {
			const project = cloud.projectIds[index % 8] ?? '';
			return { project, workspace: cloud.workspacesOf(project)[0] ?? '', name: salesWarehouse.name };
		});
		const out = await verify(options, input, cloud.passwordCredentials, {});
		expect(out.map(({ json }) => json.error ?? json.project_id)).toEqual(input.map(({ project }) => project));
		expect(cloud.logins).toBe(8);
		await cloud.close();
	});

	it('with a password that is wrong: one login in all, so that the account is not locked', async () => {
		const credential = { ...simulator.passwordCredentials, password: 'Wrong-Password-1' };
		const out = await verify(options, inProjects(16), credential);
		expect(simulator.logins).toBe(1);
		expect(simulator.refusedLogins).toBe(1);
		expect(out.filter(({ json }) => /^No token from IAM/.test(json.error as string))).toHaveLength(16);
		expect(posts()).toEqual([]);
	});

	it('with an access key: each request is signed for its own', async () => {
		const input = inProjects(40);
		const out = await verify(options, input, simulator.accessKeyCredentials);
		expect(out.map(({ json }) => json.error ?? json.project_id)).toEqual(input.map(({ project }) => project));
		expect(simulator.refusedSignatures).toBe(0);
	});

	it('with a user token, which is for one project: the service refuses the others', async () => {
		const input = inProjects(8);
		const out = await verify(options, input);
		expect(out[0]?.json.project_id).toBe(simulator.projectIds[0]);
		expect(detailsOf(out.slice(1)).map((details) => details?.code)).toEqual(Array(7).fill('APIGW.0310'));
	});

	it('one for which there is no login fails its own items alone', async () => {
		const input = inProjects(16).map((item, index) =>
			index % 4 === 1 ? { ...item, project: 'no-such-project' } : item,
		);
		const out = await verify(options, input, simulator.passwordCredentials);
		expect(out.map(({ json }) => 'error' in json)).toEqual(input.map((_, index) => index % 4 === 1));
		expect(out[1]?.json.error).toContain('No token from IAM: Could not find project');
		// Neither of its items could be sent, and the second login would end like the first.
		expect(simulator.refusedLogins).toBe(1);
	});

	it('the options take the place of what expressions in the credential give', async () => {
		const [first = '', second = ''] = simulator.projectIds;
		const credential = {
			...simulator.accessKeyCredentials,
			projectId: '={{ $json.credentialProject }}',
			workspaceId: '={{ $json.credentialWorkspace }}',
		};
		const workspaceOf = (project: string) => simulator.workspacesOf(project)[0] ?? '';
		const name = salesWarehouse.name;
		const out = await verify(
			{ projectId: '={{ $json.project }}' },
			[
				{ name, project: first, credentialProject: second, credentialWorkspace: workspaceOf(first) },
				{ name, project: second, credentialProject: '', credentialWorkspace: workspaceOf(second) },
				{ name, project: second, credentialProject: first, credentialWorkspace: workspaceOf(second) },
			],
			credential,
		);
		expect(out.map(({ json }) => json.error ?? json.project_id)).toEqual([first, second, second]);
	});
});

describe('an option that cannot be used', () => {
	it.each<[string, INodeParameters, string]>([
		['a blank project', { projectId: '' }, "'Project ID' in the options is blank"],
		['a blank project by expression', { projectId: '={{ $json.none }}' }, "'Project ID' in the options is"],
		[
			'a path in the project',
			{ projectId: '../elsewhere' },
			"'Project ID' in the options holds characters that no project ID has",
		],
		[
			'a workspace that nobody chose',
			{ workspaceId: { __rl: true, mode: 'list', value: '' } },
			"'Workspace' in the options is blank",
		],
		[
			'a workspace as the form adds it',
			{ workspaceId: { mode: 'list', value: '' } },
			"'Workspace' in the options is blank",
		],
		[
			'a blank workspace by expression',
			{ workspaceId: { __rl: true, mode: 'id', value: '={{ $json.none }}' } },
			"'Workspace' in the options is blank",
		],
		[
			'a line break in the workspace',
			{ workspaceId: { __rl: true, mode: 'id', value: 'a\nb' } },
			"'Workspace' in the options holds a blank, a line break",
		],
		[
			'a workspace that is a number',
			{ workspaceId: { __rl: true, mode: 'id', value: '={{ 5 }}' } },
			"'Workspace' holds a value of the type number",
		],
	])('is refused before anything is sent: %s', async (_what, options, message) => {
		const [item] = await verify(options, [{ name: salesWarehouse.name }], simulator.passwordCredentials);
		expect(item?.json.error).toContain(message);
		expect(item?.json.details).toMatchObject({ code: 'INVALID_INPUT', outcomeUnknown: false });
		expect(simulator.requests).toEqual([]);
	});

	it('fails its own item alone', async () => {
		const { workspaceId: workspace } = simulator.credentials;
		const { name } = salesWarehouse;
		const out = await verify({ workspaceId: inWorkspace }, [
			{ name, workspace },
			{ name, workspace: '' },
			{ name, workspace },
		]);
		expect(out.map(({ json }) => json.error)).toEqual([
			undefined,
			"'Workspace' in the options is blank",
			undefined,
		]);
		expect(posts()).toHaveLength(2);
	});
});

it.each<[string, INodeParameters, object]>([
	['by the option', { workspaceId: inWorkspace }, {}],
	['by an expression in the credential', {}, { workspaceId: '={{ $json.workspace }}' }],
])('429 of one workspace holds back the others, %s', async (_how, options, change) => {
	const service = await startScriptedServer(() => ({ status: 429, headers: { 'Retry-After': '3600' } }));
	const credential = { ...simulator.credentials, baseUrl: service.url, ...change };
	const input = itemsOver(50, simulator.workspacesOf(simulator.credentials.projectId));
	const out = await verify({ ...options, maxConcurrency: 1 }, input, credential);
	expect(service.seen).toHaveLength(1);
	expect(out.filter(({ json }) => /^Not sent: /.test(json.error as string))).toHaveLength(49);
	await service.close();
});

it.each([
	['is sent again where the workspace differs', '(Math.random() * 1000).toFixed()', 2],
	['is not sent again where it is the same', '"w"', 1],
])('Retry On Fail with an expression for the workspace: a success %s', async (_which, value, attempts) => {
	const service = await startCountingService();
	service.reply = (name, attempt) => (name === 'bad' && attempt === 1 ? '500' : 'good');
	// Another value for each evaluation of the expression, so for each try.
	let evaluated = 0;
	const random = jest.spyOn(Math, 'random').mockImplementation(() => evaluated++ / 1_000);
	await verify(
		{ maxConcurrency: 1, workspaceId: { __rl: true, mode: 'id', value: `={{ ${value} }}` } },
		[{ name: 'bad' }, { name: 'good' }],
		service.credentials,
		{ settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 } },
	);
	random.mockRestore();
	expect(Object.fromEntries(service.posts)).toEqual({ bad: 2, good: attempts });
	await service.close();
});
