import type { INodeParameters } from 'n8n-workflow';

import addSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/whitelist/add.json';
import getAllSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/whitelist/getAll.json';
import { account, endpointServices, insightDomainId, type Simulator, startSimulator } from '../support/cloud';
import type { NodeRun } from '../support/engine/runNode';
import { runOn } from '../support/engine/runOnSimulator';
import { typesOf } from '../support/engine/schemaTypes';
import { useNoBackOff } from '../support/network/backOff';

const { webShop, salesWarehouse, partnerArchive } = endpointServices;
const ORGANIZATION = 'o-3j59d1231uprgk9yuvlidra7zbzfi578';
const PATH = `organizations:orgPath::${ORGANIZATION}/r-rldbu1vmxdw5ahdkknxnvd5rgag77m2z/*`;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator({ whitelistLimit: 1_300 })));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());
useNoBackOff();

const byId = (id: string) => ({ __rl: true, mode: 'id', value: id });
const byName = (name: string) => ({ __rl: true, mode: 'name', value: name });

const run = async (operation: string, parameters: INodeParameters, options: Partial<NodeRun> = {}) =>
	await runOn(
		simulator,
		{ resource: 'whitelist', operation, endpointService: byId(webShop.id), ...parameters },
		options,
	);
const add = async (permission: string, parameters: INodeParameters = {}, options: Partial<NodeRun> = {}) =>
	await run('add', { permission, ...parameters }, options);
const posts = () => simulator.requests.filter(({ method }) => method === 'POST');
const listed = (id = webShop.id) => simulator.permissionsOf(id).map(({ permission }) => permission);

describe('Whitelist > Get Many', () => {
	it('gives each permission as the service does, with the ID of the endpoint service beside it', async () => {
		const { items } = await run('getAll', {});
		expect(items).toEqual([
			{
				json: { ...simulator.permissionsOf(webShop.id)[0], endpoint_service_id: webShop.id },
				pairedItem: { item: 0 },
			},
		]);
		expect(typesOf(items[0]?.json ?? {}, getAllSchema)).toEqual(getAllSchema.properties);
		expect(simulator.requests[0]?.headers['x-workspace-id']).toBeUndefined();
	});

	it('Return All reads all pages, and the limit ends them', async () => {
		for (let index = 0; index < 1_250; index++)
			simulator.whitelist(webShop.id, `iam:domain::account${index}`);
		const all = await run('getAll', { returnAll: true });
		expect(all.items.map(({ json }) => json.permission)).toEqual(listed());
		expect(simulator.requests).toHaveLength(3);
		const some = await run('getAll', { limit: 501 });
		expect(some.items).toHaveLength(501);
		expect(simulator.requests).toHaveLength(5);
	});

	it('a name is resolved by one request for 100 items, each of which gets its records', async () => {
		const input = Array.from({ length: 100 }, (_, index) => ({
			name: [webShop.name, salesWarehouse.name][index % 2],
		}));
		const { items } = await run('getAll', { endpointService: byName('={{ $json.name }}') }, { input });
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual(input.map((_, item) => ({ item })));
		expect(items.map(({ json }) => json.endpoint_service_id)).toEqual(
			input.map(({ name }) => (name === webShop.name ? webShop.id : salesWarehouse.id)),
		);
		const asked = simulator.requests.filter(({ path }) => path.includes('/describe'));
		expect(asked).toHaveLength(2);
		expect(simulator.requests).toHaveLength(102);
	});

	it("somebody else's endpoint service is described, but its whitelist is not theirs to read", async () => {
		const { error } = await run('getAll', { endpointService: byName(partnerArchive.name) });
		expect(error?.message).toContain('(EndPoint.2003)');
		expect(error?.description).toContain('belongs to the project and region');
		expect(error?.description).not.toMatch(/workspace/i);
	});
});

describe('Whitelist > Add', () => {
	it.each([
		['a domain ID', ` ${account.id}\n`, `iam:domain::${account.id}`, 'domainId'],
		['a whole permission', `iam:domain::${account.id}`, `iam:domain::${account.id}`, 'domainId'],
		[
			'a whole permission in other case',
			`IAM:Domain::${account.id}`,
			`iam:domain::${account.id}`,
			'domainId',
		],
		['a path of organizations', PATH, PATH, 'orgPath'],
	])('%s goes out as one permission and comes back as the item', async (_what, given, sent, type) => {
		const { items } = await add(given);
		expect(items).toEqual([
			{
				json: { permission: sent, permission_type: type, endpoint_service_id: webShop.id },
				pairedItem: { item: 0 },
			},
		]);
		expect(typesOf(items[0]?.json ?? {}, addSchema)).toEqual(addSchema.properties);
		expect(listed()).toContain(sent);
		expect(simulator.requests).toHaveLength(1);
		expect(JSON.parse(posts()[0]?.body ?? '')).toEqual({
			action: 'add',
			permissions: [sent],
			...(type === 'orgPath' && { permission_type: type }),
		});
	});

	it('lets the owner open an endpoint service to DataArts Insight', async () => {
		const credential = simulator.ownerCredentials;
		await add(insightDomainId, { endpointService: byName(partnerArchive.name) }, { credential });
		expect(listed(partnerArchive.id)).toEqual([`iam:domain::${insightDomainId}`]);
		const { items } = await runOn(simulator, {}, { input: [{ name: partnerArchive.name }] });
		expect(items).toMatchObject([{ json: { vpc_ep_client_status: 'pendingAcceptance' } }]);
	});

	describe.each(['*', ' * ', 'iam:domain::*', 'IAM:DOMAIN::*', '\tiam:domain::*\n'])('%j', (permission) => {
		it('opens the service to everybody: refused before anything is sent', async () => {
			for (const options of [{}, { allowEveryone: false }, { allowEveryone: '={{ "true" }}' }]) {
				const { error } = await add(permission, { options });
				expect(error?.message).toBe("'Permission' would open the endpoint service to everybody");
				expect(error?.description).toContain("'Open to Everybody'");
			}
			expect(simulator.requests).toEqual([]);
		});

		it('is added where the switch is on', async () => {
			const { items } = await add(permission, { options: { allowEveryone: true } });
			expect(items[0]?.json.permission).toBe('iam:domain::*');
			expect(listed()).toContain('iam:domain::*');
		});
	});

	it('the switch counts for the item whose expression turns it on, and for no other', async () => {
		const { items } = await add(
			'*',
			{ options: { allowEveryone: '={{ $json.open }}' } },
			{ input: [{ open: false }, { open: true }, {}], onError: 'continueRegularOutput' },
		);
		expect(items.map(({ json }) => typeof json.error)).toEqual(['string', 'undefined', 'string']);
		expect(posts()).toHaveLength(1);
	});

	it.each<[string, unknown, string]>([
		['a blank text', ' ', "'Permission' is blank"],
		['nothing', null, "'Permission' is blank"],
		['two permissions', `${account.id},${insightDomainId}`, 'more than one permission'],
		['two lines', `${account.id}\n${insightDomainId}`, 'more than one permission'],
		['a list', [account.id], 'a list instead of text'],
		['a prefix alone', 'iam:domain::', 'which is no permission'],
		['one colon', `iam:domain:${account.id}`, 'which is no permission'],
		['a star among others', 'iam:domain::a*', 'which is no permission'],
		['another form', 'iam:domainName::partner', 'which is no permission'],
		['a path of no organization', 'organizations:orgPath::', 'which is no permission'],
		['all organizations', 'organizations:orgPath::*', 'to everybody'],
	])('%s is refused before anything is sent', async (_what, value, message) => {
		const { error } = await add('={{ $json.value }}', {}, { input: [{ value }] as never });
		expect(error?.message).toContain(message);
		expect(simulator.requests).toEqual([]);
	});

	it.each(['connection-reset', 'truncated', 'apigw-0601', 'endpoint-0001', 'html-502', 'empty-200'] as const)(
		'%s: nobody knows whether it was added, so it is not repeated and the error says where to look',
		async (fault) => {
			simulator.failNext(fault);
			const { items } = await add(account.id, {}, { onError: 'continueRegularOutput' });
			expect(items[0]?.json.details).toMatchObject({ outcomeUnknown: true });
			expect((items[0]?.json.details as { description: string }).description).toContain(
				'the permission may be on the whitelist: see Whitelist > Get Many',
			);
			expect(posts()).toHaveLength(1);
		},
	);

	it.each(['endpoint-0022', 'apigw-0308', 'apigw-0613'] as const)(
		'%s: the service has not acted, so it is sent again',
		async (fault) => {
			simulator.failNext(fault);
			expect((await add(account.id)).items).toHaveLength(1);
			expect(posts()).toHaveLength(2);
		},
	);

	it.each([
		['endpoint-2045', 'whitelist is full'],
		['endpoint-2051', 'is being switched'],
	] as const)('%s comes with what to do, and without doubt', async (fault, advice) => {
		simulator.failNext(fault);
		const { error } = await add(account.id);
		expect(error?.description).toContain(advice);
		expect(error?.description).not.toContain('may be on the whitelist');
		expect(posts()).toHaveLength(1);
	});

	it('a lost response to the request for the ID is repeated, the one that adds is sent once', async () => {
		simulator.failNext('connection-reset');
		expect((await add(account.id, { endpointService: byName(webShop.name) })).items).toHaveLength(1);
		expect(simulator.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
	});

	it.each([
		['readerCredentials', 'vpcep:permissions:update'],
		['verifierCredentials', 'vpcep:epservices:get'],
	] as const)('%s: without permission the error names %s and the role', async (who, permission) => {
		const { error } = await add(
			account.id,
			{ endpointService: byName(webShop.name) },
			{ credential: simulator[who] },
		);
		expect(error).toMatchObject({ httpCode: '403' });
		expect(error?.description).toContain(permission);
		expect(error?.description).toContain('role VPCEndpoint Administrator');
		expect(listed()).toHaveLength(1);
	});

	it('no secret that the service repeats comes out', async () => {
		simulator.failNext('token-echo');
		const { error } = await add(account.id);
		// That neither error nor run hold the token, `runOn` looks for.
		expect(error?.message).toBe('Bad request: invalid header (APIGW.0201)');
	});

	it('Retry On Fail sends again what failed, and never what succeeded', async () => {
		simulator.failNext('endpoint-2051');
		const input = [account.id, insightDomainId].map((id) => ({ id }));
		const { items } = await add(
			'={{ $json.id }}',
			{ options: { maxConcurrency: 1 } },
			{
				input,
				onError: 'continueRegularOutput',
				settings: { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 },
			},
		);
		expect(items.map(({ json }) => json.permission)).toEqual(input.map(({ id }) => `iam:domain::${id}`));
		expect(posts()).toHaveLength(3);
	});
});
