import { setTimeout as sleep } from 'node:timers/promises';

import type { INodeParameters } from 'n8n-workflow';

import { endpointServices, type Simulator } from '../support/cloud';
import { detailsOf, type NodeRun, runNode, toItems } from '../support/engine/runNode';
import { useSimulator } from '../support/engine/runOnSimulator';
import { fixBackOff } from '../support/network/backOff';

const { salesWarehouse, webShop, financeLedger, cloudOwned, partnerArchive } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

/** Verifies with Check First; every item comes out. */
async function verify(parameters: INodeParameters, settings: Partial<NodeRun> & Pick<NodeRun, 'input'>) {
	const { options = {}, ...others } = parameters;
	const run = {
		credential: simulator.credentials,
		onError: 'continueRegularOutput',
		...settings,
	} as const;
	const { items } = await runNode(
		{ ...others, options: { checkFirst: true, ...(options as INodeParameters) } },
		run,
	);
	return items;
}

const toNames = (...names: string[]) => ({ input: toItems(...names) });

const sent = () => ({
	checks: simulator.requests.filter(({ path }) => path.includes('/describe?')).map(({ path }) => path),
	posts: simulator.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/vpc-endpoint')),
});

describe('Check First', () => {
	it('is off unless somebody turns it on', async () => {
		await verify({ options: { checkFirst: false } }, toNames(salesWarehouse.name));
		expect(sent().checks).toEqual([]);
		expect(sent().posts).toHaveLength(1);
	});

	it.each([
		['of the account itself', salesWarehouse],
		['of Huawei Cloud', cloudOwned],
	])('finds an endpoint service %s, reads it and nothing else, and goes on', async (_whose, { name }) => {
		const [item] = await verify({}, toNames(name));
		expect(item?.json).toMatchObject({ vpc_ep_server_name: name, vpc_ep_client_status: 'accepted' });
		const [check, post, ...more] = simulator.requests;
		expect(check).toMatchObject({ method: 'GET', body: '' });
		expect(check?.path).toBe(
			`/v1/${simulator.credentials.projectId}/vpc-endpoint-services/describe?endpoint_service_name=${name}`,
		);
		expect(check?.headers).not.toHaveProperty('x-workspace-id');
		expect(post?.method).toBe('POST');
		expect(more).toEqual([]);
	});

	it.each<[string, INodeParameters, string]>([
		['name', { vpcEpServerName: 'cn-north-4.sales-warehose' }, "the name 'cn-north-4.sales-warehose'"],
		['ID', { lookupMode: 'id', vpcEpServerId: 'no-such-id' }, "the ID 'no-such-id'"],
		[
			'choice from the list',
			{ lookupMode: 'list', vpcEpServer: { __rl: true, mode: 'list', value: 'gone' } },
			"the ID 'gone'",
		],
	])('creates nothing for a %s that does not exist, and says which', async (_by, parameters, which) => {
		const [item] = await verify(parameters, { input: [{}] });
		expect(item?.json.error).toBe(`There is no endpoint service with ${which}, so nothing was created`);
		expect(item?.json.details).toMatchObject({ code: 'EndPoint.2003', outcomeUnknown: false });
		expect(detailsOf([item].flatMap((one) => one ?? []))[0]?.description).toContain(
			"VPC Endpoint console of the service's owner",
		);
		expect(sent().posts).toEqual([]);
	});

	it('by name and ID creates nothing where the name is that of another ID', async () => {
		const parameters = {
			lookupMode: 'nameAndId',
			vpcEpServerName: '={{ $json.name }}',
			vpcEpServerId: '={{ $json.id }}',
		};
		const { name, id } = salesWarehouse;
		const items = await verify(parameters, {
			input: [
				{ name, id: id.toUpperCase() },
				{ name, id: webShop.id },
			],
		});
		expect(items[1]?.json).toMatchObject({
			error: `The endpoint service '${name}' has the ID ${id} and not ${webShop.id}, so nothing was created`,
			details: { code: 'INVALID_INPUT', outcomeUnknown: false },
		});
		// The first was sent as it stands; whether the service takes it is not what the check is about.
		expect(sent().posts).toHaveLength(1);
		expect(sent().checks).toHaveLength(1);
	});

	it('asks once for each endpoint service, however many items there are, found or not', async () => {
		const names = Array.from(
			{ length: 200 },
			(_, index) => [salesWarehouse.name, webShop.name, 'cn-north-4.typo'][index % 3] ?? '',
		);
		const items = await verify({}, toNames(...names));
		expect(items.filter(({ json }) => json.error)).toHaveLength(66);
		expect(sent().checks).toHaveLength(3);
		expect(sent().posts).toHaveLength(134);
	});

	it('counts for each item, so that no expression turns the check of another item off', async () => {
		const items = await verify(
			{ options: { checkFirst: '={{ $json.isNew }}' } },
			{
				input: [
					{ name: webShop.name, isNew: false },
					{ name: 'cn-north-4.typo', isNew: true },
					{ name: webShop.name },
				],
			},
		);
		expect(items.map(({ json }) => json.error)).toEqual([
			undefined,
			"There is no endpoint service with the name 'cn-north-4.typo', so nothing was created",
			"'Check First' in the options is neither true nor false",
		]);
		expect(sent().checks).toHaveLength(1);
		expect(sent().posts).toHaveLength(1);
	});

	it('uses one login together with what follows', async () => {
		await verify({}, { ...toNames(webShop.name), credential: simulator.passwordCredentials });
		expect(simulator.logins).toBe(1);
		expect(simulator.requests).toHaveLength(3);
	});

	it('asks in the project of the item', async () => {
		const { projectId } = simulator.credentials;
		const options = { projectId: '={{ $json.project }}' };
		const input = [projectId, 'other'].map((project) => ({ name: webShop.name, project }));
		await verify({ options }, { input });
		expect(sent().checks.map((path) => path.split('/')[2])).toEqual([projectId, 'other']);
	});

	it('asks no more while acceptance is waited for', async () => {
		const options = { waitForAcceptance: true, pollInterval: 1 };
		const running = verify({ options }, toNames(financeLedger.name));
		while (sent().posts.length < 2) await sleep(5);
		simulator.accept(financeLedger.name);
		const [item] = await running;
		expect(item?.json.vpc_ep_client_status).toBe('accepted');
		expect(sent().posts).toHaveLength(3);
		expect(sent().checks).toHaveLength(1);
	});

	it('says nothing of what the service itself refuses', async () => {
		const [item] = await verify({}, toNames(partnerArchive.name));
		expect(item?.json.error).toContain('EndPoint.2012');
		expect(sent().posts).toHaveLength(1);
	});
});

describe('where the check cannot be made, the item fails unsent:', () => {
	const begin = 'The endpoint service was not checked, so nothing was created: ';
	const otherwise = "To do without the check, remove 'Check First' from the options";

	it('403, with the permission to ask for', async () => {
		const credential = simulator.verifierCredentials;
		const items = await verify({}, { ...toNames(webShop.name, webShop.name), credential });
		for (const { json } of items) expect(json.error).toContain(`${begin}`);
		for (const details of detailsOf(items)) {
			expect(details).toMatchObject({ code: 'EndPoint.0004', outcomeUnknown: false });
			expect(details?.description).toContain('the permission vpcep:epservices:get');
			expect(details?.description).toContain(otherwise);
		}
		expect(sent().posts).toEqual([]);
	});

	it('no VPC Endpoint URL for a custom address, and nothing is sent at all', async () => {
		const credential = { ...simulator.credentials, vpcepUrl: '' };
		const [item] = await verify({}, { ...toNames(webShop.name), credential });
		expect(item?.json.error).toBe(`${begin}'VPC Endpoint URL' in the credential is blank`);
		expect(item?.json.details).toMatchObject({ code: 'INVALID_INPUT' });
		expect(detailsOf([item].flatMap((one) => one ?? []))[0]?.description).toContain(otherwise);
		expect(simulator.requests).toEqual([]);
	});

	it('a fault of the VPC Endpoint service, after which the next item asks again', async () => {
		fixBackOff(0);
		simulator.failNext('apigw-0601');
		const items = await verify(
			{ options: { maxConcurrency: 1, maxRetries: 0 } },
			toNames(webShop.name, webShop.name, webShop.name),
		);
		jest.restoreAllMocks();
		expect(items.map(({ json }) => 'error' in json)).toEqual([true, false, false]);
		expect(items[0]?.json.error).toContain(begin);
		expect(detailsOf(items)[0]).toMatchObject({ code: 'APIGW.0601', outcomeUnknown: false });
		expect(sent().checks).toHaveLength(2);
		expect(sent().posts).toHaveLength(2);
	});

	it('an address without this API, which says nothing of the endpoint service', async () => {
		simulator.failNext('apigw-0101');
		const [item] = await verify({}, toNames(webShop.name));
		expect(item?.json.error).toContain(begin);
		expect(sent().posts).toEqual([]);
	});
});

it('Retry On Fail checks again only what failed', async () => {
	simulator.failNext('apigw-0101');
	const items = await verify(
		{ options: { maxConcurrency: 1 } },
		{
			...toNames(webShop.name, salesWarehouse.name),
			settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
		},
	);
	expect(items.map(({ json }) => json.vpc_ep_client_status)).toEqual(['accepted', 'accepted']);
	expect(sent().checks.map((path) => path.split('=')[1])).toEqual([
		webShop.name,
		salesWarehouse.name,
		webShop.name,
	]);
	expect(sent().posts).toHaveLength(2);
});
