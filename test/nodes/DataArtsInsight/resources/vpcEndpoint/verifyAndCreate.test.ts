import { vpcEndpoint } from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint';
import { verifyAndCreate } from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/verifyAndCreate';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../../../../support/network/scriptedServer';
import { expression } from '../../../../support/engine/parameterValues';
import { type OperationRun, runOperation } from '../../../../support/engine/runOperation';
import { fixBackOff } from '../../../../support/network/backOff';
import { hurry } from '../../../../support/engine/hurry';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
const reply = (status: string, more: object = {}): ScriptedReply => ({
	body: { id: 1, vpc_ep_client_status: status, create_date: 0, scene: 's', ...more },
});

let server: ScriptedServer;
beforeEach(async () => (server = await startScriptedServer(() => reply('accepted'))));
afterEach(async () => {
	jest.restoreAllMocks();
	await server.close();
});

/** What the server says to each request in turn; the last of it goes on. */
function script(...replies: ScriptedReply[]) {
	server.reply = (count) => replies[Math.min(count, replies.length) - 1] ?? {};
}

const bodies = () => server.seen.map(({ body }) => JSON.parse(body) as unknown);

type Setting = Omit<OperationRun, 'url' | 'parameters'>;

/** Runs the operation with as much of n8n as it needs. */
async function run(parameters: Record<string, unknown> = {}, setting: Setting = {}) {
	const { items, ...outcome } = await runOperation(verifyAndCreate, {
		url: server.url,
		parameters: {
			dsType: 'DWS',
			lookupMode: 'name',
			vpcEpServerName: 'a',
			vpcEpServerId: ID,
			vpcEpServer: { __rl: true, mode: 'list', value: 'listed' },
			...parameters,
		},
		...setting,
	});
	return { ...outcome, items: items.map(({ json }) => json) };
}

it('the operation is known by names that workflows store', () => {
	expect(vpcEndpoint).toMatchObject({ value: 'vpcEndpoint', operations: [{ value: 'verifyAndCreate' }] });
	expect(vpcEndpoint.operations[0]).toBe(verifyAndCreate);
	expect(verifyAndCreate.fields.map(({ name }) => name)).toEqual([
		...['dsType', 'lookupMode', 'vpcEpServerName', 'vpcEpServerId', 'vpcEpServer'],
		...['simplify', 'options'],
	]);
});

describe('what is sent', () => {
	it('is one POST with what the lookup mode needs', async () => {
		await run({ lookupMode: 'nameAndId' });
		expect(bodies()).toEqual([{ ds_type: 'DWS', vpc_ep_server_name: 'a', vpc_ep_server_id: ID }]);
		expect(server.seen).toMatchObject([{ method: 'POST', path: '/v1/p/connections/vpc-endpoint' }]);
	});

	it('with a value that cannot be used is nothing', async () => {
		expect((await run({ vpcEpServerName: '' })).error).toMatchObject({
			name: 'NodeOperationError',
			message: "'Endpoint Service Name' is blank",
		});
		expect(server.seen).toEqual([]);
	});

	it('is each item for itself, simplified where its switch is on', async () => {
		const parameters = {
			vpcEpServerName: expression(['a', 'b']),
			simplify: expression([true, false]),
			options: { maxConcurrency: 1 },
		};
		const { items } = await run(parameters, { total: 2 });
		expect(bodies()).toMatchObject([{ vpc_ep_server_name: 'a' }, { vpc_ep_server_name: 'b' }]);
		expect(items).toEqual([
			{ id: 1, vpc_ep_client_status: 'accepted', create_date: '1970-01-01T00:00:00.000Z' },
			{ id: 1, vpc_ep_client_status: 'accepted', create_date: 0, scene: 's' },
		]);
	});

	it('leads to nothing where the response names another endpoint service', async () => {
		script(reply('accepted', { vpc_ep_server_name: 'b' }));
		expect((await run()).error?.message).toBe('The service answered without what was asked for');
		script(reply('accepted', { vpc_ep_server_name: 'a' }));
		expect((await run()).items).toHaveLength(1);
	});

	it('is sent again for 429 as often as the options say', async () => {
		fixBackOff(0);
		script({ status: 429 }, reply('accepted'));
		expect((await run({ options: { maxRetries: 1 } })).items).toHaveLength(1);
		expect(server.seen).toHaveLength(2);
		script({ status: 429 });
		expect((await run({ options: { maxRetries: 0 } })).error).toBeDefined();
		expect(server.seen).toHaveLength(3);
	});
});

describe('what fails', () => {
	it.each<[string, ScriptedReply]>([
		['a fault', { status: 500 }],
		['a lost connection', { end: 'reset' }],
		['a response without an ID', { body: { id: '' } }],
	])('by %s says that an endpoint may exist', async (_what, failure) => {
		script(failure);
		expect((await run()).error?.description).toContain('a VPC endpoint may exist: run the node again');
		expect(server.seen).toHaveLength(1);
	});

	it.each<[number, string]>([
		[400, 'Check the values of the node'],
		[404, 'Check the name or ID of the endpoint service'],
		[429, "lower 'Max Concurrency'"],
	])('by HTTP %d says what can be done in the node, and nothing of an endpoint', async (status, advice) => {
		script({ status });
		const { error } = await run({ options: { maxRetries: 0 } });
		expect(error?.description).toContain(advice);
		expect(error?.description).not.toContain('may exist');
	});

	it('by a timeout says which option to raise', async () => {
		script({ end: 'hang' });
		const { error } = await run({ options: { timeout: 20 } });
		expect(error?.description).toMatch(/^Raise 'Timeout' in the options .*a VPC endpoint may exist/);
	});
});

describe('by Retry On Fail', () => {
	const first = { total: 2, continueOnFail: true, retryOnFail: true };

	/** Of two items the second fails, so that there is another try. */
	async function tryTwice(change: Record<string, unknown>, setting: Setting = {}) {
		const executeData = {};
		server.reply = (_count, { body }) => (body.includes('"bad"') ? { status: 400 } : reply('accepted'));
		const parameters = { vpcEpServerName: expression(['good', 'bad']), options: { maxConcurrency: 1 } };
		await run(parameters, { ...first, executeData });
		await run({ ...parameters, ...change }, { ...first, executeData, ...setting });
		return server.seen.filter(({ body }) => body.includes('"good"')).length;
	}

	it('what succeeded is not sent again', async () => {
		expect(await tryTwice({})).toBe(1);
	});

	it.each<[string, Record<string, unknown>, Setting]>([
		['another type is asked for', { dsType: 'Hive' }, {}],
		['another form of the result is asked for', { simplify: true }, {}],
		['the credential leads to another workspace', {}, { workspaceId: 'v' }],
	])('it is sent again where %s', async (_what, change, setting) => {
		expect(await tryTwice(change, setting)).toBe(2);
	});
});

describe('an undecided endpoint', () => {
	const waiting = { waitForAcceptance: true, pollInterval: 1, maxWait: 60, timeout: 3_600_000 };

	it('comes out at once where nobody waits, with a hint what to do', async () => {
		script(reply('pendingAcceptance'));
		const { items, hints } = await run();
		expect(items).toMatchObject([{ vpc_ep_client_status: 'pendingAcceptance' }]);
		expect(hints).toEqual([expect.stringMatching(/^Status: pendingAcceptance\. Ask the owner/)]);
		expect(server.seen).toHaveLength(1);
	});

	it('is polled until it is decided, and then needs no hint', async () => {
		hurry();
		script(reply('creating'), reply('pendingAcceptance'), reply('accepted'));
		const { items, told } = await run({ options: waiting });
		expect(items).toMatchObject([{ vpc_ep_client_status: 'accepted' }]);
		expect(told).toEqual([]);
		expect(server.seen).toHaveLength(3);
	});

	it('is waited for from its first response on, and no longer than allowed', async () => {
		hurry();
		script(reply('pendingAcceptance'));
		const { items, hints } = await run({ options: { ...waiting, pollInterval: 20, maxWait: 50 } });
		expect(items).toMatchObject([{ vpc_ep_client_status: 'pendingAcceptance' }]);
		expect(hints).toEqual([expect.stringMatching(/^Status: pendingAcceptance after 50 seconds\. /)]);
		// At 0, 20, 40 and 50 seconds.
		expect(server.seen).toHaveLength(4);
	});

	it.each<[string, ScriptedReply]>([
		['500', { status: 500 }],
		['a reset connection', { end: 'reset' }],
		['429, after which the next poll is the retry', { status: 429, headers: { 'Retry-After': '0' } }],
	])('is polled again after %s', async (_what, failure) => {
		hurry();
		fixBackOff(0);
		script(reply('pendingAcceptance'), failure, reply('accepted'));
		const { items, told } = await run({ options: { ...waiting, maxRetries: 0 } });
		expect(items).toMatchObject([{ vpc_ep_client_status: 'accepted' }]);
		expect(told).toEqual([]);
		expect(server.seen).toHaveLength(3);
	});

	it('comes out as it was where the last poll fails with 429, which is not sent again at once', async () => {
		hurry();
		fixBackOff(0);
		script(reply('pendingAcceptance'), { status: 429, body: { error_msg: 'Too many' } });
		const { items, hints } = await run({
			simplify: true,
			options: { ...waiting, maxRetries: 3, pollInterval: 5, maxWait: 5 },
		});
		expect(items).toEqual([
			{ id: 1, vpc_ep_client_status: 'pendingAcceptance', create_date: '1970-01-01T00:00:00.000Z' },
		]);
		expect(hints).toEqual([
			expect.stringMatching(/^Status: pendingAcceptance after 5 seconds/),
			expect.stringMatching(/^Status: as it was before, .*\(Too many\)/),
		]);
		expect(server.seen).toHaveLength(2);
	});

	it('ends with the refusal of a poll, which tells what was known before', async () => {
		hurry();
		script(reply('pendingAcceptance'), { status: 404, body: { error_msg: 'Gone' } });
		const { error } = await run({ options: waiting });
		expect(error?.message).toBe('Gone');
		expect(error?.description).toContain('Before this request the VPC endpoint was pendingAcceptance');
		expect(server.seen).toHaveLength(2);
	});

	it('ends with an unknown error, of which nobody can say whether a poll helps', async () => {
		hurry();
		// Called once a request has failed.
		jest.spyOn(Math, 'random').mockImplementation(() => {
			throw new TypeError('odd');
		});
		script(reply('pendingAcceptance'), { status: 500 });
		const { error } = await run({ options: waiting });
		expect(error?.message).toContain('TypeError');
		expect(error?.description).toContain('a VPC endpoint may exist');
		expect(server.seen).toHaveLength(2);
	});

	it('of which nothing was ever known is none: the first failure ends the item', async () => {
		script({ status: 500, body: { error_msg: 'Broken' } });
		const { error } = await run({ options: waiting });
		expect(error?.message).toBe('Broken');
		expect(error?.description).not.toContain('Before this request');
		expect(server.seen).toHaveLength(1);
	});
});
