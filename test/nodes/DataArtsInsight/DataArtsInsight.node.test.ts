import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import fc from 'fast-check';
import type { IDataObject, INodeExecutionData, INodeParameters, IWorkflowBase } from 'n8n-workflow';

import schema from '../../../nodes/DataArtsInsight/__schema__/v1.0.0/vpcEndpoint/verifyAndCreate.json';
import { built } from '../../support/engine/built';
import { runWorkflow } from '../../support/engine';
import {
	catalogue,
	documentedFaults,
	faultNames,
	faultServerName,
	harmlessFaults,
	type Simulator,
	startSimulator,
	validToken,
} from '../../support/cloud';
import { byName, names, type NodeRun, runNode } from '../../support/engine/runNode';

const { salesWarehouse, webShop, financeLedger } = catalogue;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

/** Runs the node against the simulator; nothing that comes of it may hold the token. */
async function run(parameters: INodeParameters, options: Partial<NodeRun> = {}) {
	const result = await runNode(parameters, { credential: simulator.credentials, ...options });
	expect(JSON.stringify([result.run, result.error])).not.toContain(validToken);
	return result;
}

const bodies = () => simulator.requests.map(({ body }) => JSON.parse(body) as unknown);
const statusOf = ({ json }: INodeExecutionData) => json.vpc_ep_client_status ?? json.error;

describe('a verified endpoint', () => {
	it('is asked for to the letter', async () => {
		await run({ dsType: 'DWS', lookupMode: 'name', vpcEpServerName: salesWarehouse.name });
		const { projectId, workspaceId, token } = simulator.credentials;
		expect(simulator.requests).toMatchObject([
			{
				method: 'POST',
				path: `/v1/${projectId}/connections/vpc-endpoint`,
				headers: {
					'x-auth-token': token,
					'x-workspace-id': workspaceId,
					'content-type': 'application/json',
				},
				body: JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: salesWarehouse.name }),
			},
		]);
	});

	it('comes back with every field as the service wrote it, paired with its input', async () => {
		const { items, error } = await run(byName, {
			input: names(salesWarehouse.name, faultServerName('extra-fields')),
		});
		expect(error).toBeUndefined();
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
		expect(Object.keys(items[0]?.json ?? {})).toHaveLength(15);
		expect(items[0]?.json).toMatchObject({
			create_date: expect.any(Number) as number,
			scene: 'dii-app_to_data-source',
			vpc_ep_server_id: salesWarehouse.id,
			vpc_ep_client_status: 'accepted',
		});
		expect(items[1]?.json).toMatchObject({ vpc_ep_client_ip: '192.168.0.12', tags: [{ key: 'a' }] });
	});

	it('is what the output schema tells the editor', async () => {
		const { items } = await run(byName, { input: names(salesWarehouse.name) });
		const types = Object.entries(items[0]?.json ?? {}).map(([field, value]) => [
			field,
			{ type: Number.isInteger(value) ? 'integer' : typeof value },
		]);
		expect(schema.properties).toEqual(Object.fromEntries(types));
	});

	it.each([
		['id', { vpc_ep_server_id: webShop.id }],
		['nameAndId', { vpc_ep_server_name: webShop.name, vpc_ep_server_id: webShop.id }],
		['name', { vpc_ep_server_name: webShop.name }],
	])('can be looked up by %s, and what the mode does not need is not sent', async (lookupMode, sent) => {
		const { items } = await run(
			{
				dsType: 'MySQL',
				lookupMode,
				vpcEpServerName: '={{ $json.name }}',
				vpcEpServerId: '={{ $json.id }}',
			},
			{ input: [{ name: ` ${webShop.name}\n`, id: `\t${webShop.id} ` }] },
		);
		expect(items.map(statusOf)).toEqual(['accepted']);
		expect(bodies()).toEqual([{ ds_type: 'MySQL', ...sent }]);
	});

	it('may be of a type that the list does not know', async () => {
		const { error } = await run(byName, { input: [{ name: webShop.name, type: 'Oracle' }] });
		expect(bodies()).toEqual([{ ds_type: 'Oracle', vpc_ep_server_name: webShop.name }]);
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '400' });
	});

	it('is simplified to ten fields, with times as ISO 8601', async () => {
		const input = [
			...names(salesWarehouse.name, faultServerName('extra-fields')),
			{ name: webShop.name, whole: true },
		];
		const { items } = await run({ ...byName, simplify: '={{ !$json.whole }}' }, { input });
		const [first, second, third] = items.map(({ json }) => Object.keys(json));
		expect(first).toEqual([
			'id',
			'vpc_ep_client_status',
			'vpc_ep_client_id',
			'vpc_ep_server_name',
			'vpc_ep_server_id',
			'ds_type',
			'project_id',
			'create_user_name',
			'create_date',
			'update_date',
		]);
		expect(second).toEqual(first);
		expect(third).toHaveLength(15);
		expect(items[0]?.json.create_date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	});

	it('is simplified without inventing what the service left out', async () => {
		const answer = { id: 7, create_date: 1714962072863, update_date: 'today', tags: [] };
		const server = createServer((_, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1');
		await once(server, 'listening');
		const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		const credential = { ...simulator.credentials, baseUrl };
		const { items } = await run({ ...byName, simplify: true }, { input: names('x'), credential });
		server.close();
		expect(items[0]?.json).toEqual({ id: 7, create_date: '2024-05-06T02:21:12.863Z', update_date: 'today' });
	});

	it('shows the present status when it is verified again', async () => {
		const pending = await run(byName, { input: names(financeLedger.name) });
		simulator.accept(financeLedger.name);
		const accepted = await run(byName, { input: names(financeLedger.name) });
		expect([...pending.items, ...accepted.items].map(statusOf)).toEqual(['pendingAcceptance', 'accepted']);
		expect(accepted.items[0]?.json.id).toBe(pending.items[0]?.json.id);
	});

	it('is built from any input: trimmed, never blank, nothing but the known fields', async () => {
		const text = fc.oneof(fc.string(), fc.constantFrom('', ' ', '\u00a0', '\n'), fc.constant(undefined));
		const row = fc.record({
			mode: fc.constantFrom('name', 'id', 'nameAndId'),
			type: text,
			name: text,
			id: text,
		});
		await fc.assert(
			fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (input) => {
				simulator.reset();
				const { items } = await run(
					{
						dsType: '={{ $json.type }}',
						lookupMode: '={{ $json.mode }}',
						vpcEpServerName: '={{ $json.name }}',
						vpcEpServerId: '={{ $json.id }}',
						options: { maxConcurrency: 1 },
					},
					{ input, onError: 'continueRegularOutput' },
				);
				expect(items).toHaveLength(input.length);
				const wanted = input
					.map(({ mode, type, name, id }) => ({
						ds_type: type?.trim(),
						...(mode !== 'id' && { vpc_ep_server_name: name?.trim() }),
						...(mode !== 'name' && { vpc_ep_server_id: id?.trim() }),
					}))
					.filter((body) => Object.values(body).every(Boolean));
				expect(bodies()).toEqual(wanted);
			}),
			{ numRuns: 25 },
		);
	});
});

describe('many items', () => {
	const rows = Array.from({ length: 10 }, (_, index) => ({ row: index, name: salesWarehouse.name }));
	const mixed = rows.map((row) => ({
		...row,
		name: { 2: '', 5: 'cn-north-4.no-such-service', 8: faultServerName('sign-in-page') }[row.row] ?? row.name,
	}));

	it.each([1, 10])(
		'keep their order when %d are under way, on as many connections',
		async (maxConcurrency) => {
			const slow = await startSimulator({ latency: 5 });
			const input = Array.from({ length: 50 }, (_, index) => ({
				name: [salesWarehouse.name, webShop.name, ''][index % 3],
			}));
			const { items } = await run(
				{ ...byName, options: { maxConcurrency } },
				{ input, onError: 'continueRegularOutput', credential: slow.credentials },
			);
			const { connections, requests } = slow;
			await slow.close();
			expect(items.map(({ json }) => json.vpc_ep_server_name ?? '')).toEqual(input.map(({ name }) => name));
			expect(items.map(({ pairedItem }) => pairedItem)).toEqual(input.map((_, item) => ({ item })));
			expect(requests).toHaveLength(34);
			expect(connections).toBe(maxConcurrency);
		},
	);

	it('go on when some fail and the node continues on fail', async () => {
		const { items, error } = await run(byName, { input: mixed, onError: 'continueRegularOutput' });
		expect(error).toBeUndefined();
		expect(items).toHaveLength(10);
		expect(items.filter(({ json }) => json.vpc_ep_client_status === 'accepted')).toHaveLength(7);
		expect(items.filter(({ json }) => json.id && Object.keys(json).length === 15)).toHaveLength(7);
		expect(items[2]).toEqual({
			json: {
				error: "'Endpoint Service Name' is blank",
				details: {
					code: 'INVALID_INPUT',
					outcomeUnknown: false,
					description: "Fill in 'Endpoint Service Name', or check what its expression gives for this item",
				},
			},
			pairedItem: { item: 2 },
		});
		expect(items[5]?.json).toMatchObject({
			error: 'The resource is not found (DataArtsInsight.24010003)',
			details: {
				code: 'DataArtsInsight.24010003',
				httpStatus: 404,
				requestId: expect.stringMatching(/^[\da-f]{32}$/) as string,
				outcomeUnknown: false,
			},
		});
		expect(items[8]?.json).toMatchObject({
			error: 'The service answered without a JSON object',
			details: { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: true },
		});
	});

	it('leave by the error output with their input when they fail', async () => {
		const { good, bad } = await run(byName, { input: mixed, onError: 'continueErrorOutput' });
		expect(good).toHaveLength(7);
		expect(bad.map(({ json }) => [json.row, typeof json.error, typeof json.details])).toEqual([
			[2, 'string', 'object'],
			[5, 'string', 'object'],
			[8, 'string', 'object'],
		]);
	});

	it('stop at the first that fails, and the error says how far the run came', async () => {
		const { error, items } = await run({ ...byName, options: { maxConcurrency: 1 } }, { input: mixed });
		expect(items).toEqual([]);
		expect(simulator.requests).toHaveLength(2);
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: "'Endpoint Service Name' is blank",
			context: { itemIndex: 2 },
		});
		expect(error?.description).toContain('Of 10 items: 2 completed, 7 not sent');
	});

	it('that are under way at the first error are awaited', async () => {
		const input = names(
			faultServerName('apigw-0302'),
			salesWarehouse.name,
			salesWarehouse.name,
			webShop.name,
		);
		const { error } = await run({ ...byName, options: { maxConcurrency: 3 } }, { input });
		expect(simulator.requests).toHaveLength(3);
		expect(error?.description).toContain('Of 4 items: 2 completed, 1 not sent');
	});

	it('are not sent any more once the execution is stopped', async () => {
		const slow = await startSimulator({ latency: 100 });
		const stop = new AbortController();
		const running = run(
			{ ...byName, options: { maxConcurrency: 2 } },
			{ input: rows, signal: stop.signal, credential: slow.credentials },
		);
		while (slow.requests.length < 4) await sleep(5);
		stop.abort();
		const { run: stopped } = await running;
		await sleep(250);
		expect(stopped.status).toBe('canceled');
		expect(slow.requests).toHaveLength(4);
		await slow.close();
	});

	it('leave n8n time for other work, even if none of them can be sent', async () => {
		let turns = 0;
		const watch = setInterval(() => turns++, 1);
		const input = Array.from({ length: 2_000 }, () => ({}));
		const { items } = await run(byName, { input, onError: 'continueRegularOutput' });
		clearInterval(watch);
		expect(items).toHaveLength(2_000);
		expect(turns).toBeGreaterThan(2);
	});
});

describe('input that cannot be used', () => {
	const good = { dsType: 'DWS', lookupMode: 'name', vpcEpServerName: salesWarehouse.name };

	it.each<[string, INodeParameters, string]>([
		['a blank name', { vpcEpServerName: '={{ " " }}' }, "'Endpoint Service Name' is blank"],
		['a blank ID', { lookupMode: 'id', vpcEpServerId: '={{ null }}' }, "'Endpoint Service ID' is blank"],
		[
			'half of both',
			{ lookupMode: 'nameAndId', vpcEpServerId: '={{ "" }}' },
			"'Endpoint Service ID' is blank",
		],
		['a blank type', { dsType: '={{ undefined }}' }, "'Data Source Type' is blank"],
		['a list', { vpcEpServerName: '={{ [1] }}' }, "'Endpoint Service Name' holds a list instead of text"],
		[
			'a number',
			{ dsType: '={{ 5 }}' },
			"'Data Source Type' holds a value of the type number instead of text",
		],
		[
			'an unknown mode',
			{ lookupMode: '={{ "constructor" }}', vpcEpServerId: webShop.id },
			"'Look Up Endpoint Service' is 'constructor', which is no lookup mode",
		],
		[
			'a silly concurrency',
			{ options: { maxConcurrency: '={{ 0 }}' } },
			"'Max Concurrency' in the options is not a whole number from 1 to 100",
		],
		[
			'a silly timeout',
			{ options: { timeout: '={{ "soon" }}' } },
			"'Timeout' in the options is not a whole number from 1 to 3600000",
		],
	])('%s: nothing is sent, and the field is named', async (_what, parameters, message) => {
		const { error } = await run({ ...good, ...parameters });
		expect(error).toMatchObject({ name: 'NodeOperationError', message, context: { itemIndex: 0 } });
		expect(error?.description).toBeTruthy();
		expect(simulator.requests).toEqual([]);
	});

	it.each([
		['vpcEndpoint', 'delete', "operation 'delete' for 'vpcEndpoint'"],
		['dataSource', 'verifyAndCreate', "resource 'dataSource'"],
	])('of a newer version is named: %s, %s', async (resource, operation, missing) => {
		const { error } = await run({ ...good, resource, operation });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: `This version of the node has no ${missing}`,
			description: expect.stringContaining('update the package') as string,
		});
		expect(simulator.requests).toEqual([]);
	});

	it('an expression that breaks keeps the words of n8n', async () => {
		const parameters = { ...good, vpcEpServerName: '={{ $("Nowhere").item.json.x }}' };
		const { error } = await run(parameters);
		expect(error?.message).toContain("doesn't exist");
		const { items } = await run(parameters, { onError: 'continueRegularOutput' });
		expect(items).toMatchObject([{ json: { error: error?.message, details: { code: 'INVALID_INPUT' } } }]);
	});

	it.each<[string, IDataObject]>([
		["'Project ID' in the credential", { projectId: '../x' }],
		["'Base URL' in the credential", { baseUrl: 'http://127.0.0.1/v2' }],
		["'User Token' in the credential", { token: '' }],
	])('a bad credential fails every item and names %s', async (words, change) => {
		const credential = { ...simulator.credentials, ...change };
		const { error } = await run(good, { credential });
		expect(error).toMatchObject({ name: 'NodeOperationError' });
		expect(error?.message).toContain(words);
		const { bad, good: passed } = await run(good, {
			credential,
			input: [{ a: 1 }, { a: 2 }],
			onError: 'continueErrorOutput',
		});
		expect(passed).toEqual([]);
		expect(bad.map(({ json }) => json.a)).toEqual([1, 2]);
		expect(simulator.requests).toEqual([]);
	});

	it('a credential that is gone fails every item', async () => {
		const { items } = await run(good, {
			credential: undefined,
			input: [{}, {}],
			onError: 'continueRegularOutput',
		});
		expect(items).toHaveLength(2);
		expect(items[1]?.json.error).toContain('no credential');
	});

	it('an operation of a newer version is not guessed at', async () => {
		const { error } = await run({ operation: 'reject' });
		expect(error).toMatchObject({ name: 'NodeOperationError' });
		expect(error?.message).toContain("no operation 'reject'");
		expect(simulator.requests).toEqual([]);
	});
});

describe('every way in which the service fails', () => {
	const fails = faultNames.filter((name) => !harmlessFaults.includes(name));

	it.each(fails)('%s', async (name) => {
		// A token of its own: one that was refused is not sent again.
		const { error } = await runNode(
			{ ...byName, options: { timeout: 300, maxRetries: 0 } },
			{
				credential: { ...simulator.credentials, token: simulator.issueToken() },
				input: names(faultServerName(name)),
			},
		);
		expect(simulator.requests).toHaveLength(1);
		expect(error).toMatchObject({ name: 'NodeApiError', context: { itemIndex: 0 } });
		expect(error?.message).toBeTruthy();
		expect(error?.description).toBeTruthy();
		expect(`${error?.message} ${error?.description}`).not.toMatch(/<\w+|undefined|null|\[object/);

		if (!Object.hasOwn(documentedFaults, name)) return;
		const { status, body } = documentedFaults[name as keyof typeof documentedFaults];
		const {
			error: nested,
			error_code,
			error_msg,
		} = body as {
			error?: { code: string | number; message: string };
			error_code?: string;
			error_msg?: string;
		};
		const code = String(nested?.code ?? error_code);
		const text = (nested?.message ?? error_msg)?.replace(/\.$/, '');
		// A code that only repeats the status says nothing.
		const message = code === String(status) ? text : `${text} (${code})`;
		expect(error).toMatchObject({ message, httpCode: String(status) });
		if (code.startsWith('API')) expect(error?.description).toMatch(/Request ID: [\da-f]{32}/);
	});

	it.each(['connection-reset', 'truncated', 'no-answer', 'slow-drip', 'apigw-0601', 'html-502'] as const)(
		'%s may have created an endpoint, and the error says so',
		async (name) => {
			const { error } = await run(
				{ ...byName, options: { timeout: 300, maxRetries: 0 } },
				{ input: names(faultServerName(name)) },
			);
			expect(error?.description).toContain('a VPC endpoint may exist: run the node again');
		},
	);
});

describe('the examples', () => {
	const load = (file: string) =>
		JSON.parse(readFileSync(join(__dirname, '../../../examples', file), 'utf8')) as IWorkflowBase;
	const start = async (workflow: IWorkflowBase) =>
		await runWorkflow(workflow, {
			types: await built,
			credentials: { dataArtsInsightApi: simulator.credentials },
			input: Object.values(workflow.pinData ?? {})[0]?.map(({ json }) => json),
		});

	it('verify-by-name', async () => {
		const { output, error } = await start(load('verify-by-name.json'));
		expect(error).toBeUndefined();
		expect(output('DataArts Insight')[0]?.map(statusOf)).toEqual(['accepted']);
	});

	it('verify-a-list', async () => {
		const { output, error } = await start(load('verify-a-list.json'));
		expect(error).toBeUndefined();
		expect(output('Verified')[0]?.map(statusOf)).toEqual(['accepted', 'accepted', 'pendingAcceptance']);
		expect(output('To fix')[0]?.map(({ json }) => json.title)).toEqual([
			'Name forgotten',
			'Partner archive',
			'Unknown service',
		]);
	});
});
