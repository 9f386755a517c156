import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { accessKey, endpointServices, insightDomainId, type Simulator, unknownToken } from '../support/cloud';
import { decide, requestEndpoint } from '../support/cloud/endpointActions';
import { runWorkflow, searchList } from '../support/engine';
import { ActiveTrigger, type TriggerOptions } from '../support/engine/activeTrigger';
import { built } from '../support/engine/built';
import { useSimulator } from '../support/engine/runOnSimulator';
import { chain, insight, insightTrigger, OUR_TRIGGER } from '../support/engine/workflow';
import { useNoBackOff } from '../support/network/backOff';
import { startScriptedServer } from '../support/network/scriptedServer';

const { salesWarehouse, webShop, financeLedger, customerRecords, partnerArchive } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));
useNoBackOff();

async function makeTrigger(parameters: INodeParameters = {}, options: Partial<TriggerOptions> = {}) {
	const credentials = { dataArtsInsightApi: simulator.credentials };
	return new ActiveTrigger(insightTrigger(parameters), { types: await built, credentials, ...options });
}

async function activeTrigger(parameters: INodeParameters = {}, options: Partial<TriggerOptions> = {}) {
	const trigger = await makeTrigger(parameters, options);
	await trigger.activate();
	// With durable cursors n8n drops what the poll of an activation has remembered.
	if (options.durable) await trigger.poll();
	return trigger;
}

const one = (mode: string, value: string) => ({
	watch: 'endpointService',
	endpointService: { __rl: true, mode, value },
});

const firstOf = ({ id }: { id: string }) => simulator.connectionsOf(id)[0]?.id;

/** The field names of n8n's errors that a user or a workflow sees. */
const shown = (error: unknown) => {
	const { name, message, description, httpCode } = error as Record<string, string>;
	return { name, message, description, httpCode };
};

describe.each([false, true])('events, with durable cursors: %s', (durable) => {
	it('the first poll remembers and emits nothing; a new endpoint that waits is emitted once', async () => {
		await requestEndpoint(simulator, financeLedger);
		const trigger = await activeTrigger({}, { durable });
		await trigger.poll();
		expect(trigger.emitted).toEqual([]);

		await requestEndpoint(simulator, customerRecords);
		await requestEndpoint(simulator, webShop);
		await trigger.poll();
		await trigger.poll();
		expect(trigger.items).toEqual([
			{
				...simulator.connectionsOf(customerRecords.id)[0],
				endpoint_service_id: customerRecords.id,
				endpoint_service_name: customerRecords.name,
				previous_status: null,
			},
		]);
		expect(trigger.items).toMatchObject([{ status: 'pendingAcceptance', domain_id: insightDomainId }]);
		expect(trigger.errors).toEqual([]);
	});

	it.each([
		[
			'accepted',
			[
				['pendingAcceptance', 'accepted'],
				[null, 'accepted'],
			],
		],
		[
			'statusChanged',
			[
				['accepted', 'rejected'],
				['pendingAcceptance', 'accepted'],
				[null, 'accepted'],
			],
		],
		['waiting', []],
	])('%s', async (event, expected) => {
		await requestEndpoint(simulator, financeLedger);
		await requestEndpoint(simulator, webShop);
		const trigger = await activeTrigger({ event }, { durable });
		await decide(simulator, financeLedger, firstOf(financeLedger), 'receive');
		await decide(simulator, webShop, firstOf(webShop), 'reject');
		await requestEndpoint(simulator, salesWarehouse);
		await trigger.poll();
		await trigger.poll();
		const seen = trigger.items.map(({ previous_status, status }) => [previous_status, status]);
		expect(seen.map(String).sort()).toEqual(expected.map(String).sort());
		expect(trigger.emitted).toHaveLength(expected.length > 0 ? 1 : 0);
	});

	it('restart: what happened while n8n was down is emitted by the first poll, once', async () => {
		const trigger = await activeTrigger({}, { durable });
		await requestEndpoint(simulator, financeLedger);
		await trigger.activate('init');
		expect(trigger.items).toMatchObject([{ id: firstOf(financeLedger) }]);
		await trigger.activate('init');
		await trigger.poll();
		expect(trigger.items).toHaveLength(1);
	});
});

it.each([
	['By ID', one('id', financeLedger.id)],
	['From List', one('list', financeLedger.id)],
	['By Name', one('name', financeLedger.name)],
	['an expression', one('id', `={{ "${financeLedger.id}" }}`)],
])('one endpoint service: %s', async (_mode, parameters) => {
	const trigger = await activeTrigger(parameters);
	await requestEndpoint(simulator, financeLedger);
	await requestEndpoint(simulator, customerRecords);
	await trigger.poll();
	expect(trigger.items).toMatchObject([
		{
			id: firstOf(financeLedger),
			endpoint_service_id: financeLedger.id,
			endpoint_service_name: financeLedger.name,
		},
	]);
	// Nothing is asked for but this one, and nothing is sent to the service's other side.
	const paths = simulator.requests.filter(({ method }) => method === 'GET').map(({ path }) => path);
	expect(paths.filter((path) => !/\/(describe\?|[\da-f-]{36}\/connections\?)/.test(path))).toEqual([]);
});

it('the trigger only reads, and sends no workspace', async () => {
	const trigger = await activeTrigger();
	await trigger.poll();
	expect(new Set(simulator.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
	expect(simulator.requests.filter(({ headers }) => 'x-workspace-id' in headers)).toEqual([]);
});

it('the list of endpoint services is there for the trigger too', async () => {
	const { results } = await searchList(
		OUR_TRIGGER,
		'searchEndpointServices',
		{ types: await built, credentials: { dataArtsInsightApi: simulator.credentials } },
		'finance',
	);
	expect(results).toMatchObject([{ value: financeLedger.id }]);
});

describe('what is remembered', () => {
	it('begins anew with another project or endpoint service', async () => {
		const credentials: TriggerOptions['credentials'] = { dataArtsInsightApi: simulator.credentials };
		const trigger = await activeTrigger({}, { credentials });
		await requestEndpoint(simulator, financeLedger);
		credentials.dataArtsInsightApi = simulator.ownerCredentials;
		await trigger.poll();
		credentials.dataArtsInsightApi = simulator.credentials;
		await trigger.poll();
		await requestEndpoint(simulator, customerRecords);
		await trigger.poll();
		expect(trigger.items).toMatchObject([{ endpoint_service_id: customerRecords.id }]);

		const narrower = await activeTrigger(one('id', financeLedger.id), { saved: trigger.saved });
		await narrower.poll();
		expect(narrower.items).toEqual([]);
	});

	it('stays with another event and another way to authenticate', async () => {
		const trigger = await activeTrigger();
		await requestEndpoint(simulator, webShop);
		const other = await makeTrigger(
			{ event: 'accepted' },
			{ saved: trigger.saved, credentials: { dataArtsInsightApi: simulator.accessKeyCredentials } },
		);
		await other.activate();
		expect(other.items).toMatchObject([{ id: firstOf(webShop), previous_status: null }]);
	});

	it.each([
		['nonsense', { watched: 7, services: 'x' }],
		['the state of another node', { lastTimeChecked: '2024-05-01T00:00:00Z' }],
		['nothing at all', {}],
	])('damaged: %s', async (_what, data: IDataObject) => {
		await requestEndpoint(simulator, financeLedger);
		const saved = { 'node:DataArts Insight Trigger': data };
		const trigger = await activeTrigger({}, { saved });
		expect(trigger.items).toEqual([]);
		await requestEndpoint(simulator, customerRecords);
		await trigger.poll();
		expect(trigger.items).toHaveLength(1);
	});

	it('a field was changed by hand', async () => {
		const trigger = await activeTrigger();
		const key = 'node:DataArts Insight Trigger';
		const saved = { [key]: { ...(trigger.saved[key] as IDataObject), services: { some: 'thing' } } };
		await requestEndpoint(simulator, financeLedger);
		const other = await activeTrigger({}, { saved });
		await other.poll();
		expect(other.items).toEqual([]);
	});

	it('is a status for each endpoint, and no secret', async () => {
		await requestEndpoint(simulator, financeLedger);
		const { saved } = await activeTrigger();
		const text = JSON.stringify(saved);
		expect(text).toContain(`"${firstOf(financeLedger)}":"pendingAcceptance"`);
		expect(text).not.toContain(simulator.credentials.token);
		expect(text.length).toBeLessThan(1000);
	});
});

describe('a poll that fails', () => {
	it.each(['token', 'key'])('a bad %s refuses the activation, and is not shown', async (kind) => {
		const bad =
			kind === 'token'
				? { ...simulator.credentials, token: unknownToken }
				: { ...simulator.accessKeyCredentials, secretAccessKey: 'not-the-secret-of-this-key' };
		const trigger = await makeTrigger({}, { credentials: { dataArtsInsightApi: bad } });
		const error: unknown = await trigger.activate().catch((thrown: unknown) => thrown);
		expect(shown(error)).toMatchObject({ name: 'NodeApiError', httpCode: '401' });
		const text = JSON.stringify([error, shown(error), (error as Error).stack]);
		for (const secret of [unknownToken, 'not-the-secret-of-this-key', accessKey.secretAccessKey]) {
			expect(text).not.toContain(secret);
		}
		expect(trigger.saved).toEqual({});
	});

	it.each([
		[{}, 'vpcep:epservices:list and vpcep:connections:list'],
		[one('id', webShop.id), 'vpcep:epservices:get and vpcep:connections:list'],
	])('a missing permission is named, for %j', async (parameters, permissions) => {
		const credentials = { dataArtsInsightApi: simulator.verifierCredentials };
		const trigger = await makeTrigger(parameters, { credentials });
		const error: unknown = await trigger.activate().catch((thrown: unknown) => thrown);
		expect(shown(error)).toMatchObject({ httpCode: '403' });
		expect(shown(error).description).toContain(permissions);
	});

	it('a blank project ID is named', async () => {
		const credentials = { dataArtsInsightApi: { ...simulator.credentials, projectId: '' } };
		const trigger = await makeTrigger({}, { credentials });
		await expect(trigger.activate()).rejects.toMatchObject({
			message: "'Project ID' in the credential is blank",
		});
	});

	it("somebody else's endpoint service: the description says whose services the trigger sees", async () => {
		const trigger = await makeTrigger(one('id', partnerArchive.id));
		const error: unknown = await trigger.activate().catch((thrown: unknown) => thrown);
		expect(shown(error).description).toContain('belongs to the project and region of the credential');
	});

	it.each([
		['a blank endpoint service', one('id', ''), "'Endpoint Service' is blank"],
		['two IDs', one('id', `${webShop.id}, ${financeLedger.id}`), 'more than one ID'],
		['an endpoint service of nobody', one('id', '00000000-0000-4000-8000-000000000000'), 'does not exist'],
		['an endpoint service of somebody else', one('id', partnerArchive.id), 'does not exist'],
	])('%s refuses the activation', async (_what, parameters, message) => {
		const trigger = await makeTrigger(parameters);
		await expect(trigger.activate()).rejects.toMatchObject({
			message: expect.stringContaining(message) as string,
		});
	});

	it('throttling keeps its status, and nothing is lost', async () => {
		const trigger = await activeTrigger();
		await requestEndpoint(simulator, financeLedger);
		simulator.failNext('apigw-0308', 4);
		await trigger.poll();
		expect(trigger.errors.map(shown)).toMatchObject([{ name: 'NodeApiError', httpCode: '429' }]);
		expect(trigger.items).toEqual([]);
		await trigger.poll();
		expect(trigger.items).toHaveLength(1);
	});

	it('a service that repeats the token in its answer does not get it into the error', async () => {
		const trigger = await activeTrigger();
		simulator.failNext('token-echo');
		await trigger.poll();
		expect(trigger.errors).toHaveLength(1);
		expect(JSON.stringify([trigger.errors, trigger.errors.map(shown)])).not.toContain(
			simulator.credentials.token,
		);
	});

	it('without credential it says so', async () => {
		const trigger = await makeTrigger({}, { credentials: {} });
		await expect(trigger.activate()).rejects.toThrow('no credential');
	});
});

it('with durable cursors, of two polls that overlap one is kept', async () => {
	const trigger = await activeTrigger({}, { durable: true });
	await requestEndpoint(simulator, financeLedger);
	await Promise.all([trigger.poll(), trigger.poll()]);
	await trigger.poll();
	expect(trigger.items).toHaveLength(1);
});

it('a poll that begins while another one is running leaves all to that one', async () => {
	const trigger = await activeTrigger();
	await requestEndpoint(simulator, financeLedger);
	const before = simulator.requests.length;
	await Promise.all([trigger.poll(), trigger.poll()]);
	expect(trigger.items).toHaveLength(1);
	expect(simulator.requests.length - before).toBe(8);
	await trigger.poll();
	expect(trigger.items).toHaveLength(1);
});

it('n8n that says nothing of a budget', async () => {
	const trigger = await activeTrigger({}, { budget: null });
	await requestEndpoint(simulator, financeLedger);
	await trigger.poll();
	expect(trigger.items).toHaveLength(1);
});

it('a service that does not answer ends the poll when its time is up', async () => {
	const server = await startScriptedServer(() => ({ end: 'hang' }));
	const credentials = { ...simulator.credentials, baseUrl: server.url, vpcepUrl: server.url };
	const trigger = await makeTrigger({}, { budget: 200, credentials: { dataArtsInsightApi: credentials } });
	await expect(trigger.activate()).rejects.toMatchObject({
		message: expect.stringContaining('in the time that n8n gives') as string,
	});
	await server.close();
});

describe('in a workflow', () => {
	const run = async (
		parameters: INodeParameters,
		options: { mode?: 'manual' | 'trigger'; input?: IDataObject[] },
	) =>
		await runWorkflow(
			chain(
				insightTrigger(parameters),
				insight({ lookupMode: 'id', vpcEpServerId: '={{ $json.endpoint_service_id }}' }),
			),
			{ types: await built, credentials: { dataArtsInsightApi: simulator.credentials }, ...options },
		);

	it('what a poll emits starts the node behind it', async () => {
		const trigger = await activeTrigger({ event: 'accepted' });
		await requestEndpoint(simulator, webShop);
		await trigger.poll();
		const { output, error } = await run({ event: 'accepted' }, { mode: 'trigger', input: trigger.items });
		expect(error).toBeUndefined();
		expect(output('DataArts Insight')[0]).toMatchObject([
			{ json: { vpc_ep_server_id: webShop.id, vpc_ep_client_status: 'accepted' }, pairedItem: { item: 0 } },
		]);
	});

	it.each([
		['waiting', financeLedger, 'pendingAcceptance'],
		['accepted', webShop, 'accepted'],
		['statusChanged', undefined, undefined],
	])('tried in the editor: %s shows one real record that fits', async (event, service, status) => {
		await requestEndpoint(simulator, webShop);
		await requestEndpoint(simulator, financeLedger);
		const { output, error } = await run({ event }, {});
		expect(error).toBeUndefined();
		const [items = []] = output('DataArts Insight Trigger');
		expect(items).toHaveLength(1);
		expect(items[0]?.json).toMatchObject({
			previous_status: null,
			endpoint_service_id: expect.any(String) as string,
		});
		if (service) expect(items[0]?.json).toMatchObject({ id: firstOf(service), status });
	});

	it('tried in the editor: any record where none fits', async () => {
		await requestEndpoint(simulator, webShop);
		const { output } = await run({ event: 'waiting' }, {});
		expect(output('DataArts Insight Trigger')[0]).toMatchObject([{ json: { id: firstOf(webShop) } }]);
	});

	it('tried in the editor: no record at all', async () => {
		const { error } = await run({}, {});
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: 'No endpoint connection could be found',
			description: expect.stringContaining('Activate the workflow') as string,
		});
	});

	it('tried in the editor: the error of the service', async () => {
		await requestEndpoint(simulator, webShop);
		simulator.failNext('apigw-0302', 9);
		const { error } = await run({}, {});
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '403' });
	});
});
