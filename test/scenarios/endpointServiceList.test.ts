import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { built, OUR_NODE } from '../support/engine/built';
import { searchList } from '../support/engine';
import { endpointServices, type Simulator, startSimulator, validToken } from '../support/cloud';
import { runNode } from '../support/engine/runNode';
import { fixBackOff } from '../support/network/backOff';

const { salesWarehouse, webShop, cloudOwned, partnerArchive } = endpointServices;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ moreServices: 120 })));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

const search = async (
	filter?: string,
	token?: string,
	credential: ICredentialDataDecryptedObject = simulator.credentials,
) =>
	await searchList(
		OUR_NODE,
		'searchEndpointServices',
		{ types: await built, credentials: { dataArtsInsightApi: credential } },
		filter,
		token,
	);

describe('the list of endpoint services', () => {
	it("shows the account's own with name, ID and status", async () => {
		const { results } = await search();
		expect(results).toContainEqual({
			name: `cn-north-4.sales-warehouse (available) ${salesWarehouse.id}`,
			value: salesWarehouse.id,
		});
		const ids = results.map(({ value }) => value);
		expect(ids).not.toContain(cloudOwned.id);
		expect(ids).not.toContain(partnerArchive.id);
		expect(simulator.requests.map(({ method, body }) => [method, body])).toEqual([['GET', '']]);
	});

	it('pagination: the pages hold each endpoint service once', async () => {
		const ids: unknown[] = [];
		let token: string | undefined;
		do {
			const page = await search('', token);
			ids.push(...page.results.map(({ value }) => value));
			token = page.paginationToken;
		} while (token);
		expect(ids).toHaveLength(127);
		expect(new Set(ids).size).toBe(127);
		expect(simulator.requests).toHaveLength(3);
	});

	it.each([
		['a part of the name, in any case', ' Web-SHOP ', [webShop.id]],
		['the ID', webShop.id, [webShop.id]],
		['something that is not there', 'no such & name', []],
	])('is searched by %s', async (_what, filter, ids) => {
		const { results, paginationToken } = await search(filter);
		expect(results.map(({ value }) => value)).toEqual(ids);
		expect(paginationToken).toBeUndefined();
	});

	it('works with a password login and with an access key', async () => {
		for (const credential of [simulator.passwordCredentials, simulator.accessKeyCredentials]) {
			expect((await search('web-shop', '0', credential)).results).toHaveLength(1);
		}
		expect(simulator.refusedSignatures).toBe(0);
	});

	it('sends the ID of what was picked', async () => {
		const { items } = await runNode(
			{
				dsType: 'MySQL',
				lookupMode: 'list',
				vpcEpServer: { __rl: true, mode: 'list', value: webShop.id, cachedResultName: webShop.name },
				vpcEpServerName: 'left over from another mode',
			},
			{ credential: simulator.credentials },
		);
		expect(items[0]?.json).toMatchObject({ vpc_ep_server_name: webShop.name });
		expect(simulator.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
			{ ds_type: 'MySQL', vpc_ep_server_id: webShop.id },
		]);
	});

	it('can be mixed with other lookup modes by an expression', async () => {
		const { items } = await runNode(
			{
				dsType: 'MySQL',
				lookupMode: '={{ $json.mode }}',
				vpcEpServer: { __rl: true, mode: 'list', value: '={{ $json.id }}' },
				vpcEpServerName: '={{ $json.name }}',
				vpcEpServerId: 'unused',
			},
			{
				credential: simulator.credentials,
				input: [
					{ mode: 'list', id: webShop.id },
					{ mode: 'name', name: salesWarehouse.name },
				],
			},
		);
		expect(items.map(({ json }) => json.vpc_ep_server_id)).toEqual([webShop.id, salesWarehouse.id]);
	});

	it('without a choice is an error, and nothing is sent', async () => {
		const { error } = await runNode(
			{ dsType: 'MySQL', lookupMode: 'list', vpcEpServer: { __rl: true, mode: 'list', value: '' } },
			{ credential: simulator.credentials },
		);
		expect(error?.message).toBe("'Endpoint Service' is blank");
		expect(simulator.requests).toHaveLength(0);
	});
});

describe('a list that fails says why and how to do without it:', () => {
	it.each<[string, object, string, string | undefined]>([
		['403 without permission', {}, 'vpcep:epservices:list', '403'],
		['401 for an expired token', { token: 'expired' }, 'User Token', '401'],
		['no VPC Endpoint URL', { vpcepUrl: '' }, "'VPC Endpoint URL' in the credential is blank", undefined],
		['a refused connection', { vpcepUrl: 'http://127.0.0.1:1' }, 'it was refused', undefined],
		['an unknown region', { region: 'moon' }, "'Region' in the credential", undefined],
	])('%s', async (what, changes, reason, httpCode) => {
		if (what === '403 without permission') simulator.failNext('apigw-0302');
		fixBackOff(0);
		const error = (await search('', '0', {
			...simulator.credentials,
			...changes,
		}).catch((thrown: unknown) => thrown)) as Error & { description: string; httpCode: string | null };
		jest.restoreAllMocks();
		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: 'The endpoint services could not be listed',
			httpCode: httpCode ?? null,
		});
		expect(error.description).toContain(reason);
		expect(error.description).toMatch(/To do without the list, choose 'By Name' or 'By ID' instead$/);
		expect(JSON.stringify(error)).not.toContain(validToken);
	});

	it('an unexpected response', async () => {
		simulator.failNext('not-success');
		await expect(search()).rejects.toMatchObject({
			description: expect.stringContaining('Verification failed') as string,
		});
		simulator.failNext('extra-fields');
		await expect(search()).rejects.toMatchObject({
			description: expect.stringContaining("without the list 'endpoint_services'") as string,
		});
	});

	it('a node without credential', async () => {
		const lists = searchList(OUR_NODE, 'searchEndpointServices', {
			types: await built,
		});
		await expect(lists).rejects.toMatchObject({
			description: expect.stringContaining('does not have any credentials set') as string,
		});
	});
});
