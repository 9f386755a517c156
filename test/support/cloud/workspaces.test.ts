import { fetchSigned } from './signing';
import {
	endpointServices,
	iamUsers,
	ownerProjectId,
	ownerWorkspaceId,
	projectId,
	startSimulator,
	workspaceId,
	type Simulator,
} from '.';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ moreWorkspaces: 49, moreProjects: 2 })));
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const { webShop, partnerArchive } = endpointServices;
const hexId: unknown = expect.stringMatching(/^[0-9a-f]{32}$/);
const unavailable = { status: 403, body: { error_code: 'APIGW.0310' } };
const noSuchWorkspace = { status: 400, body: { error_code: 'DataArtsInsight.24150005' } };
const forbidden = { status: 403, body: { error_code: 'DataArtsInsight.20010003' } };

interface Page {
	count: number;
	page_data: Array<{ id: string; instance_id: string; name: string }>;
}

async function call(
	tail: string,
	{
		project = projectId,
		token = simulator.credentials.token,
		workspace = '',
		body,
	}: { project?: string; token?: string; workspace?: string; body?: object } = {},
) {
	const response = await fetch(`${simulator.url}/v1/${project}${tail}`, {
		method: body === undefined ? 'GET' : 'POST',
		headers: {
			'X-Auth-Token': token,
			...(workspace && { 'X-Workspace-Id': workspace }),
			...(body !== undefined && { 'Content-Type': 'application/json' }),
		},
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	return { status: response.status, body: (await response.json()) as Page };
}

const verify = async (workspace: string, project = projectId, token = simulator.issueToken(project)) =>
	await call('/connections/vpc-endpoint', {
		project,
		token,
		workspace,
		body: { ds_type: 'DWS', vpc_ep_server_name: webShop.name },
	});

/** The first instance of a project, and a page of its workspaces. */
async function workspaces(project = projectId, query = '') {
	const token = simulator.issueToken(project);
	const [instance] = (await call('/instances', { project, token })).body.page_data;
	return await call(`/instances/${instance?.instance_id}/workspaces${query}`, { project, token });
}

describe('workspaces', () => {
	test('are all known to the simulator, those of the first project first', () => {
		const { workspaceIds, projectIds } = simulator;
		expect(new Set(workspaceIds).size).toBe(52);
		expect(workspaceIds[0]).toBe(workspaceId);
		expect(projectIds).toEqual([projectId, hexId, hexId]);
		expect(projectIds.flatMap((id) => simulator.workspacesOf(id))).toEqual(workspaceIds);
		expect(simulator.workspacesOf(projectId)).toHaveLength(50);
		expect(simulator.workspacesOf(ownerProjectId)).toEqual([ownerWorkspaceId]);
	});

	test('are the same in every simulator with such options', async () => {
		const other = await startSimulator({ moreWorkspaces: 2, moreProjects: 1 });
		const { workspaceIds, projectIds } = other;
		await other.close();
		expect(simulator.workspaceIds).toEqual(expect.arrayContaining(workspaceIds));
		expect(simulator.projectIds).toEqual(expect.arrayContaining(projectIds));
	});

	test('each take a verification, and those of a project share the endpoint', async () => {
		const ids = new Set<string>();
		for (const workspace of simulator.workspacesOf(projectId)) {
			const { status, body } = await verify(workspace);
			expect(status).toBe(200);
			ids.add((body as unknown as { id: string }).id);
		}
		expect(ids.size).toBe(1);
		const sent = simulator.requests.map(({ headers }) => headers['x-workspace-id']);
		expect(sent).toEqual(simulator.workspacesOf(projectId));
	});

	test('count in their own project only', async () => {
		const [, second = '', third = ''] = simulator.projectIds;
		const [ofSecond = ''] = simulator.workspacesOf(second);
		const answer = await verify(ofSecond, second);
		expect(answer).toMatchObject({ status: 200, body: { project_id: second } });
		expect(await verify(workspaceId, second)).toMatchObject(noSuchWorkspace);
		expect(await verify(ofSecond)).toMatchObject(noSuchWorkspace);
		expect(await verify(ofSecond, third)).toMatchObject(noSuchWorkspace);
		const token = simulator.issueToken(second);
		const listed = await call('/connections', { project: second, token, workspace: ofSecond });
		expect(listed.body).toMatchObject({ count: 1 });
		expect((await call('/connections', { workspace: workspaceId })).body).toMatchObject({ count: 0 });
		// The same service, yet another endpoint.
		expect((await verify(workspaceId)).body).toMatchObject({ project_id: projectId });
		expect(simulator.connectionsOf(webShop.id)).toHaveLength(2);
	});
});

describe('listing instances and their workspaces', () => {
	test('needs no workspace and gives them page by page', async () => {
		expect(await call('/instances?limit=1000&offset=0')).toEqual({
			status: 200,
			body: { count: 1, page_data: [{ instance_id: hexId, instance_name: 'insight-cn-north-4' }] },
		});
		const first = await workspaces();
		expect(first.body.count).toBe(50);
		expect(first.body.page_data.slice(0, 2)).toMatchObject([
			{ id: workspaceId, name: 'default', is_default: true },
			{ name: 'team-1', is_default: false },
		]);
		expect(first.body.page_data).toHaveLength(10);
		const all = (await workspaces(projectId, '?limit=1000')).body.page_data;
		expect(all.map(({ id }) => id)).toEqual(simulator.workspacesOf(projectId));
		expect((await workspaces(projectId, '?limit=3&offset=48')).body.page_data).toEqual(all.slice(48));
	});

	test('shows those of the project that is asked', async () => {
		const [, second = ''] = simulator.projectIds;
		expect((await workspaces(second)).body).toMatchObject({
			count: 1,
			page_data: [{ id: simulator.workspacesOf(second)[0] }],
		});
		const [ofFirst] = (await call('/instances')).body.page_data;
		const token = simulator.issueToken(second);
		const tail = `/instances/${ofFirst?.instance_id}/workspaces`;
		expect(await call(tail, { project: second, token })).toMatchObject({
			status: 404,
			body: { error_code: 'DataArtsInsight.24010003' },
		});
	});

	test.each(['limit=0', 'limit=1001', 'offset=-1', 'name=x'])('refuses ?%s', async (query) => {
		const refused = { status: 400, body: { error_code: 'APIGW.0201' } };
		expect(await call(`/instances?${query}`)).toMatchObject(refused);
		expect(await workspaces(projectId, `?${query}`)).toMatchObject(refused);
	});

	test('takes the right to', async () => {
		const { url, readerCredentials, verifierCredentials } = simulator;
		const address = `${url}/v1/${projectId}/instances`;
		expect(await fetchSigned(address, readerCredentials)).toMatchObject({ status: 200 });
		expect(await fetchSigned(address, verifierCredentials)).toMatchObject(forbidden);
		const [instance] = (await call('/instances')).body.page_data;
		const inside = `${address}/${instance?.instance_id}/workspaces`;
		expect(await fetchSigned(inside, verifierCredentials)).toMatchObject(forbidden);
	});
});

describe('projects', () => {
	test('take only tokens of their own, by login or not', async () => {
		const [, second = ''] = simulator.projectIds;
		const [workspace = ''] = simulator.workspacesOf(second);
		const { domainName, username: name, password } = iamUsers.operator;
		const response = await fetch(`${simulator.url}/v3/auth/tokens`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({
				auth: {
					identity: {
						methods: ['password'],
						password: { user: { name, password, domain: { name: domainName } } },
					},
					scope: { project: { id: second } },
				},
			}),
		});
		expect(await response.json()).toMatchObject({ token: { project: { id: second } } });
		const token = response.headers.get('x-subject-token') ?? '';
		expect(await verify(workspace, second, token)).toMatchObject({ status: 200 });
		expect(await verify(workspaceId, projectId, token)).toMatchObject(unavailable);
		expect(await verify(workspace, second, simulator.credentials.token)).toMatchObject(unavailable);
		expect(() => simulator.issueToken(ownerProjectId)).toThrow('no project');
	});

	test('all take an access key of the account, with their own X-Project-Id', async () => {
		const { url, accessKeyCredentials, ownerCredentials, projectIds } = simulator;
		for (const project of projectIds) {
			const address = `${url}/v1/${project}/instances`;
			const answer = await fetchSigned(address, accessKeyCredentials, { projectId: project });
			expect(answer).toMatchObject({ status: 200 });
			expect(await fetchSigned(address, ownerCredentials, { projectId: project })).toMatchObject(unavailable);
			if (project === projectId) continue;
			expect(await fetchSigned(address, accessKeyCredentials)).toMatchObject(unavailable);
			expect(await fetchSigned(address, accessKeyCredentials, { projectId })).toMatchObject(unavailable);
		}
	});

	test('have endpoint services and quotas of their own', async () => {
		const [, second = ''] = simulator.projectIds;
		const token = simulator.issueToken(second);
		const services = await call('/vpc-endpoint-services', { project: second, token });
		expect(services).toMatchObject({ status: 200, body: { endpoint_services: [], total_count: 0 } });
		const described = await call(`/vpc-endpoint-services/describe?id=${webShop.id}`, {
			project: second,
			token,
		});
		expect(described).toMatchObject({ status: 200, body: { service_name: webShop.name } });
		const owners = await fetchSigned(
			`${simulator.url}/v1/${ownerProjectId}/vpc-endpoint-services`,
			simulator.ownerCredentials,
		);
		expect(owners.body).toMatchObject({ endpoint_services: [{ id: partnerArchive.id }], total_count: 1 });
	});
});

describe('users', () => {
	test('verify only with the right to, and the endpoint names them', async () => {
		const { url, readerCredentials, verifierCredentials } = simulator;
		const post = async (who: typeof readerCredentials) => {
			const response = await fetchSigned(`${url}/v1/${projectId}/connections/vpc-endpoint`, who, {
				method: 'POST',
				body: JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: webShop.name }),
				workspaceId,
			});
			return response;
		};
		expect(await post(readerCredentials)).toMatchObject(forbidden);
		expect(simulator.connectionsOf(webShop.id)).toEqual([]);
		expect(await post(verifierCredentials)).toMatchObject({
			status: 200,
			body: { create_user_name: 'insight-verifier', update_user_name: 'insight-verifier' },
		});
	});
});
