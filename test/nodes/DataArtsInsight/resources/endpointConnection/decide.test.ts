import { accept } from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/accept';
import { reject } from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/reject';
import { expression } from '../../../../support/engine/parameterValues';
import { type OperationRun, runOperation } from '../../../../support/engine/runOperation';
import { fixBackOff } from '../../../../support/network/backOff';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../../../../support/network/scriptedServer';
import { hurry } from '../../../../support/engine/hurry';

const operations = { accept, reject };
const SERVICE = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
const NAME = 'cn-north-4.sales';
const ENDPOINT = '705290f3-0d00-41f2-aedc-71f09844e879';
const LOOK = 'Endpoint Connection > Get Many shows the present state';

const reply = (status: unknown, id = ENDPOINT): ScriptedReply => ({
	body: { connections: [{ id, status }] },
});

let server: ScriptedServer;
beforeEach(async () => {
	fixBackOff(0);
	server = await startScriptedServer(() => reply('accepted'));
});
afterEach(async () => {
	jest.restoreAllMocks();
	await server.close();
});

/** What the server says to each request in turn; the last of it goes on. */
function script(...replies: ScriptedReply[]) {
	server.reply = (count) => replies[Math.min(count, replies.length) - 1] ?? {};
}

async function run(
	operation: keyof typeof operations,
	parameters: Record<string, unknown> = {},
	setting: Partial<OperationRun> = {},
) {
	const { items, ...outcome } = await runOperation(operations[operation], {
		url: server.url,
		parameters: {
			endpointService: { __rl: true, mode: 'id', value: SERVICE },
			endpointId: ENDPOINT,
			...parameters,
		},
		...setting,
	});
	return { ...outcome, items: items.map(({ json }) => json) };
}

const requests = () =>
	server.seen.map(({ method, path }) => `${method} ${path.split('/').slice(3).join('/')}`);
const POST = `POST vpc-endpoint-services/${SERVICE}/connections/action`;
const READ = `GET vpc-endpoint-services/${SERVICE}/connections?id=${ENDPOINT}`;
const waiting = { waitUntilDone: true, pollInterval: 5, maxWait: 60, timeout: 3_600_000 };

describe.each([
	['accept', 'receive', 'accepted'],
	['reject', 'reject', 'rejected'],
] as const)('%s', (operation, command, end) => {
	it('is one POST, and the item is the connection', async () => {
		script(reply(end));
		const { items, hints } = await run(operation);
		expect(items).toEqual([{ id: ENDPOINT, status: end, endpoint_service_id: SERVICE }]);
		expect(hints).toEqual([]);
		expect(requests()).toEqual([POST]);
		expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ action: command, endpoints: [ENDPOINT] });
	});

	it('finds the connection among others, whatever the case of the ID', async () => {
		script({ body: { connections: [null, { id: 'other' }, { id: ENDPOINT.toUpperCase(), status: end }] } });
		expect((await run(operation)).items).toMatchObject([{ id: ENDPOINT.toUpperCase() }]);
	});

	it('lets no response say to which endpoint service the connection belongs', async () => {
		script({ body: { connections: [{ id: ENDPOINT, status: end, endpoint_service_id: 'x' }] } });
		expect((await run(operation)).items).toMatchObject([{ endpoint_service_id: SERVICE }]);
	});

	it('resolves a name once, also while it waits', async () => {
		hurry();
		server.reply = (_count, { path, method }) => {
			if (path.includes('/describe')) return { body: { id: SERVICE } };
			return reply(method === 'POST' ? 'pendingAcceptance' : end);
		};
		const { items } = await run(
			operation,
			{ endpointService: { __rl: true, mode: 'name', value: NAME }, options: waiting },
			{ total: 3 },
		);
		expect(items.map(({ status }) => status)).toEqual(Array(3).fill(end));
		const [describe, ...others] = requests();
		expect(describe).toBe(`GET vpc-endpoint-services/describe?endpoint_service_name=${NAME}`);
		expect(others.sort()).toEqual([...Array<string>(3).fill(READ), ...Array<string>(3).fill(POST)]);
	});

	it('says where to get an ID, and offers no name in its place', async () => {
		const { error } = await run(operation, { endpointId: 'sales.endpoint' });
		expect(error?.message).toBe("'Endpoint ID' holds 'sales.endpoint', which is no ID");
		expect(error?.description).toBe('Copy the ID from the VPC Endpoint console');
		expect(server.seen).toEqual([]);
	});

	it('of an endpoint service that does not exist is not sent', async () => {
		script({ status: 400, body: { error_code: 'EndPoint.2003', error_msg: 'None.' } });
		const { error } = await run(operation, { endpointService: { __rl: true, mode: 'name', value: NAME } });
		expect(error?.message).toBe('None (EndPoint.2003)');
		expect(error?.description).not.toContain('nonetheless');
		expect(server.seen).toHaveLength(1);
	});

	it('says in the words of this decision that it may have acted', async () => {
		script({ status: 500, body: { error_msg: 'Broken' } });
		const { error } = await run(operation, { options: { maxRetries: 0 } });
		expect(error?.description).toContain(
			`The endpoint may be ${end} nonetheless: ${LOOK}. The connection could not be read (Broken)`,
		);
		expect(requests()).toEqual([POST, READ]);
	});

	it('is a success where the request was lost and the connection has the wanted state', async () => {
		script({ end: 'reset' }, reply(end));
		expect((await run(operation, { options: { maxRetries: 0 } })).items).toMatchObject([{ status: end }]);
		expect(requests()).toEqual([POST, READ]);
	});

	it('tells in one word what the state is, whatever the service says', async () => {
		script({ status: 502 }, reply('<b>\n'));
		const { error } = await run(operation, { options: { maxRetries: 0 } });
		expect(error?.description).toContain('Now the connection is in an unknown state');
	});

	it('ends with an unknown error, of which nobody can say what it means', async () => {
		jest.spyOn(Math, 'random').mockImplementation(() => {
			throw new TypeError('odd');
		});
		script({ status: 500 });
		const { error } = await run(operation);
		expect(error?.message).toContain('TypeError');
		expect(error?.description).toContain('nonetheless');
	});

	it.each([
		[403, 'vpcep:connections:update'],
		[404, "Check 'Endpoint ID', and that 'Endpoint Service' belongs to the project and region"],
		[400, 'Check the values of the node'],
	])('refused with %d says what to do, and the connection is not read', async (status, advice) => {
		script({ status });
		const { error } = await run(operation);
		expect(error?.description).toContain(advice);
		expect(error?.description).not.toContain('nonetheless');
		expect(requests()).toEqual([POST]);
	});
});

describe('the repeat', () => {
	it.each<[string, ScriptedReply]>([
		['500', { status: 500 }],
		['504', { status: 504 }],
		['a lost connection', { end: 'reset' }],
	])('comes after %s, as often as the options say', async (_what, failure) => {
		script(failure, failure, reply('accepted'));
		expect((await run('accept', { options: { maxRetries: 2 } })).items).toHaveLength(1);
		expect(requests()).toEqual([POST, POST, POST]);
	});

	it('that is refused leaves the outcome to the state of the connection', async () => {
		script({ status: 502 }, { status: 400 }, reply('creating'));
		expect((await run('accept')).items).toMatchObject([{ status: 'creating' }]);
		expect(requests()).toEqual([POST, POST, READ]);
	});

	it('of a reject is no success while the endpoint is still being connected', async () => {
		script({ status: 502 }, { status: 400 }, reply('creating'));
		expect((await run('reject')).error?.description).toContain('Now the connection is creating');
	});

	it('does not come after a timeout', async () => {
		script({ end: 'hang' }, reply('accepted'));
		expect((await run('accept', { options: { timeout: 300 } })).items).toHaveLength(1);
		expect(requests()).toEqual([POST, READ]);
	});
});

describe('Wait Until Done', () => {
	it.each([
		['accept', ['pendingAcceptance', 'creating', 'accepted']],
		['reject', ['accepted', 'creating', 'pendingAcceptance', 'rejected']],
		['accept', ['creating', 'failed']],
		['reject', ['accepted', 'deleting']],
		['accept', ['rejected']],
		['accept', ['underReview']],
	] as const)('%s: reads while the status is undecided: %j', async (operation, statuses) => {
		hurry();
		script(...statuses.map((status) => reply(status)));
		expect((await run(operation, { options: waiting })).items).toMatchObject([{ status: statuses.at(-1) }]);
		expect(requests()).toEqual([POST, ...Array<string>(statuses.length - 1).fill(READ)]);
	});

	it('goes on after an unknown outcome that the state has settled', async () => {
		hurry();
		script({ status: 500 }, reply('creating'), reply('creating'), reply('accepted'));
		const { items } = await run('accept', { options: { ...waiting, maxRetries: 0 } });
		expect(items).toMatchObject([{ status: 'accepted' }]);
		expect(requests()).toEqual([POST, READ, READ, READ]);
	});

	it('reads at each interval from the first response on, and no longer than Max Wait', async () => {
		hurry();
		script(reply('creating'));
		const { items, hints } = await run('accept', { options: { ...waiting, pollInterval: 20, maxWait: 50 } });
		expect(items).toEqual([{ id: ENDPOINT, status: 'creating', endpoint_service_id: SERVICE }]);
		expect(hints).toEqual([
			'Status: creating after 50 seconds. The endpoint is being connected, which may take minutes.',
		]);
		// The POST, and reads at 20, 40 and 50 seconds.
		expect(server.seen).toHaveLength(4);
	});

	it('is off, and every 5 seconds for 10 minutes, unless the options say otherwise', () => {
		const { options = [] } = accept.fields.find(({ name }) => name === 'options') ?? {};
		const preset = Object.fromEntries(
			options.map((option) => [option.name, 'default' in option && option.default]),
		);
		expect(preset).toMatchObject({ waitUntilDone: false, pollInterval: 5, maxWait: 600 });
	});

	it.each<[string, ScriptedReply]>([
		['500', { status: 500 }],
		['a reset connection', { end: 'reset' }],
		['429', { status: 429, headers: { 'Retry-After': '0' } }],
		['EndPoint.0022', { status: 400, body: { error_code: 'EndPoint.0022' } }],
		['a response without a list', { body: {} }],
		['the connections of others', reply('rejected', 'other')],
	])('goes on after %s, and the next poll is the retry', async (_what, failure) => {
		hurry();
		script(reply('creating'), failure, reply('accepted'));
		const { items, hints } = await run('accept', { options: waiting });
		expect(items).toMatchObject([{ status: 'accepted' }]);
		expect(hints).toEqual([]);
		expect(requests()).toEqual([POST, READ, READ]);
	});

	it('comes out as it was where the last poll fails, with both hints', async () => {
		hurry();
		script(reply('accepted'), { status: 500, body: { error_msg: 'Broken' } });
		const { items, hints } = await run('reject', { options: { ...waiting, maxWait: 5 } });
		expect(items).toMatchObject([{ status: 'accepted' }]);
		expect(hints).toEqual([
			expect.stringMatching(/^Status: accepted after 5 seconds\. The service has not rejected/),
			`Status: as it was before, since the last request brought no response (Broken). ${LOOK}.`,
		]);
		expect(requests()).toEqual([POST, READ]);
	});

	it.each<[string, ScriptedReply, string]>([
		['a refusal', { status: 403, body: { error_msg: 'No' } }, 'No'],
		[
			'an endpoint that is gone',
			{ body: { connections: [] } },
			'The endpoint service has no connection of this endpoint',
		],
	])('ends with %s, which tells the last status', async (_what, last, message) => {
		hurry();
		script(reply('creating'), last);
		const { error } = await run('accept', { options: waiting });
		expect(error?.message).toBe(message);
		expect(error?.description).toContain('Before this request the connection was creating');
		expect(server.seen).toHaveLength(2);
	});
});

it('hints tell about every other state than was asked for', async () => {
	const statuses = ['pendingAcceptance', 'creating', 'accepted', 'rejected', 'failed', 'deleting'];
	for (const [operation, end] of [
		['accept', 'accepted'],
		['reject', 'rejected'],
	] as const) {
		const before = server.seen.length;
		server.reply = (count) => reply(statuses[count - before - 1]);
		const { hints } = await run(operation, { options: { maxConcurrency: 1 } }, { total: statuses.length });
		const others = statuses.filter((status) => status !== end);
		expect(hints.map((hint) => /^1 of 6 items: (\w+)\. \w/.exec(hint)?.[1])).toEqual(others);
	}
});

describe('by Retry On Fail', () => {
	/** Of two items the second fails, so that there is another try. */
	async function tryTwice(change: Record<string, unknown>) {
		const setting = { total: 2, continueOnFail: true, retryOnFail: true, executeData: {} };
		server.reply = (_count, { body, path }) => {
			if (path.includes('/describe')) return { body: { id: SERVICE } };
			return body.includes('"bad"') ? { status: 400 } : reply('accepted');
		};
		const parameters = { endpointId: expression([ENDPOINT, 'bad']), options: { maxConcurrency: 1 } };
		await run('accept', parameters, setting);
		await run('accept', { ...parameters, ...change }, setting);
		return server.seen.filter(({ body }) => body.includes(ENDPOINT)).length;
	}

	it('what succeeded is not sent again', async () => {
		expect(await tryTwice({})).toBe(1);
	});

	it.each<[string, Record<string, unknown>]>([
		['another endpoint service is meant', { endpointService: { __rl: true, mode: 'id', value: 'other' } }],
		['it is named otherwise', { endpointService: { __rl: true, mode: 'name', value: SERVICE } }],
		['another project is meant', { options: { projectId: 'q' }, 'options.projectId': 'q' }],
		['the end is to be waited for', { options: { maxConcurrency: 1, waitUntilDone: true } }],
	])('it is sent again where %s', async (_what, change) => {
		expect(await tryTwice(change)).toBe(2);
	});
});
