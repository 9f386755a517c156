import type { IDataObject, IPollFunctions, JsonObject } from 'n8n-workflow';

import { pollConnections } from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/poll';
import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';

const mockCall = jest.fn<Promise<JsonObject>, [{ path: string }]>();
jest.mock('../../../../../nodes/DataArtsInsight/transport/client', () => ({ createClient: () => mockCall }));

/** The connections of each endpoint service; an error in place of them is thrown. */
let cloud: Record<string, JsonObject[] | RequestError>;
/** The endpoint services whose connections were asked for, in order. */
let asked: string[];
/** Ends the time of the poll. */
let endTime: () => void;
/** Called before the connections of an endpoint service are given out. */
let onRead: (id: string) => void;
let timeout: jest.SpyInstance;

const waiting = (id: string): JsonObject => ({ id, status: 'pendingAcceptance' });
const accepted = (id: string): JsonObject => ({ id, status: 'accepted' });
const failure = (code = 'EndPoint.0001', httpStatus = 500) =>
	new RequestError(`Refused: ${code}`, 'Ask', { code, httpStatus, outcomeUnknown: false });

beforeEach(() => {
	cloud = { a: [], b: [], c: [] };
	asked = [];
	onRead = () => undefined;
	timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
		const end = new AbortController();
		endTime = () => end.abort();
		return end.signal;
	});
	mockCall.mockImplementation(async ({ path }): Promise<JsonObject> => {
		await Promise.resolve();
		const id = /services\/(\w+)\/connections/.exec(path)?.[1];
		if (id === undefined) {
			const services = Object.keys(cloud).map((one) => ({ id: one, service_name: `name-${one}` }));
			return { endpoint_services: services, total_count: services.length };
		}
		asked.push(id);
		onRead(id);
		const connections = cloud[id];
		if (!Array.isArray(connections)) throw connections ?? failure('EndPoint.2003', 400);
		return { connections, total_count: connections.length };
	});
});
afterEach(() => jest.restoreAllMocks());

function makePoller(event = 'waiting', more: object = {}) {
	const data: IDataObject = {};
	const warnings: string[] = [];
	const context = {
		getMode: () => 'trigger',
		getNode: () => ({ name: 'Trigger', type: 'trigger', parameters: {} }),
		getNodeParameter: (name: string) => ({ event, watch: 'project' })[name],
		getCredentials: () =>
			Promise.resolve({ region: 'cn-north-4', projectId: 'project', workspaceId: 'w', token: 'some-token' }),
		getWorkflowStaticData: () => data,
		getPollBudgetMs: () => 100_000,
		helpers: {},
		logger: { warn: (message: string) => void warnings.push(message) },
		...more,
	} as unknown as IPollFunctions;
	const poll = async () => {
		asked = [];
		const items = await pollConnections(context);
		return items?.flat().map(({ json }) => `${json.endpoint_service_id as string} ${json.id as string}`);
	};
	return { poll, data, warnings };
}

describe('the time that n8n gives a poll', () => {
	it('is used to nine tenths; it is 5 minutes where n8n does not say', async () => {
		await makePoller().poll();
		await makePoller('waiting', { getPollBudgetMs: undefined }).poll();
		expect(timeout.mock.calls).toEqual([[90_000], [270_000]]);
	});

	it('endpoint services that were not reached come first at the next poll, and nothing is lost or doubled', async () => {
		const { poll } = makePoller();
		await poll();
		cloud = { a: [waiting('1')], b: [waiting('2')], c: [waiting('3')] };
		onRead = (id) => {
			if (id === 'a') endTime();
		};
		expect(await poll()).toEqual(['a 1']);
		expect(asked).toEqual(['a']);
		onRead = () => undefined;
		expect(await poll()).toEqual(['b 2', 'c 3']);
		expect(asked).toEqual(['b', 'c', 'a']);
		expect(await poll()).toBeUndefined();
		expect(asked).toEqual(['a', 'b', 'c']);
	});

	it('what the first poll did not reach is remembered by the next one', async () => {
		const { poll } = makePoller();
		cloud = { a: [waiting('1')], b: [waiting('2')], c: [] };
		onRead = () => endTime();
		expect(await poll()).toBeUndefined();
		expect(asked).toEqual(['a']);
		onRead = () => undefined;
		expect(await poll()).toBeUndefined();
		cloud.c = [waiting('3')];
		expect(await poll()).toEqual(['c 3']);
	});

	it('an endpoint service that takes all of it comes after the others', async () => {
		const { poll, data } = makePoller();
		await poll();
		onRead = (id) => {
			if (id !== 'a') return;
			endTime();
			throw failure('CANCELLED');
		};
		await expect(poll()).rejects.toMatchObject({
			message: expect.stringContaining('in the time that n8n gives') as string,
		});
		expect(data.first).toEqual(['b', 'c', 'a']);
		cloud.c = [waiting('3')];
		expect(await poll()).toEqual(['c 3']);
		expect(asked).toEqual(['b', 'c', 'a']);
		// It was the last that was reached, so it may be slow only because of the others.
		expect(data.first).toEqual(['a']);
	});
});

describe('an endpoint service that cannot be read', () => {
	it('takes nothing from what the others bring, and its error is thrown by the next poll', async () => {
		const { poll, warnings } = makePoller();
		await poll();
		cloud = { a: failure(), b: [waiting('2')], c: [] };
		expect(await poll()).toEqual(['b 2']);
		expect(warnings).toEqual(['Not all endpoint services could be read: Refused: EndPoint.0001']);
		await expect(poll()).rejects.toMatchObject({ name: 'NodeApiError', httpCode: '500' });
		cloud.a = [waiting('1')];
		expect(await poll()).toEqual(['a 1']);
	});

	it('a change that is no event is remembered before the error is thrown', async () => {
		const { poll, data } = makePoller();
		cloud.b = [waiting('2')];
		await poll();
		cloud = { a: failure(), b: [accepted('2')], c: [] };
		expect(await poll()).toBeUndefined();
		expect(data.services).toMatchObject({ b: { statuses: { 2: 'accepted' } } });
		await expect(poll()).rejects.toMatchObject({ httpCode: '500' });
	});

	it('at the first poll leaves what it has to the poll that can read it', async () => {
		const { poll } = makePoller();
		cloud = { a: failure(), b: [], c: [] };
		expect(await poll()).toBeUndefined();
		cloud.a = [waiting('1')];
		expect(await poll()).toBeUndefined();
		cloud.a = [waiting('1'), waiting('4')];
		expect(await poll()).toEqual(['a 4']);
	});

	it('if it is new, all it has is new once it can be read', async () => {
		const { poll } = makePoller();
		await poll();
		cloud.d = failure();
		// That it is there is remembered.
		expect(await poll()).toBeUndefined();
		await expect(poll()).rejects.toMatchObject({ httpCode: '500' });
		cloud.d = [waiting('1')];
		expect(await poll()).toEqual(['d 1']);
	});

	it('all of them: the first poll throws', async () => {
		cloud = { a: failure('EndPoint.0004', 403), b: failure() };
		await expect(makePoller().poll()).rejects.toMatchObject({ httpCode: '403' });
	});

	it('is no failure where it was deleted meanwhile', async () => {
		const { poll, warnings } = makePoller();
		await poll();
		cloud.a = failure('EndPoint.0005', 404);
		cloud.b = failure('EndPoint.2003', 400);
		expect(await poll()).toBeUndefined();
		expect(warnings).toEqual([]);
	});

	it('is a failure where the gateway knows no such service', async () => {
		const { poll } = makePoller();
		await poll();
		cloud.a = failure('APIGW.0101', 404);
		await expect(poll()).rejects.toMatchObject({ httpCode: '404' });
	});
});

it('two polls at once find each change once', async () => {
	const { poll } = makePoller();
	await poll();
	cloud.a = [waiting('1')];
	expect(await Promise.all([poll(), poll()])).toEqual([['a 1'], undefined]);
	cloud.a = [waiting('1'), waiting('2')];
	expect(await poll()).toEqual(['a 2']);
});

it('a poll that failed leaves the next one free', async () => {
	const { poll } = makePoller();
	mockCall.mockRejectedValueOnce(failure());
	await expect(poll()).rejects.toThrow('Refused');
	expect(await poll()).toBeUndefined();
	expect(asked).toEqual(['a', 'b', 'c']);
});

it('an endpoint service that the list lacks once is not new afterwards', async () => {
	const { poll } = makePoller();
	cloud.a = [waiting('1')];
	await poll();
	const { a, ...others } = cloud;
	cloud = others;
	expect(await poll()).toBeUndefined();
	cloud = { ...others, a: a ?? [] };
	expect(await poll()).toBeUndefined();
});

it.each(['..', '', 'a/b', 'x\ud800', '?id=1'])(
	'an endpoint service whose ID is %j is passed over, and the others are watched',
	async (odd) => {
		const { poll } = makePoller();
		const others = cloud;
		cloud = { [odd]: [waiting('0')], ...others };
		mockCall.mockClear();
		await poll();
		expect(asked).toEqual(['a', 'b', 'c']);
		expect(mockCall.mock.calls.filter(([{ path }]) => path.includes('/connections'))).toHaveLength(3);
		cloud.b = [waiting('2')];
		expect(await poll()).toEqual(['b 2']);
	},
);
