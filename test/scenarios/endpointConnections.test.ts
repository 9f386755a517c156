import { setTimeout as sleep } from 'node:timers/promises';

import type { INodeParameters } from 'n8n-workflow';

import acceptSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/endpointConnection/accept.json';
import listSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/endpointConnection/getAll.json';
import rejectSchema from '../../nodes/DataArtsInsight/__schema__/v1.0.0/endpointConnection/reject.json';
import { endpointServices, type Simulator, startSimulator } from '../support/cloud';
import { tokenCredential } from '../support/cloud/tokenCredential';
import { type NodeRun, runNode } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../support/network/scriptedServer';
import { startTcpProxy } from '../support/network/tcpProxy';

const { financeLedger, webShop } = endpointServices;

/** The simulator's connections are accepted, pending and rejected in turn. */
const connectionId = (number: number) => `b7000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
const [ACCEPTED, PENDING, REJECTED] = [1, 2, 3].map(connectionId) as [string, string, string];
const ACCEPT_TIME = 3_600_000;

useNoBackOff();

const cleanUp: Array<() => Promise<void>> = [];
afterEach(async () => {
	for (const close of cleanUp.splice(0)) await close();
});

async function start(options: Parameters<typeof startSimulator>[0] = {}): Promise<Simulator> {
	const simulator = await startSimulator({ moreConnections: 3, ...options });
	cleanUp.push(async () => await simulator.close());
	return simulator;
}

interface ConnectionRun extends Partial<NodeRun> {
	/** One item for each. */
	endpoints?: string[];
	options?: INodeParameters;
	parameters?: INodeParameters;
}

/** Runs an operation on the connections of `financeLedger`; `hints` are what the editor shows. */
async function run(
	operation: 'getAll' | 'accept' | 'reject',
	credential: object,
	{ endpoints = [PENDING], options = {}, parameters = {}, ...settings }: ConnectionRun = {},
) {
	const result = await runNode(
		{
			resource: 'endpointConnection',
			operation,
			endpointService: { __rl: true, mode: 'id', value: financeLedger.id },
			endpointId: '={{ $json.endpoint }}',
			options,
			...parameters,
		},
		{ credential, input: endpoints.map((endpoint) => ({ endpoint })), ...settings },
	);
	const hints = result.run.data.resultData.runData['DataArts Insight']?.at(-1)?.hints ?? [];
	return {
		...result,
		statuses: result.items.map(({ json }) => json.status ?? json.error),
		hints: hints.map(({ message }) => message),
	};
}

const statusIn = (simulator: Simulator, endpoint: string) =>
	simulator.connectionsOf(financeLedger.id).find(({ id }) => id === endpoint)?.status;
const posts = ({ requests }: Simulator) => requests.filter(({ method }) => method === 'POST');
const wait = { waitUntilDone: true, pollInterval: 1 };

async function onceRequested({ requests }: Simulator, times: number) {
	while (requests.length < times) await sleep(5);
}

describe('accept and reject', () => {
	it('accept a pending connection by one POST, and give the connection itself', async () => {
		const simulator = await start();
		const { items, hints } = await run('accept', simulator.credentials, { endpoints: [` ${PENDING}\n`] });
		expect(items).toEqual([
			{
				json: {
					...simulator.connectionsOf(financeLedger.id)[1],
					endpoint_service_id: financeLedger.id,
					status: 'accepted',
				},
				pairedItem: { item: 0 },
			},
		]);
		expect(hints).toEqual([]);
		const { projectId } = simulator.credentials;
		expect(simulator.requests).toMatchObject([
			{
				method: 'POST',
				path: `/v1/${projectId}/vpc-endpoint-services/${financeLedger.id}/connections/action`,
				body: JSON.stringify({ action: 'receive', endpoints: [PENDING] }),
			},
		]);
		expect(simulator.requests[0]?.headers).not.toHaveProperty('x-workspace-id');
	});

	it('reject what is pending, accepted or rejected already', async () => {
		const simulator = await start();
		const { statuses, hints } = await run('reject', simulator.credentials, {
			endpoints: [PENDING, ACCEPTED, REJECTED],
		});
		expect(statuses).toEqual(Array(3).fill('rejected'));
		expect(hints).toEqual([]);
		expect(posts(simulator)).toHaveLength(3);
	});

	it('resolve the name of an endpoint service once for all items', async () => {
		const simulator = await start();
		const { statuses } = await run('accept', simulator.credentials, {
			endpoints: [ACCEPTED, PENDING, REJECTED],
			parameters: { endpointService: { __rl: true, mode: 'name', value: financeLedger.name } },
		});
		expect(statuses).toEqual(Array(3).fill('accepted'));
		expect(simulator.requests.map(({ method }) => method).sort()).toEqual(['GET', 'POST', 'POST', 'POST']);
	});

	it.each([
		['a blank ID', ' ', "'Endpoint ID' is blank"],
		['two IDs', `${PENDING}, ${ACCEPTED}`, "'Endpoint ID' holds more than one ID, or a blank in it"],
		['a list of two', [PENDING, ACCEPTED], "'Endpoint ID' holds a list instead of text"],
		['a path', '../x', "'Endpoint ID' holds '../x', which is no ID"],
	])('refuse %s before anything is sent', async (_what, endpoint, message) => {
		const simulator = await start();
		const { error } = await run('reject', simulator.credentials, { input: [{ endpoint }] });
		expect(error?.message).toBe(message);
		expect(simulator.requests).toEqual([]);
	});

	it('Continue On Fail: what fails comes out in its place', async () => {
		const simulator = await start();
		const { items, statuses } = await run('accept', simulator.credentials, {
			endpoints: [PENDING, '', connectionId(9), REJECTED],
			onError: 'continueRegularOutput',
		});
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual([0, 1, 2, 3].map((item) => ({ item })));
		expect(statuses).toEqual([
			'accepted',
			"'Endpoint ID' is blank",
			'The requested resource does not exist (EndPoint.0005)',
			'accepted',
		]);
		expect(items[2]?.json.details).toMatchObject({
			httpStatus: 404,
			outcomeUnknown: false,
			description: expect.stringMatching(
				/^Check 'Endpoint ID', and that 'Endpoint Service' belongs to/,
			) as string,
		});
	});

	it('403 names the permission that is missing', async () => {
		const simulator = await start();
		const { error } = await run('accept', simulator.readerCredentials);
		expect(error).toMatchObject({ httpCode: '403' });
		expect(error?.description).toContain('vpcep:connections:update');
		expect(statusIn(simulator, PENDING)).toBe('pendingAcceptance');
		expect(simulator.requests).toHaveLength(1);
	});

	it('Retry On Fail sends again what failed, and nothing that is done, although records have a field named error', async () => {
		const simulator = await start();
		simulator.failNext('endpoint-2051');
		const { statuses } = await run('accept', simulator.credentials, {
			endpoints: [PENDING, REJECTED],
			options: { maxConcurrency: 1 },
			onError: 'continueRegularOutput',
			settings: { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 },
		});
		expect(statuses).toEqual(['accepted', 'accepted']);
		expect(posts(simulator)).toHaveLength(3);
	});
});

it.each([
	['accept', acceptSchema],
	['reject', rejectSchema],
	['getAll', listSchema],
] as const)('the schema of %s offers the fields that come', async (operation, { properties }) => {
	const simulator = await start();
	const { items } = await run(operation, simulator.credentials);
	expect(Object.keys(items[0]?.json ?? {}).sort()).toEqual(Object.keys(properties).sort());
});

describe('repeating', () => {
	it.each(['apigw-0601', 'apigw-0201-502', 'apigw-0201-504', 'endpoint-0001', 'connection-reset'] as const)(
		'%s before the service has acted: sent again',
		async (fault) => {
			const simulator = await start();
			simulator.failNext(fault);
			const { statuses } = await run('accept', simulator.credentials);
			expect(statuses).toEqual(['accepted']);
			expect(posts(simulator)).toHaveLength(2);
		},
	);

	it('connection reset after the service has acted: sent again, with the same end', async () => {
		const simulator = await start({ acceptTime: ACCEPT_TIME });
		const proxy = await startTcpProxy(simulator.url);
		cleanUp.unshift(proxy.close);
		proxy.behaviour = (connection) => (connection === 1 ? { onResponse: { after: 0, end: 'reset' } } : {});
		const { statuses } = await run('accept', {
			...simulator.credentials,
			vpcepUrl: `http://127.0.0.1:${proxy.port}`,
		});
		expect(statuses).toEqual(['creating']);
		expect(posts(simulator)).toHaveLength(2);
		expect(simulator.connectionsOf(financeLedger.id)).toHaveLength(3);
	});

	it('throttling (EndPoint.0022, HTTP 400): sent again', async () => {
		const simulator = await start();
		simulator.failNext('endpoint-0022', 2);
		expect((await run('reject', simulator.credentials)).statuses).toEqual(['rejected']);
		expect(posts(simulator)).toHaveLength(3);
	});

	it('Max Retries is over (504): the state is read once, and the error says what it is', async () => {
		const simulator = await start();
		simulator.failNext('apigw-0201-504', 2);
		const { items } = await run('accept', simulator.credentials, {
			options: { maxRetries: 1 },
			onError: 'continueRegularOutput',
		});
		expect(items[0]?.json).toMatchObject({
			error: 'Backend timeout (APIGW.0201)',
			details: {
				httpStatus: 504,
				outcomeUnknown: true,
				description: expect.stringContaining(
					'The endpoint may be accepted nonetheless: Endpoint Connection > Get Many shows the present state. Now the connection is pendingAcceptance',
				) as string,
			},
		});
		expect(simulator.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET']);
	});

	it('timeout: not sent again, and read once', async () => {
		const simulator = await start();
		simulator.failNext('no-answer');
		const { error } = await run('accept', simulator.credentials, { options: { timeout: 500 } });
		expect(error?.description).toContain('Now the connection is pendingAcceptance');
		expect(simulator.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
	});
});

describe('Wait Until Done', () => {
	it('reads the status until the accepted endpoint is connected', async () => {
		const simulator = await start({ acceptTime: ACCEPT_TIME });
		const running = run('accept', simulator.credentials, { options: wait });
		await onceRequested(simulator, 2);
		expect(statusIn(simulator, PENDING)).toBe('creating');
		simulator.clockOffset = ACCEPT_TIME;
		const { statuses, hints, items } = await running;
		expect(statuses).toEqual(['accepted']);
		expect(items[0]?.pairedItem).toEqual({ item: 0 });
		expect(hints).toEqual([]);
		const [{ at: first }, { at: second }, { at: third, path }] = simulator.requests as [
			Simulator['requests'][0],
			Simulator['requests'][0],
			Simulator['requests'][0],
		];
		expect(path).toMatch(new RegExp(`/connections\\?id=${PENDING}$`));
		expect(second - first).toBeGreaterThanOrEqual(990);
		expect(third - second).toBeGreaterThanOrEqual(990);
		expect(posts(simulator)).toHaveLength(1);
	});

	it('holds no other item back, and gives out the last status when Max Wait is over', async () => {
		const simulator = await start({ acceptTime: ACCEPT_TIME });
		const { statuses, hints } = await run('accept', simulator.credentials, {
			endpoints: [PENDING, ACCEPTED, REJECTED, ACCEPTED],
			options: { ...wait, maxWait: 1, maxConcurrency: 1 },
		});
		expect(statuses).toEqual(['creating', 'accepted', 'creating', 'accepted']);
		expect(simulator.requests.map(({ method }) => method).join(' ')).toBe('POST POST POST POST GET GET');
		expect(hints).toEqual([
			'2 of 4 items: creating after 1 seconds. The endpoint is being connected, which may take minutes.',
		]);
	});

	it('cancel: ends and sends nothing more', async () => {
		const simulator = await start({ acceptTime: ACCEPT_TIME });
		const stop = new AbortController();
		const running = run('accept', simulator.credentials, { options: wait, signal: stop.signal });
		await onceRequested(simulator, 1);
		await sleep(50);
		stop.abort();
		const stopped = performance.now();
		expect((await running).run.status).toBe('canceled');
		expect(performance.now() - stopped).toBeLessThan(500);
		await sleep(1_100);
		expect(simulator.requests).toHaveLength(1);
	});

	it('a poll that fails goes on, one that is refused (403) ends with the last status', async () => {
		const outcomes = (['apigw-0601', 'connection-reset', 'endpoint-0022', 'endpoint-0004'] as const).map(
			async (fault) => {
				const simulator = await start({ acceptTime: ACCEPT_TIME });
				const running = run('accept', simulator.credentials, { options: wait });
				await onceRequested(simulator, 1);
				simulator.failNext(fault);
				await onceRequested(simulator, 2);
				simulator.clockOffset = ACCEPT_TIME;
				const { statuses, error } = await running;
				return [statuses, error?.description?.includes('Before this request the connection was creating')];
			},
		);
		expect(await Promise.all(outcomes)).toEqual([
			...Array<unknown>(3).fill([['accepted'], undefined]),
			[[], true],
		]);
	});

	it('is off by default: an endpoint that is still being connected comes out at once, with a hint', async () => {
		const simulator = await start({ acceptTime: ACCEPT_TIME });
		const { statuses, hints } = await run('accept', simulator.credentials, { options: { pollInterval: 0 } });
		expect(statuses).toEqual(['creating']);
		expect(hints).toEqual(['Status: creating. The endpoint is being connected, which may take minutes.']);
		expect(simulator.requests).toHaveLength(1);
	});
});

describe('get many', () => {
	it('gives 1,200 connections, page by page, each with the ID of its endpoint service', async () => {
		const simulator = await start({ moreConnections: 1_200 });
		const { items } = await run('getAll', simulator.credentials, { parameters: { returnAll: true } });
		expect(items.map(({ json }) => json.id)).toEqual(
			Array.from({ length: 1_200 }, (_, index) => connectionId(index + 1)),
		);
		expect(items[7]).toEqual({
			json: { ...simulator.connectionsOf(financeLedger.id)[7], endpoint_service_id: financeLedger.id },
			pairedItem: { item: 0 },
		});
		expect(simulator.requests).toHaveLength(3);
	});

	it('gives as many as Limit says, 50 by default, of the status and endpoint that the filters name', async () => {
		const simulator = await start({ moreConnections: 300 });
		const idsWith = async (parameters: INodeParameters) =>
			(await run('getAll', simulator.credentials, { parameters })).items.map(({ json }) => json.id);
		expect(await idsWith({})).toHaveLength(50);
		expect(await idsWith({ limit: 3, filters: { status: 'rejected' } })).toEqual([3, 6, 9].map(connectionId));
		expect(await idsWith({ filters: { endpointId: connectionId(5) } })).toEqual([connectionId(5)]);
		expect(await idsWith({ filters: { endpointId: connectionId(5), status: 'accepted' } })).toEqual([]);
		expect(await idsWith({ endpointService: { __rl: true, mode: 'name', value: webShop.name } })).toEqual([]);
		// Of each, and one more for the name.
		expect(simulator.requests).toHaveLength(6);
	});

	it('403 names the permission that is missing', async () => {
		const simulator = await start();
		const { error } = await run('getAll', simulator.verifierCredentials);
		expect(error?.description).toContain('vpcep:connections:list');
	});
});

describe('a service that answers oddly', () => {
	const connection = (id: string, status: string) => ({ id, status, marker_id: 1, error: [] });
	const listing = (...connections: object[]): ScriptedReply => ({ body: { connections } });

	let server: ScriptedServer;
	/** What the server says to each request in turn; the last of it goes on. */
	async function script(...replies: ScriptedReply[]) {
		server = await startScriptedServer((count) => replies[Math.min(count, replies.length) - 1] ?? {});
		cleanUp.push(server.close);
		return { ...tokenCredential(server.url), vpcepUrl: server.url };
	}
	const methods = () => server.seen.map(({ method }) => method).join(' ');

	it.each<[string, ScriptedReply]>([
		['the connection of another endpoint', listing(connection(ACCEPTED, 'accepted'))],
		['no list', { body: {} }],
		['a list that is none', { body: { connections: 'accepted' } }],
		['an empty list', listing()],
	])('%s in response to an accept: the state is read, and counts', async (_what, odd) => {
		const good = await run('accept', await script(odd, listing(connection(PENDING, 'accepted'))));
		expect(good.statuses).toEqual(['accepted']);
		expect(methods()).toBe('POST GET');
		const bad = await run('accept', await script(odd), { onError: 'continueRegularOutput' });
		expect(bad.items[0]?.json).toMatchObject({
			error: 'The service answered without the connection of the endpoint',
			details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: true },
		});
	});

	it('a refused second attempt, where the first response was lost: the state says that it was done', async () => {
		const refused = { status: 400, body: { error_code: 'EndPoint.2019', error_msg: 'Being created.' } };
		const lost: ScriptedReply = { end: 'reset' };
		const done = await run('accept', await script(lost, refused, listing(connection(PENDING, 'creating'))));
		expect(done.statuses).toEqual(['creating']);
		expect(methods()).toBe('POST POST GET');
		const other = await run('reject', await script(lost, refused, listing(connection(PENDING, 'accepted'))), {
			onError: 'continueRegularOutput',
		});
		expect(other.items[0]?.json).toMatchObject({
			error: 'Being created (EndPoint.2019)',
			details: {
				outcomeUnknown: true,
				description: expect.stringContaining('Now the connection is accepted') as string,
			},
		});
	});

	it('a refused first attempt is not looked into', async () => {
		const refused = { status: 400, body: { error_code: 'EndPoint.0002', error_msg: 'Parameter error.' } };
		const { error } = await run('accept', await script(refused));
		expect(error?.message).toBe('Parameter error (EndPoint.0002)');
		expect(methods()).toBe('POST');
	});

	it('a secret that is echoed is in no item, error or log', async () => {
		const token = String((await script()).token);
		const echo = { ...connection(PENDING, 'accepted'), description: `for ${token}` };
		const result = await run('accept', await script(listing(echo)));
		expect(result.statuses).toEqual(['accepted']);
		expect(JSON.stringify([result.run, result.error])).not.toContain(token);
		const failed = await run('accept', await script({ status: 500, body: { error_msg: `No ${token}` } }), {
			options: { maxRetries: 0 },
		});
		expect(failed.error).toBeDefined();
		expect(JSON.stringify([failed.run, failed.error])).not.toContain(token);
	});
});
