import { fetchSigned } from './signing';
import {
	account,
	endpointServices,
	insightDomainId,
	owner,
	startSimulator,
	type AccessKey,
	type Simulator,
} from '.';

const ACCEPT_TIME = 60_000;
const MORE_SERVICES = 5;

let simulator: Simulator;
beforeAll(
	async () =>
		(simulator = await startSimulator({
			acceptTime: ACCEPT_TIME,
			moreServices: MORE_SERVICES,
			endpointQuota: 5,
			whitelistLimit: 60,
		})),
);
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const { salesWarehouse, webShop, financeLedger, oldBilling, newReporting, cloudOwned, partnerArchive } =
	endpointServices;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const aString: unknown = expect.any(String);
const containing = (part: string): unknown => expect.stringContaining(part);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const refusal = (code: string, status = 400, error_msg: unknown = aString) => ({
	status,
	body: { error_code: `EndPoint.${code}`, error_msg },
});
const BAD = refusal('0002');
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

interface Listed {
	endpoint_services: Array<{ id: string; created_at: string; updated_at: string }>;
	connections: Array<{ id: string; marker_id: number; status: string; updated_at: string }>;
	permissions: Array<{ permission: string }>;
	total_count: number;
}

/** Calls the VPC Endpoint service with the token, without a workspace. */
async function call(tail: string, body?: unknown, project = simulator.credentials.projectId) {
	const response = await fetch(`${simulator.url}/v1/${project}/vpc-endpoint-services${tail}`, {
		method: body === undefined ? 'GET' : 'POST',
		headers: {
			'X-Auth-Token': simulator.credentials.token,
			...(body !== undefined && { 'Content-Type': 'application/json' }),
		},
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	return { status: response.status, body: (await response.json()) as Listed };
}

/** Calls it as another, by access key. */
const callAs = async (who: AccessKey & { projectId: string }, tail: string, body?: unknown) =>
	await fetchSigned(`${simulator.url}/v1/${who.projectId}/vpc-endpoint-services${tail}`, who, {
		projectId: who.projectId,
		...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
	});

async function verify({ name }: { name: string }, ds_type = 'DWS') {
	const { token, projectId, workspaceId } = simulator.credentials;
	const response = await fetch(`${simulator.url}/v1/${projectId}/connections/vpc-endpoint`, {
		method: 'POST',
		headers: {
			'X-Auth-Token': token,
			'X-Workspace-Id': workspaceId,
			'Content-Type': 'application/json',
		},
		body: JSON.stringify({ ds_type, vpc_ep_server_name: name }),
	});
	const body = (await response.json()) as { vpc_ep_client_id: string; vpc_ep_client_status: string };
	return { status: response.status, body };
}

const endpointOf = async (service: { name: string }, ds_type?: string) =>
	(await verify(service, ds_type)).body.vpc_ep_client_id;
const decide = async ({ id }: { id: string }, action: string, ...endpoints: string[]) =>
	await call(`/${id}/connections/action`, { action, endpoints });
const connectionsOf = async ({ id }: { id: string }, query = '') =>
	(await call(`/${id}/connections${query}`)).body;

describe('listing endpoint services', () => {
	const ids = async (query: string) => (await call(query)).body.endpoint_services.map(({ id }) => id);

	test("gives the account's own with all documented fields, page by page", async () => {
		const { status, body } = await call('');
		expect({ status, total: body.total_count }).toEqual({ status: 200, total: 7 + MORE_SERVICES });
		expect(body.endpoint_services).toHaveLength(10);
		expect(body.endpoint_services[0]).toEqual({
			id: salesWarehouse.id,
			port_id: matching(UUID),
			vpc_id: matching(UUID),
			pool_id: matching(UUID),
			project_id: simulator.credentials.projectId,
			domain_id: account.id,
			service_name: salesWarehouse.name,
			service_type: 'interface',
			server_type: 'LB',
			approval_enabled: false,
			status: 'available',
			created_at: time,
			updated_at: time,
			ports: [{ client_port: 8000, server_port: 8000, protocol: 'TCP' }],
			connection_count: 0,
			tcp_proxy: 'close',
			error: [],
			tags: [],
			description: '',
			public_border_group: '',
			enable_policy: false,
		});
		expect(await ids('?limit=5&offset=10')).toHaveLength(2);
		expect(await ids('?offset=12')).toEqual([]);
		const all = await ids('?limit=1000');
		expect([...(await ids('?limit=7')), ...(await ids('?limit=7&offset=7'))]).toEqual(all);
		for (const { id } of [cloudOwned, partnerArchive]) expect(all).not.toContain(id);
	});

	test('finds a part of a name without regard to case, a whole ID, and a status', async () => {
		expect(await ids('?endpoint_service_name=WEB-sh')).toEqual([webShop.id]);
		expect(await ids(`?id=${webShop.id}`)).toEqual([webShop.id]);
		expect(await ids(`?id=${webShop.id.slice(1)}`)).toEqual([]);
		expect(await ids('?status=available&limit=1000')).toHaveLength(12);
		for (const status of ['creating', 'failed', 'deleting'])
			expect(await ids(`?status=${status}`)).toEqual([]);
	});

	test('sorts by creation or update, the newest first unless asked otherwise', async () => {
		const times = async (query: string, field: 'created_at' | 'updated_at') =>
			(await call(`${query}&limit=1000`)).body.endpoint_services.map((one) => one[field]);
		const created = await times('?sort_key=create_at', 'created_at');
		expect(created).toEqual([...created].sort().reverse());
		expect(new Set(created).size).toBe(12);
		expect(await times('?sort_dir=asc', 'created_at')).toEqual([...created].reverse());
		const updated = await times('?sort_key=update_at&sort_dir=desc', 'updated_at');
		expect(updated).toEqual([...updated].sort().reverse());
		expect((await ids('?sort_key=update_at&sort_dir=asc'))[0]).toBe(salesWarehouse.id);
	});

	test.each([
		'?limit=0',
		'?limit=1001',
		'?limit=01',
		'?offset=-1',
		'?limit=1&limit=2',
		'?name=x',
		'?endpoint_service_name=',
		'?id=',
		'?status=accepted',
		'?status=AVAILABLE',
		'?sort_key=created_at',
		'?sort_dir=up',
	])('refuses %s', async (query) => {
		expect(await call(query)).toMatchObject(refusal('0002', 400, containing('querystring')));
	});

	test('asks who calls, and in which project', async () => {
		const refused = await fetch(
			`${simulator.url}/v1/${simulator.credentials.projectId}/vpc-endpoint-services`,
		);
		expect({ status: refused.status, body: await refused.json() }).toMatchObject({
			status: 401,
			body: { error_code: 'APIGW.0301' },
		});
		expect(await call('', undefined, 'another-project')).toMatchObject({
			status: 403,
			body: { error_code: 'APIGW.0310' },
		});
	});
});

describe('one endpoint service', () => {
	test('is shown to its owner only', async () => {
		await verify(webShop);
		expect(await call(`/${webShop.id}`)).toMatchObject({
			status: 200,
			body: { service_name: webShop.name, connection_count: 1 },
		});
		for (const id of [UNKNOWN, partnerArchive.id, cloudOwned.id, webShop.name]) {
			expect(await call(`/${id}`)).toMatchObject(refusal('2003'));
		}
		expect(await callAs(simulator.ownerCredentials, `/${partnerArchive.id}`)).toMatchObject({
			status: 200,
			body: { domain_id: owner.id, project_id: simulator.ownerCredentials.projectId, approval_enabled: true },
		});
		expect(await call(`/${webShop.id}?limit=1`)).toMatchObject(BAD);
	});

	test.each(Object.values({ webShop, cloudOwned, partnerArchive }))(
		'$name is described to everybody, by name or by ID',
		async ({ id, name }) => {
			const byName = await call(`/describe?endpoint_service_name=${name}`);
			expect(byName).toEqual({
				status: 200,
				body: {
					id,
					service_name: name,
					service_type: 'interface',
					created_at: time,
					is_charge: id !== cloudOwned.id,
					public_border_group: '',
					enable_policy: false,
				},
			});
			expect(await call(`/describe?id=${id}`)).toEqual(byName);
			expect(await callAs(simulator.ownerCredentials, `/describe?id=${id}`)).toEqual(byName);
		},
	);

	test.each([
		['neither name nor ID', ''],
		['both', `?endpoint_service_name=${webShop.name}&id=${webShop.id}`],
		['a blank name', '?endpoint_service_name='],
		['a name of 129 characters', `?endpoint_service_name=${'x'.repeat(129)}`],
		['an ID of 65 characters', `?id=${'x'.repeat(65)}`],
		['something else', `?id=${webShop.id}&limit=1`],
	])('is not described by %s', async (_, query) => {
		expect(await call(`/describe${query}`)).toMatchObject(BAD);
	});

	test('is not described when nobody has it, nor by a part of its name', async () => {
		for (const query of [
			`id=${UNKNOWN}`,
			`id=${'x'.repeat(64)}`,
			`endpoint_service_name=${'x'.repeat(128)}`,
			'endpoint_service_name=web-shop',
		]) {
			expect(await call(`/describe?${query}`)).toMatchObject(refusal('2003'));
		}
	});
});

describe('connections', () => {
	test('are the endpoints that were verified', async () => {
		const id = await endpointOf(financeLedger);
		expect(await connectionsOf(financeLedger)).toEqual({
			connections: [
				{
					id,
					marker_id: expect.any(Number) as unknown,
					created_at: time,
					updated_at: time,
					domain_id: insightDomainId,
					error: [],
					status: 'pendingAcceptance',
					description: '',
				},
			],
			total_count: 1,
		});
		expect(insightDomainId).not.toBe(account.id);
		expect(simulator.connectionsOf(financeLedger.name)).toEqual(
			(await connectionsOf(financeLedger)).connections,
		);
		expect(simulator.connectionsOf(financeLedger.id)).toHaveLength(1);
		expect(() => simulator.connectionsOf('cn-north-4.finance')).toThrow('no endpoint service');
	});

	test('are found by endpoint, marker and status, the newest first', async () => {
		const first = await endpointOf(financeLedger);
		const second = await endpointOf(financeLedger, 'MySQL');
		await decide(financeLedger, 'reject', first);
		const ids = async (query: string) =>
			(await connectionsOf(financeLedger, query)).connections.map(({ id }) => id);
		expect(await ids('')).toEqual([second, first]);
		expect(await ids('?sort_key=create_at&sort_dir=desc')).toEqual([second, first]);
		expect(await ids('?sort_dir=asc')).toEqual([first, second]);
		expect(await ids('?limit=1&offset=1')).toEqual([first]);
		expect(await ids('?offset=2')).toEqual([]);
		expect(await ids(`?id=${first}`)).toEqual([first]);
		expect(await ids(`?id=${UNKNOWN}`)).toEqual([]);
		const [{ marker_id } = { marker_id: NaN }] = (await connectionsOf(financeLedger, '?limit=1')).connections;
		expect(await ids(`?marker_id=${marker_id}`)).toEqual([second]);
		expect(await ids('?status=rejected')).toEqual([first]);
		expect(await ids('?status=pendingAcceptance')).toEqual([second]);
		for (const status of ['accepted', 'failed']) expect(await ids(`?status=${status}`)).toEqual([]);
	});

	test.each([
		'?limit=1001',
		'?status=creating',
		'?status=deleting',
		'?sort_key=update_at',
		'?sort_dir=ASC',
		'?marker_id=x',
		'?id=',
		'?domain_id=x',
	])('refuse %s', async (query) => {
		expect(await call(`/${financeLedger.id}/connections${query}`)).toMatchObject(BAD);
	});

	test('are those of own services only', async () => {
		for (const id of [UNKNOWN, partnerArchive.id, cloudOwned.id]) {
			expect(await call(`/${id}/connections`)).toMatchObject(refusal('2003'));
		}
	});

	test('a thousand and more can be there from the start, and are page by page', async () => {
		const crowded = await startSimulator({ moreConnections: 2500 });
		const page = async (query: string) => {
			const { projectId, accessKeyId, secretAccessKey } = crowded.accessKeyCredentials;
			const path = `/v1/${projectId}/vpc-endpoint-services/${financeLedger.id}/connections?${query}`;
			const { body } = await fetchSigned(crowded.url + path, { accessKeyId, secretAccessKey });
			return body as Listed;
		};
		const pages = [await page('limit=1000'), await page('limit=1000&offset=1000')];
		pages.push(await page('limit=1000&offset=2000'));
		const counted = await page('limit=1&status=pendingAcceptance');
		const same = crowded.connectionsOf(financeLedger.id).length;
		await crowded.close();
		expect(pages.map(({ connections, total_count }) => [connections.length, total_count])).toEqual([
			[1000, 2500],
			[1000, 2500],
			[500, 2500],
		]);
		const ids = pages.flatMap(({ connections }) => connections.map(({ id }) => id));
		expect(new Set(ids).size).toBe(2500);
		const markers = pages.flatMap(({ connections }) => connections.map(({ marker_id }) => marker_id));
		expect(markers).toEqual([...markers].sort((a, b) => b - a));
		expect([counted.total_count, same]).toEqual([833, 2500]);
	});
});

describe('accepting and rejecting', () => {
	const status = async (service: { id: string }) => (await connectionsOf(service)).connections[0]?.status;
	const verified = async (service: { name: string }) => (await verify(service)).body.vpc_ep_client_status;

	test('an accept takes its time, in the list and when verified again', async () => {
		const id = await endpointOf(financeLedger);
		expect(await decide(financeLedger, 'receive', id)).toEqual({
			status: 200,
			body: {
				connections: [{ ...simulator.connectionsOf(financeLedger.id)[0], id, status: 'creating' }],
			},
		});
		simulator.clockOffset = ACCEPT_TIME - 5_000;
		expect([await status(financeLedger), await verified(financeLedger)]).toEqual(['creating', 'creating']);
		// The same again does not start the time anew.
		expect((await decide(financeLedger, 'receive', id)).body.connections[0]).toMatchObject({
			status: 'creating',
		});
		simulator.clockOffset = ACCEPT_TIME;
		expect([await status(financeLedger), await verified(financeLedger)]).toEqual(['accepted', 'accepted']);
		expect((await decide(financeLedger, 'receive', id)).body.connections[0]).toMatchObject({
			status: 'accepted',
		});
	});

	test('without a time for it, the answer is accepted already', async () => {
		const quick = await startSimulator({ moreConnections: 2 });
		const { projectId, ...key } = quick.accessKeyCredentials;
		const [, pending] = quick.connectionsOf(financeLedger.id);
		const path = `/v1/${projectId}/vpc-endpoint-services/${financeLedger.id}/connections/action`;
		const answer = await fetchSigned(quick.url + path, key, {
			method: 'POST',
			body: JSON.stringify({ action: 'receive', endpoints: [pending?.id] }),
		});
		await quick.close();
		expect(pending?.status).toBe('pendingAcceptance');
		expect(answer).toMatchObject({
			status: 200,
			body: { connections: [{ id: pending?.id, status: 'accepted' }] },
		});
	});

	test('what was rejected can be accepted, and the other way round, at any time', async () => {
		const id = await endpointOf(oldBilling);
		const said = async (action: string) =>
			(await decide(oldBilling, action, id)).body.connections.map((one) => one.status).join();
		expect(await status(oldBilling)).toBe('rejected');
		expect(await said('reject')).toBe('rejected');
		expect(await said('receive')).toBe('creating');
		expect(await said('reject')).toBe('rejected');
		simulator.clockOffset = 2 * ACCEPT_TIME;
		expect(await verified(oldBilling)).toBe('rejected');
		expect(await said('receive')).toBe('creating');
		simulator.clockOffset = 3 * ACCEPT_TIME;
		expect(await status(oldBilling)).toBe('accepted');
		expect(await said('reject')).toBe('rejected');
		expect(await verified(oldBilling)).toBe('rejected');
	});

	test('says when it changed', async () => {
		const id = await endpointOf(financeLedger);
		simulator.clockOffset = 10 * ACCEPT_TIME;
		await decide(financeLedger, 'receive', id);
		simulator.clockOffset = 20 * ACCEPT_TIME;
		const [{ updated_at } = { updated_at: '' }] = (await connectionsOf(financeLedger)).connections;
		expect(Math.abs(Date.parse(updated_at) - Date.now() - 11 * ACCEPT_TIME)).toBeLessThan(3_000);
	});

	test("`accept` of the simulator shows in the owner's list at once", async () => {
		await verify(financeLedger);
		simulator.accept(financeLedger.name);
		expect(await status(financeLedger)).toBe('accepted');
		expect(() => simulator.accept(financeLedger.name)).toThrow('is pending acceptance');
	});

	test('an endpoint that nobody has to accept is creating until it is verified again', async () => {
		await verify(newReporting);
		expect(await status(newReporting)).toBe('creating');
		await verify(newReporting);
		expect(await status(newReporting)).toBe('accepted');
	});

	test('refuses endpoints that are not there, or not there', async () => {
		const id = await endpointOf(financeLedger);
		const notFound = refusal('0005', 404);
		expect(await decide(financeLedger, 'receive', UNKNOWN)).toMatchObject(notFound);
		expect(await decide(webShop, 'receive', id)).toMatchObject(notFound);
		expect(await decide(partnerArchive, 'receive', id)).toMatchObject(refusal('2003'));
		expect(await status(financeLedger)).toBe('pendingAcceptance');
	});

	test.each<[string, unknown]>([
		['no object', []],
		['no action', { endpoints: [UNKNOWN] }],
		['another action', { action: 'accept', endpoints: [UNKNOWN] }],
		['no endpoints', { action: 'receive' }],
		['an empty list', { action: 'receive', endpoints: [] }],
		['two endpoints', { action: 'receive', endpoints: [UNKNOWN, webShop.id] }],
		['a blank endpoint', { action: 'receive', endpoints: [''] }],
		['an endpoint that is no text', { action: 'receive', endpoints: [7] }],
		['endpoints that are no list', { action: 'receive', endpoints: UNKNOWN }],
		['another field', { action: 'receive', endpoints: [UNKNOWN], description: 'x' }],
	])('refuses %s', async (_, body) => {
		expect(await call(`/${financeLedger.id}/connections/action`, body)).toMatchObject(BAD);
	});

	test('refuses a query, and content that is not said to be JSON', async () => {
		const body = { action: 'receive', endpoints: [await endpointOf(financeLedger)] };
		expect(await call(`/${financeLedger.id}/connections/action?force=true`, body)).toMatchObject(BAD);
		const path = `/v1/${simulator.credentials.projectId}/vpc-endpoint-services/${financeLedger.id}/connections/action`;
		const untyped = await fetch(simulator.url + path, {
			method: 'POST',
			headers: { 'X-Auth-Token': simulator.credentials.token, 'Content-Type': 'text/plain' },
			body: JSON.stringify(body),
		});
		expect({ status: untyped.status, body: await untyped.json() }).toMatchObject(BAD);
		expect(await status(financeLedger)).toBe('pendingAcceptance');
	});
});

describe('the whitelist', () => {
	const permission = (index: number | string) => `iam:domain::${String(index).padStart(32, '0')}`;
	const change = async (body: unknown, { id }: { id: string } = financeLedger) =>
		await call(`/${id}/permissions/action`, body);
	const listed = async (query = '') => (await call(`/${financeLedger.id}/permissions${query}`)).body;
	const names = async (query = '') => (await listed(query)).permissions.map((one) => one.permission);

	test('holds DataArts Insight from the start', async () => {
		expect(await listed()).toEqual({
			permissions: [
				{
					id: matching(UUID),
					permission: `iam:domain::${insightDomainId}`,
					permission_type: 'domainId',
					created_at: time,
				},
			],
			total_count: 1,
		});
		expect(simulator.permissionsOf(financeLedger.name)).toEqual((await listed()).permissions);
		expect(simulator.permissionsOf(partnerArchive.id)).toEqual([]);
	});

	test('takes what is added once, and gives it back page by page, the newest first', async () => {
		const permissions = [permission(1), permission(2)];
		expect(await change({ action: 'add', permissions })).toEqual({
			status: 200,
			body: { permissions, permission_type: 'domainId' },
		});
		expect(await change({ action: 'add', permissions: [permission(2)] })).toMatchObject({ status: 200 });
		const all = [permission(2), permission(1), `iam:domain::${insightDomainId}`];
		expect(await names()).toEqual(all);
		expect(await names('?sort_dir=asc')).toEqual([...all].reverse());
		expect(await names('?sort_key=create_at&sort_dir=desc&limit=1&offset=1')).toEqual([permission(1)]);
		expect(await names(`?permission=${permission(1)}`)).toEqual([permission(1)]);
		expect(await names('?permission=domain::00&limit=500')).toEqual([permission(2), permission(1)]);
	});

	test('takes organizations and everybody', async () => {
		const path = 'organizations:orgPath::o-bf966fe82ebb4d35d68b791729228788/r-001/ou-003/*';
		expect(await change({ action: 'add', permissions: [path], permission_type: 'orgPath' })).toMatchObject({
			body: { permission_type: 'orgPath' },
		});
		expect(await change({ action: 'add', permissions: ['iam:domain::*'] })).toMatchObject({ status: 200 });
		expect(simulator.permissionsOf(financeLedger.id)).toMatchObject([
			{},
			{ permission: path, permission_type: 'orgPath' },
			{ permission: 'iam:domain::*', permission_type: 'domainId' },
		]);
	});

	test('loses what is removed; what is not there is not missed', async () => {
		const permissions = [`iam:domain::${insightDomainId}`, permission(9)];
		expect(await change({ action: 'remove', permissions })).toEqual({
			status: 200,
			body: { permissions, permission_type: 'domainId' },
		});
		expect(await listed()).toEqual({ permissions: [], total_count: 0 });
		expect(await verify(financeLedger)).toMatchObject(refusal('2012'));
	});

	test('has a limit, and takes all of a call or nothing', async () => {
		const many = Array.from({ length: 50 }, (_, index) => permission(index));
		expect(await change({ action: 'add', permissions: many })).toMatchObject({ status: 200 });
		const ten = Array.from({ length: 10 }, (_, index) => permission(100 + index));
		expect(await change({ action: 'add', permissions: ten })).toMatchObject(refusal('2045'));
		expect(simulator.permissionsOf(financeLedger.id)).toHaveLength(51);
		expect(await change({ action: 'add', permissions: [...ten.slice(1), ...many.slice(1)] })).toMatchObject(
			BAD,
		);
		expect(await change({ action: 'add', permissions: ten.slice(1) })).toMatchObject({ status: 200 });
		expect(() => simulator.whitelist(financeLedger.id, permission(999))).toThrow('endpoint-2045');
	});

	test.each<[string, unknown]>([
		['no permissions', { action: 'add' }],
		['an empty list', { action: 'add', permissions: [] }],
		['51', { action: 'add', permissions: Array.from({ length: 51 }, (_, index) => permission(index)) }],
		['no action', { permissions: [permission(1)] }],
		['another action', { action: 'set', permissions: [permission(1)] }],
		['a bare domain ID', { action: 'add', permissions: [insightDomainId] }],
		['one colon', { action: 'add', permissions: [`iam:domain:${insightDomainId}`] }],
		['no domain ID', { action: 'add', permissions: ['iam:domain::'] }],
		['a padded domain ID', { action: 'add', permissions: [`iam:domain::${insightDomainId} `] }],
		['a domain ID that is too long', { action: 'add', permissions: [permission('1'.repeat(65))] }],
		['a star among others', { action: 'add', permissions: ['iam:domain::*x'] }],
		['a bare star', { action: 'add', permissions: ['*'] }],
		['no path', { action: 'add', permissions: ['organizations:orgPath::'] }],
		['what is no text', { action: 'add', permissions: [7] }],
		['two types', { action: 'add', permissions: [permission(1), 'organizations:orgPath::o-1/r-1'] }],
		['another type', { action: 'add', permissions: [permission(1)], permission_type: 'orgPath' }],
		['an unknown type', { action: 'add', permissions: [permission(1)], permission_type: 'domain' }],
		['another field', { action: 'add', permissions: [permission(1)], description: 'x' }],
		['a bad one to remove', { action: 'remove', permissions: [insightDomainId] }],
	])('refuses %s', async (_, body) => {
		expect(await change(body)).toMatchObject(BAD);
		expect(simulator.permissionsOf(financeLedger.id)).toHaveLength(1);
	});

	test.each(['?limit=501', '?limit=0', '?limit=1000', '?status=accepted', '?permission=', '?sort_key=id'])(
		'refuses %s',
		async (query) => {
			expect(await call(`/${financeLedger.id}/permissions${query}`)).toMatchObject(BAD);
		},
	);

	test('is that of own services only', async () => {
		const body = { action: 'add', permissions: ['iam:domain::*'] };
		for (const service of [{ id: UNKNOWN }, partnerArchive, cloudOwned]) {
			expect(await change(body, service)).toMatchObject(refusal('2003'));
			expect(await call(`/${service.id}/permissions`)).toMatchObject(refusal('2003'));
		}
	});

	test.each([`iam:domain::${insightDomainId}`, 'iam:domain::*'])(
		'lets DataArts Insight in with %s, and then the owner has to accept',
		async (allowed) => {
			simulator.whitelist(partnerArchive.name, `iam:domain::${account.id}`);
			expect(await verify(partnerArchive)).toMatchObject(refusal('2012'));
			const { ownerCredentials } = simulator;
			const body = { action: 'add', permissions: [allowed] };
			const path = `/${partnerArchive.id}/permissions/action`;
			expect(await callAs(ownerCredentials, path, body)).toMatchObject({ status: 200 });
			const { body: endpoint } = await verify(partnerArchive);
			expect(endpoint).toMatchObject({ vpc_ep_client_status: 'pendingAcceptance' });
			const accepted = await callAs(ownerCredentials, `/${partnerArchive.id}/connections/action`, {
				action: 'receive',
				endpoints: [endpoint.vpc_ep_client_id],
			});
			expect(accepted).toMatchObject({ status: 200, body: { connections: [{ status: 'creating' }] } });
			simulator.clockOffset = ACCEPT_TIME;
			expect((await verify(partnerArchive)).body).toMatchObject({ vpc_ep_client_status: 'accepted' });
		},
	);

	test('is forgotten with a reset, like connections', async () => {
		simulator.whitelist(partnerArchive.name, 'iam:domain::*');
		await verify(partnerArchive);
		simulator.reset();
		expect(simulator.connectionsOf(partnerArchive.id)).toEqual([]);
		expect(await verify(partnerArchive)).toMatchObject(refusal('2012'));
	});
});

describe('the quota of endpoints', () => {
	test('refuses one more, and still shows those that exist', async () => {
		for (const dsType of ['MySQL', 'DWS', 'HIVE', 'API', 'Doris']) {
			expect(await verify(webShop, dsType)).toMatchObject({ status: 200 });
		}
		expect(await verify(webShop, 'ClickHouse')).toMatchObject(refusal('1018'));
		expect(simulator.connectionsOf(webShop.id)).toHaveLength(5);
		expect(await verify(webShop, 'API')).toMatchObject({ status: 200 });
	});
});

describe('rights', () => {
	const service = `/${financeLedger.id}`;
	const reads = [
		'',
		service,
		`/describe?id=${webShop.id}`,
		`${service}/connections`,
		`${service}/permissions`,
	];
	const changes: Array<[string, object]> = [
		[`${service}/connections/action`, { action: 'reject', endpoints: [UNKNOWN] }],
		[`${service}/permissions/action`, { action: 'add', permissions: ['iam:domain::*'] }],
	];
	const forbidden = refusal('0004', 403);

	test('who may only read may read everything', async () => {
		const { readerCredentials } = simulator;
		for (const path of reads) expect(await callAs(readerCredentials, path)).toMatchObject({ status: 200 });
		for (const [path, body] of changes) {
			expect(await callAs(readerCredentials, path, body)).toMatchObject(forbidden);
		}
		expect(simulator.permissionsOf(financeLedger.id)).toHaveLength(1);
	});

	test('who may only verify may do nothing here', async () => {
		const { verifierCredentials } = simulator;
		for (const path of reads) expect(await callAs(verifierCredentials, path)).toMatchObject(forbidden);
		for (const [path, body] of changes) {
			expect(await callAs(verifierCredentials, path, body)).toMatchObject(forbidden);
		}
	});
});

describe('faults', () => {
	test('meet these calls like any other', async () => {
		simulator.failNext('endpoint-0022');
		expect(await call('')).toMatchObject(refusal('0022'));
		simulator.failNext('endpoint-0005-wrapped');
		expect(await call('')).toMatchObject({ status: 404, body: { error: { code: 'EndPoint.0005' } } });
		expect(await call('')).toMatchObject({ status: 200 });
	});
});
