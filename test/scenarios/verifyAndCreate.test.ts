import fc from 'fast-check';
import type { INodeExecutionData } from 'n8n-workflow';

import { endpointServices, faultServerName, type Simulator } from '../support/cloud';
import { toItems } from '../support/engine/runNode';
import { runOn, useSimulator } from '../support/engine/runOnSimulator';

const { salesWarehouse, webShop, financeLedger } = endpointServices;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

const bodies = () => simulator.requests.map(({ body }) => JSON.parse(body) as unknown);
const statusOf = ({ json }: INodeExecutionData) => json.vpc_ep_client_status ?? json.error;

describe('a verified endpoint', () => {
	it('is created by one POST with token, workspace and JSON body', async () => {
		await runOn(simulator, { dsType: 'DWS', lookupMode: 'name', vpcEpServerName: salesWarehouse.name });
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
		const { items, error } = await runOn(
			simulator,
			{},
			{
				input: toItems(salesWarehouse.name, faultServerName('extra-fields')),
			},
		);
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

	it.each([
		['id', { vpc_ep_server_id: webShop.id }],
		['nameAndId', { vpc_ep_server_name: webShop.name, vpc_ep_server_id: webShop.id }],
		['name', { vpc_ep_server_name: webShop.name }],
	])('can be looked up by %s, and other fields are not sent', async (lookupMode, sent) => {
		const { items } = await runOn(
			simulator,
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

	it('may be of a data source type that the list does not know', async () => {
		const { error } = await runOn(simulator, { dsType: 'Oracle' }, { input: toItems(webShop.name) });
		expect(bodies()).toEqual([{ ds_type: 'Oracle', vpc_ep_server_name: webShop.name }]);
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '400' });
	});

	it('has ten fields and ISO 8601 times with Simplify', async () => {
		const input = [
			...toItems(salesWarehouse.name, faultServerName('extra-fields')),
			{ name: webShop.name, whole: true },
		];
		const { items } = await runOn(simulator, { simplify: '={{ !$json.whole }}' }, { input });
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

	it('shows the present status when it is verified again', async () => {
		const pending = await runOn(simulator, {}, { input: toItems(financeLedger.name) });
		simulator.accept(financeLedger.name);
		const accepted = await runOn(simulator, {}, { input: toItems(financeLedger.name) });
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
				const { items } = await runOn(
					simulator,
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
