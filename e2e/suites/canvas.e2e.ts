import type { INode } from 'n8n-workflow';
import type { Browser, Locator, Page } from 'playwright-core';

import { endpointServices, type Simulator, startSimulator } from '../../test/support/cloud';
import { openEditor, startBrowser, takePicture, WINDOW } from '../support/browser';
import { exampleNames, readExample } from '../support/exampleWorkflows';
import { tarball } from '../support/folders';
import { type ExportedWorkflow, N8n } from '../support/n8n';
import { note } from '../support/notes';
import { installAsN8nDoes } from '../support/packageInstall';
import { seldom } from '../support/seldom';
import { verifyBodies } from '../support/verifyRequests';
import { chain, insightNode, manualTrigger } from '../support/workflows';

const ACTION = 'Verify a VPC endpoint service and create the endpoint';
const ICON = '/icons/n8n-nodes-dataarts-insight/dist/nodes/DataArtsInsight/dataArtsInsight';

const n8n = new N8n('canvas');
let simulator: Simulator;
let browser: Browser;
let page: Page;
/** The panels of the open node (its NDV, node details view). */
let node: Locator;

beforeAll(async () => {
	// One of the connections of financeLedger is pending from the start.
	simulator = await startSimulator({ moreConnections: 3, moreWorkspaces: 2, moreProjects: 1 });
	await installAsN8nDoes(n8n.nodesFolder, tarball);
	await n8n.start();
	browser = await startBrowser();
	note('Chromium', browser.version());
	page = await openEditor(browser, n8n);
	node = byId('ndv');
});

afterAll(async () => {
	await browser.close();
	await n8n.dispose();
	await simulator.close();
});

afterEach(() => simulator.reset());

describe('The editor', () => {
	it('finds the node and its trigger by search, and puts the node on the canvas', async () => {
		await page.goto('/workflow/new');
		await byId('canvas-plus-button').click();
		await byId('node-creator-search-bar').fill('dataarts');
		await byId('node-creator-item-name').getByText('DataArts Insight', { exact: true }).click();
		// Where a workflow begins n8n opens what the trigger offers, and keeps the actions closed.
		await page.getByText('On endpoint waits for acceptance').waitFor();
		await byId('node-creator-category-item').getByText('Actions').click();
		await page.getByText(ACTION).click();
		await node.waitFor();
		expect(await icon(node)).toBe(`${n8n.url}${ICON}.svg`);
	});

	it('creates the credential and shows the result of the credential test', async () => {
		const { baseUrl, vpcepUrl, accessKeyId, secretAccessKey, projectId, workspaceId } =
			simulator.accessKeyCredentials;
		await node.getByText('Connect to DataArts Insight').click();
		const credential = byId('editCredential-modal');
		await choose(credential, 'authentication', 'Access Key (AK/SK)');
		await fill(credential, { accessKeyId, secretAccessKey: 'not-the-right-one', projectId, workspaceId });
		await page.setViewportSize({ ...WINDOW, height: 1_200 }); // so that the picture shows all fields
		await parameter(credential, 'region').hover();
		await takePicture(page, credential, 'credential');
		await page.setViewportSize(WINDOW);

		await choose(credential, 'region', 'Custom Address');
		await fill(credential, { baseUrl, vpcepUrl });
		await credential.getByText('Save', { exact: true }).click();
		await credential.getByText('Couldn’t connect with these settings').waitFor();
		await credential.getByText('More details').click();
		const advice = "verify aksk signature fail (APIGW.0301). Check 'Access Key ID' and 'Secret Access Key'";
		await credential.getByText(advice).waitFor();

		await fill(credential, { secretAccessKey });
		await credential.getByText('Save', { exact: true }).click();
		// n8n closes the form of a credential that works.
		await credential.waitFor({ state: 'hidden' });
		await byId('credential-edit-button').click();
		await credential.getByText('Connection tested successfully').waitFor();
		await credential.getByRole('button', { name: 'Close' }).click();
		expect(simulator.refusedSignatures).toBe(1);
	});

	it('shows the fields for name, ID or list that the lookup mode needs', async () => {
		expect(await optionsOf('dsType')).toEqual([
			'API',
			'ClickHouse',
			'Doris',
			'GaussDB',
			'GaussDB(DWS)',
			'Hive',
			'MySQL',
			'PostgreSQL',
		]);
		await choose(node, 'dsType', 'MySQL');

		expect(await optionsOf('lookupMode')).toEqual(['By Name', 'By ID', 'By Name and ID', 'From List']);
		const fields = {
			name: parameter(node, 'vpcEpServerName'),
			id: parameter(node, 'vpcEpServerId'),
			list: serviceList(),
		};
		const shown = {
			'From List': ['list'],
			'By Name and ID': ['name', 'id'],
			'By ID': ['id'],
			'By Name': ['name'],
		};
		for (const [mode, names] of Object.entries(shown)) {
			await choose(node, 'lookupMode', mode);
			// The editor takes a moment to change the fields.
			for (const [name, field] of Object.entries(fields)) {
				await field.waitFor({ state: names.includes(name) ? 'visible' : 'hidden' });
			}
		}
	});

	it('lists endpoint services to choose from (resource locator, list search)', async () => {
		const { name, id } = endpointServices.financeLedger;
		await choose(node, 'lookupMode', 'From List');
		await serviceList().click();
		await byId('rlc-search').fill('finance');
		await byId('rlc-item')
			.getByText(name.replace(`.${id}`, ''))
			.click();
		await execute('node-run-status-success');
		expect(verifyBodies(simulator)).toEqual([{ ds_type: 'MySQL', vpc_ep_server_id: id }]);
		await choose(node, 'lookupMode', 'By Name');
	});

	it('executes the node once and shows the endpoint in the output table', async () => {
		const { name } = endpointServices.webShop;
		await fill(node, { vpcEpServerName: name });
		await execute('node-run-status-success');

		await byId('output-panel').getByText('Table', { exact: true }).click();
		const table = byId('output-panel').getByRole('table');
		await table.waitFor();
		const titles = await table.locator('th').allInnerTexts();
		const cells = await table.locator('td[data-row="0"]').allInnerTexts();
		const shown = Object.fromEntries(titles.map((title, index) => [title, cells[index]]));
		expect(shown).toMatchObject({
			ds_type: 'MySQL',
			vpc_ep_server_name: name,
			vpc_ep_client_status: 'accepted',
		});
		expect(verifyBodies(simulator)).toEqual([{ ds_type: 'MySQL', vpc_ep_server_name: name }]);

		await byId('output-panel').getByText('JSON', { exact: true }).click();
		await page.getByText('Node executed successfully').last().waitFor({ state: 'hidden' });
		await takePicture(page, node, 'node');
	});

	it('shows the error of a failed node and what to do about it', async () => {
		const { name } = endpointServices.partnerArchive;
		await fill(node, { vpcEpServerName: name });
		await execute('node-run-status-danger');

		expect(await byId('node-error-message').innerText()).toBe(
			'You have no permission to connect to the VPC endpoint service (EndPoint.2012)',
		);
		expect(await byId('node-error-description').innerText()).toContain(
			'Ask the owner of the endpoint service to add the domain ID of DataArts Insight to it',
		);
		expect(verifyBodies(simulator)).toEqual([{ ds_type: 'MySQL', vpc_ep_server_name: name }]);
	});

	seldom('shows the icon of the light or dark theme', async () => {
		const icons = [];
		for (const colorScheme of ['light', 'dark'] as const) {
			await page.emulateMedia({ colorScheme });
			await page.reload();
			const source = await icon(byId('canvas-node').last());
			const picture = await page.request.get(source);
			expect(picture.status()).toBe(200);
			expect(picture.headers()['content-type']).toContain('image/svg+xml');
			icons.push({ source, svg: await picture.text() });
		}
		const [light, dark] = icons;
		expect(light?.source).toBe(`${n8n.url}${ICON}.svg`);
		expect(dark?.source).toBe(`${n8n.url}${ICON}.dark.svg`);
		expect(dark?.svg).not.toBe(light?.svg);
		await page.emulateMedia({ colorScheme: 'light' });
	});
});

it('The next node is offered the output fields before the first execution (output schema)', async () => {
	const edit: INode = {
		id: 'edit',
		name: 'Edit Fields',
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		position: [440, 0],
		parameters: {},
	};
	await openWorkflow(chain('Not run yet', manualTrigger, insightNode(), edit));
	await byId('canvas-node').last().dblclick();
	await node.getByText('Usually outputs the following fields').waitFor();
	await node.getByText('vpc_ep_client_status').waitFor();
	expect(simulator.requests).toHaveLength(0);
});

it('The trigger shows one endpoint that waits (Fetch Test Event)', async () => {
	const stored = await n8n.createCredential(simulator.credentials);
	const trigger: INode = {
		...manualTrigger,
		name: 'An endpoint waits',
		type: 'n8n-nodes-dataarts-insight.dataArtsInsightTrigger',
		credentials: { dataArtsInsightApi: { id: null, name: stored.name } },
		parameters: { event: 'waiting', watch: 'project' },
	};
	await openWorkflow(chain('An endpoint waits', trigger));
	await byId('canvas-node').first().dblclick();
	await byId('node-execute-button').getByText('Fetch Test Event').waitFor();
	await execute('node-run-status-success');

	const { financeLedger } = endpointServices;
	const waiting = simulator
		.connectionsOf(financeLedger.id)
		.find(({ status }) => status === 'pendingAcceptance');
	await byId('output-panel').getByText('1 item', { exact: true }).waitFor();
	for (const text of [waiting?.id ?? '', financeLedger.name]) {
		await byId('output-panel').getByText(text).first().waitFor();
	}
	expect(simulator.requests.map(({ method }) => method)).not.toContain('POST');
});

describe('Example workflow', () => {
	beforeAll(async () => {
		await n8n.createCredential(simulator.credentials);
		// In a taller window no button covers the workflow.
		await page.setViewportSize({ ...WINDOW, height: 1_100 });
	});

	seldom.each(exampleNames)('%s opens with no unknown node type', async (name) => {
		const workflow = readExample(name);
		await openWorkflow(workflow);
		const shown = byId('canvas-node').or(byId('sticky'));
		expect(await shown.count()).toBe(workflow.nodes.length);
		expect(await page.getByText('?', { exact: true }).count()).toBe(0);
		await takePicture(page, shown.or(byId('canvas-handle-plus-wrapper')), name, 60);
	});

	it('verify-a-list is executed, and the canvas shows the item counts of both branches', async () => {
		const { nodes, ...workflow } = readExample('verify-a-list');
		const withoutNotes = nodes.filter(({ type }) => type !== 'n8n-nodes-base.stickyNote');
		await openWorkflow({ ...workflow, nodes: withoutNotes });
		await byId('execute-workflow-button').click();
		await page.getByText('Workflow executed successfully').waitFor();
		for (const items of ['6 items', '3 items']) await byId('edge-label').getByText(items).last().waitFor();
		const labels = (await byId('edge-label').allInnerTexts()).filter(Boolean);
		expect(labels.sort()).toEqual(['3 items', '3 items', '6 items']);
		// The node refuses the row without a name, and sends no request.
		expect(verifyBodies(simulator)).toHaveLength(5);
		const shown = byId('canvas-node').or(byId('canvas-handle-plus-wrapper'));
		await takePicture(page, shown, 'canvas', 60);
	});
});

/** Imports a workflow, opens it and waits until the canvas shows all of it. */
async function openWorkflow(workflow: ExportedWorkflow) {
	await page.goto(`/workflow/${await n8n.importWorkflow(workflow)}`);
	await byId('canvas-node').first().waitFor();
	await byId('zoom-to-fit').click();
	await page.waitForTimeout(1_000); // until the zoom animation has ended
}

function byId(id: string): Locator {
	return page.getByTestId(id);
}

/** A field of the open node or credential. */
function parameter(form: Locator, name: string): Locator {
	return form.getByTestId(`parameter-input-${name}`);
}

function serviceList(): Locator {
	return node.getByTestId('resource-locator-vpcEpServer');
}

async function fill(form: Locator, values: Record<string, string>) {
	for (const [name, value] of Object.entries(values))
		await parameter(form, name).locator('input').fill(value);
}

async function choose(form: Locator, name: string, label: string) {
	await parameter(form, name).click();
	await visibleOptions().getByText(label, { exact: true }).click();
}

/** Opens a dropdown of the node and closes it again. */
async function optionsOf(name: string): Promise<Array<string | undefined>> {
	await parameter(node, name).click();
	await visibleOptions().first().waitFor();
	// Below the label there may be a description.
	const labels = (await visibleOptions().allInnerTexts()).map((text) => text.split('\n', 1)[0]);
	await parameter(node, name).click();
	return labels;
}

function visibleOptions(): Locator {
	return page.getByRole('option').filter({ visible: true });
}

async function execute(statusId: string) {
	simulator.reset();
	await byId('node-execute-button').click();
	await byId(statusId).waitFor();
}

/** The URL of the first picture in a part of the page. */
async function icon(part: Locator): Promise<string> {
	return await part
		.locator('img')
		.first()
		.evaluate((image: { src: string }) => image.src);
}
