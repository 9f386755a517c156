import type { INodeParameters } from 'n8n-workflow';

import getSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/endpointService/get.json';
import getAllSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/endpointService/getAll.json';
import { endpointServices, expiredToken, type Simulator, startSimulator } from '../support/cloud';
import type { NodeRun } from '../support/engine/runNode';
import { runOn } from '../support/engine/runOnSimulator';
import { useNoBackOff } from '../support/network/backOff';
import { startScriptedServer } from '../support/network/scriptedServer';
import { typesOf } from '../support/engine/schemaTypes';

const { webShop, cloudOwned, partnerArchive, salesWarehouse } = endpointServices;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ moreServices: 1_200, moreProjects: 2 })));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());
useNoBackOff();

const run = async (operation: string, parameters: INodeParameters = {}, options: Partial<NodeRun> = {}) =>
	await runOn(simulator, { resource: 'endpointService', operation, ...parameters }, options);
const getMany = async (parameters: INodeParameters = {}, options: Partial<NodeRun> = {}) =>
	await run('getAll', parameters, options);
const get = async (
	mode: string,
	value: string,
	options: Partial<NodeRun> = {},
	parameters: INodeParameters = {},
) => await run('get', { endpointService: { __rl: true, mode, value }, ...parameters }, options);
const paths = () => simulator.requests.map(({ path }) => path.split('/vpc-endpoint-services')[1]);

describe('Endpoint Service > Get', () => {
	it.each(Object.entries({ webShop, cloudOwned, partnerArchive }))(
		'tells of %s by name, by ID and from the list, with one request that creates nothing',
		async (_what, { id, name }) => {
			const { items } = await get('name', name);
			expect(items).toMatchObject([{ json: { id, service_name: name }, pairedItem: { item: 0 } }]);
			for (const mode of ['id', 'list']) expect((await get(mode, id)).items).toEqual(items);
			expect(typesOf(items[0]?.json ?? {}, getSchema)).toEqual(getSchema.properties);
			expect(paths()).toEqual([
				`/describe?endpoint_service_name=${name}`,
				`/describe?id=${id}`,
				`/describe?id=${id}`,
			]);
			for (const { method, headers, body } of simulator.requests) {
				expect([method, body, headers['x-workspace-id']]).toEqual(['GET', '', undefined]);
			}
		},
	);

	it('an expression in place of the whole field gives an ID or a name', async () => {
		const input = [{ service: webShop.id }, { service: cloudOwned.name }];
		const { items } = await run('get', { endpointService: '={{ $json.service }}' }, { input });
		expect(items.map(({ json }) => json.id)).toEqual([webShop.id, cloudOwned.id]);
	});

	it('an unknown name is EndPoint.2003, with advice that speaks of no workspace', async () => {
		const { error } = await get('name', 'cn-north-4.nothing');
		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: 'The VPC endpoint service does not exist (EndPoint.2003)',
			httpCode: '400',
		});
		expect(error?.description).toContain('Check the ID or name of the endpoint service with its owner');
		expect(error?.description).not.toMatch(/workspace/i);
	});

	it.each<[string, unknown, string]>([
		['blank', '', "'Endpoint Service' is blank"],
		['two IDs', `${webShop.id}, ${cloudOwned.id}`, 'more than one ID'],
		['a list', [webShop.id], 'a list instead of text'],
		['a number', 7, 'a value of the type number'],
		['an ID with a path', '../../x', 'which is no ID'],
	])('%s is refused before anything is sent', async (_what, value, message) => {
		const locator = { __rl: true, mode: 'id', value: '={{ $json.value }}' };
		const { error } = await run('get', { endpointService: locator }, { input: [{ value }] as never });
		expect(error?.message).toContain(message);
		expect(simulator.requests).toEqual([]);
	});

	it('Project ID in the options is that of the path and of the signature, for each item', async () => {
		const { projectIds } = simulator;
		const { items } = await get(
			'id',
			webShop.id,
			{
				credential: simulator.accessKeyCredentials,
				input: projectIds.map((project) => ({ project })),
			},
			{ options: { projectId: '={{ $json.project }}', maxConcurrency: 1 } },
		);
		expect(items).toHaveLength(3);
		expect(simulator.requests.map(({ path }) => path.split('/')[2])).toEqual(projectIds);
		expect(simulator.requests.map(({ headers }) => headers['x-project-id'])).toEqual(projectIds);
	});
});

describe('Endpoint Service > Get Many', () => {
	it('gives the first 50 by default, the oldest first, each an item of its own', async () => {
		const { items } = await getMany();
		expect(items).toHaveLength(50);
		expect(items.every(({ pairedItem }) => (pairedItem as { item: number }).item === 0)).toBe(true);
		expect(typesOf(items[0]?.json ?? {}, getAllSchema)).toEqual(getAllSchema.properties);
		const times = items.map(({ json }) => json.created_at as string);
		expect(times).toEqual([...times].sort());
		expect(simulator.requests).toHaveLength(1);
		expect(simulator.requests[0]?.headers['x-workspace-id']).toBeUndefined();
	});

	it('Return All reads page after page, each endpoint service once', async () => {
		const { items } = await getMany({ returnAll: true });
		expect(new Set(items.map(({ json }) => json.id)).size).toBe(1_207);
		expect(items).toHaveLength(1_207);
		expect(paths().map((path) => path?.split('asc')[1])).toEqual([
			'&limit=500&offset=0',
			'&limit=500&offset=500',
			'&limit=500&offset=1000',
		]);
	});

	it('each item has its own limit and filters, and its records are paired with it', async () => {
		const input = [
			{ limit: 2, name: 'branch', status: 'available' },
			{ limit: 5, name: 'WEB-shop', status: 'available' },
			{ limit: 1, name: 'branch', status: 'deleting' },
			{ limit: 600, name: 'branch-1', status: 'available' },
		];
		const filters = { name: '={{ $json.name }}', status: '={{ $json.status }}' };
		const { items } = await getMany({ limit: '={{ $json.limit }}', filters }, { input });
		const counts = input.map(
			(_, item) => items.filter(({ pairedItem }) => (pairedItem as { item: number }).item === item).length,
		);
		// branch-1, -10 to -19, -100 to -199, and -1000 to -1200.
		expect(counts).toEqual([2, 1, 0, 312]);
		expect(items[2]).toMatchObject({ json: { id: webShop.id }, pairedItem: { item: 1 } });
	});

	it.each<[object, string]>([
		[{ limit: 0 }, "'Limit' is not a whole number"],
		[{ limit: '={{ "many" }}' }, "'Limit' is not a whole number"],
		[{ filters: { name: ' ' } }, "'Name' in the filters is blank"],
		[{ filters: { name: '={{ ["a"] }}' } }, "'Name' holds a list"],
		[{ filters: { status: '={{ "accepted" }}' } }, "'Status' in the filters is 'accepted'"],
		[{ options: { projectId: '' } }, "'Project ID' in the options is blank"],
	])('%j is refused before anything is sent', async (parameters, message) => {
		const { error } = await getMany(parameters as INodeParameters);
		expect(error?.message).toContain(message);
		expect(simulator.requests).toEqual([]);
	});

	it('Continue On Fail: a bad item has the place of its records, the others their own', async () => {
		const input = [{ name: 'web-shop' }, { name: '' }, { name: 'sales' }];
		const { items, error } = await getMany(
			{ filters: { name: '={{ $json.name }}' } },
			{ input, onError: 'continueRegularOutput' },
		);
		expect(error).toBeUndefined();
		expect(items).toMatchObject([
			{ json: { id: webShop.id }, pairedItem: { item: 0 } },
			{
				json: {
					error: "'Name' in the filters is blank",
					details: { code: 'INVALID_INPUT', outcomeUnknown: false },
				},
				pairedItem: { item: 1 },
			},
			{ json: { id: salesWarehouse.id }, pairedItem: { item: 2 } },
		]);
		expect(Object.keys(items[1]?.json ?? {})).toEqual(['error', 'details']);
	});

	it('Continue On Fail with an error output: a failed item leaves there', async () => {
		simulator.failNext('endpoint-0004');
		const { items, errorOutput } = await getMany({}, { onError: 'continueErrorOutput' });
		expect(items).toEqual([]);
		expect(errorOutput[0]?.json).toMatchObject({ details: { code: 'EndPoint.0004', httpStatus: 403 } });
	});

	it.each(['connection-reset', 'truncated', 'apigw-0601', 'endpoint-0022', 'apigw-0308'] as const)(
		'%s: reading is repeated, and nothing is lost or doubled',
		async (fault) => {
			simulator.failNext(fault);
			const { items } = await getMany({ filters: { name: 'web-shop' } });
			expect(items.map(({ json }) => json.id)).toEqual([webShop.id]);
			expect(simulator.requests).toHaveLength(2);
		},
	);

	it.each([
		['readerCredentials', undefined],
		['verifierCredentials', 'vpcep:epservices:list'],
	] as const)('%s: without permission the error names it and the role', async (who, permission) => {
		const { error } = await getMany({}, { credential: simulator[who] });
		if (permission === undefined) return expect(error).toBeUndefined();
		expect(error).toMatchObject({
			httpCode: '403',
			message: expect.stringContaining('(EndPoint.0004)') as string,
		});
		expect(error?.description).toContain(permission);
		expect(error?.description).toContain('role VPCEndpoint Administrator');
	});

	it.each([
		['endpoint-0001', 'could not handle the request'],
		['endpoint-0002', 'Check the values of the node'],
		['endpoint-0005', 'belongs to the project and region of the credential'],
		['endpoint-0005-wrapped', 'belongs to the project and region of the credential'],
		['endpoint-0022', "lower 'Max Concurrency'"],
		['endpoint-1018', 'quota of the VPC Endpoint service'],
		['endpoint-2003', 'belongs to the project and region of the credential'],
		['endpoint-2045', 'whitelist is full'],
		['endpoint-2051', 'is being switched'],
	] as const)('%s comes with its code and what to do, and no secret', async (fault, advice) => {
		simulator.failNext(fault);
		const { error } = await getMany({ options: { maxRetries: 0 } });
		expect(error?.message).toMatch(/\(EndPoint\.\d{4}\)$/);
		expect(error?.description).toContain(advice);
		expect(error?.description).not.toMatch(/workspace/i);
	});

	// The service has not accepted who called, in whatever words: a key that it goes on refusing would be locked.
	it.each(['endpoint-0003', 'apigw-0301-unknown-token'] as const)(
		'%s: after a 401 the same token is not sent again',
		async (fault) => {
			const credential = { ...simulator.credentials, token: simulator.issueToken() };
			simulator.failNext(fault);
			const first = await getMany({}, { credential });
			expect(first.error?.description).toContain("'User Token'");
			const second = await getMany({}, { credential });
			expect(second.error?.description).toContain('Nothing was sent');
			expect(simulator.requests).toHaveLength(1);
		},
	);

	it('401 with a password login: one new login, and the request is sent again', async () => {
		const credential = simulator.passwordCredentials;
		await getMany({}, { credential });
		simulator.failNext('endpoint-0003');
		const { items } = await getMany({}, { credential });
		expect(items).toHaveLength(50);
		expect(simulator.logins).toBe(2);
	});

	it('stopping: once the execution was cancelled no further page is asked for', async () => {
		const stop = new AbortController();
		const server = await startScriptedServer((count) => {
			if (count === 2) stop.abort();
			const page = Array.from({ length: 500 }, (_, index) => ({ id: `${count}-${index}` }));
			return { body: { endpoint_services: page, total_count: 100_000 } };
		});
		const credential = { ...simulator.credentials, baseUrl: server.url, vpcepUrl: server.url };
		const input = [{}, {}, {}];
		const options = { maxConcurrency: 1 };
		const { run: stopped } = await getMany(
			{ returnAll: true, options },
			{ credential, input, signal: stop.signal, onError: 'continueRegularOutput' },
		);
		expect(stopped.status).toBe('canceled');
		expect(server.seen).toHaveLength(2);
		await server.close();
	});

	it('an expired token tells how to get another', async () => {
		const { error } = await getMany({}, { credential: { ...simulator.credentials, token: expiredToken } });
		expect(error).toMatchObject({ httpCode: '401' });
	});
});
