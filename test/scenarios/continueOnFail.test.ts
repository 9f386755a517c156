import { endpointServices, faultServerName, type Simulator, startSimulator } from '../support/cloud';
import { pooled } from '../support/engine/built';
import { toItems } from '../support/engine/runNode';
import { runOn, useSimulator } from '../support/engine/runOnSimulator';

const { salesWarehouse, webShop } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

describe('many items', () => {
	const rows = Array.from({ length: 10 }, (_, index) => ({ row: index, name: salesWarehouse.name }));
	const mixed = rows.map((row) => ({
		...row,
		name: { 2: '', 5: 'cn-north-4.no-such-service', 8: faultServerName('sign-in-page') }[row.row] ?? row.name,
	}));

	it.each([1, 10])(
		'keep their order with Max Concurrency %d, on as many connections or one a request',
		async (maxConcurrency) => {
			const slow = await startSimulator({ latency: 5 });
			const input = Array.from({ length: 50 }, (_, index) => ({
				name: [salesWarehouse.name, webShop.name, ''][index % 3],
			}));
			const { items } = await runOn(
				simulator,
				{ options: { maxConcurrency } },
				{ input, onError: 'continueRegularOutput', credential: slow.credentials },
			);
			const { connections, requests } = slow;
			await slow.close();
			expect(items.map(({ json }) => json.vpc_ep_server_name ?? '')).toEqual(input.map(({ name }) => name));
			expect(items.map(({ pairedItem }) => pairedItem)).toEqual(input.map((_, item) => ({ item })));
			expect(requests).toHaveLength(34);
			expect(connections).toBe(pooled ? maxConcurrency : requests.length);
		},
	);

	it('Continue On Fail: failed items come out in their place, with error and details', async () => {
		const { items, error } = await runOn(simulator, {}, { input: mixed, onError: 'continueRegularOutput' });
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

	it('Continue On Fail with an error output: failed items leave there, with their input', async () => {
		const { items, errorOutput } = await runOn(
			simulator,
			{},
			{ input: mixed, onError: 'continueErrorOutput' },
		);
		expect(items).toHaveLength(7);
		expect(errorOutput.map(({ json }) => [json.row, typeof json.error, typeof json.details])).toEqual([
			[2, 'string', 'object'],
			[5, 'string', 'object'],
			[8, 'string', 'object'],
		]);
	});

	it('without Continue On Fail the first error ends the run and says how far it came', async () => {
		const { error, items } = await runOn(simulator, { options: { maxConcurrency: 1 } }, { input: mixed });
		expect(items).toEqual([]);
		expect(simulator.requests).toHaveLength(2);
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: "'Endpoint Service Name' is blank",
			context: { itemIndex: 2 },
		});
		expect(error?.description).toContain('Of 10 items: 2 completed, 7 not sent');
	});

	it('without Continue On Fail requests in flight are waited for', async () => {
		const good = Array.from({ length: 19 }, () => salesWarehouse.name);
		const input = toItems(faultServerName('apigw-0302'), ...good);
		const { error } = await runOn(simulator, { options: { maxConcurrency: 3 } }, { input });
		const sent = simulator.requests.length;
		expect(sent).toBeGreaterThanOrEqual(3);
		expect(sent).toBeLessThan(20);
		expect(error?.description).toContain(`Of 20 items: ${sent - 1} completed, ${20 - sent} not sent`);
	});

	it('do not block the event loop, even if none of them can be sent', async () => {
		let turns = 0;
		const watch = setInterval(() => turns++, 1);
		const input = Array.from({ length: 2_000 }, () => ({}));
		const { items } = await runOn(simulator, {}, { input, onError: 'continueRegularOutput' });
		clearInterval(watch);
		expect(items).toHaveLength(2_000);
		expect(turns).toBeGreaterThan(2);
	});
});
