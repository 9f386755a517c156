import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';

import {
	displayParameter,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type INode,
	type INodeProperties,
	type INodeTypeDescription,
	type IWorkflowBase,
} from 'n8n-workflow';

import { endpointServices, type Simulator, startSimulator } from '../support/cloud';
import { runWorkflow } from '../support/engine';
import { built, OUR_NODE } from '../support/engine/built';
import { chain, manualTrigger } from '../support/engine/workflow';
import { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import { DataArtsInsightTrigger } from '../../nodes/DataArtsInsight/DataArtsInsightTrigger.node';

const project = resolve(__dirname, '../..');
const STICKY_NOTE = 'n8n-nodes-base.stickyNote';
/** The types of this package's nodes, with what n8n adds to their parameters. */
const OUR_TYPES = new Map<string, { description: INodeTypeDescription; added: string[] }>([
	[OUR_NODE, { description: new DataArtsInsight().description, added: [] }],
	[
		`${OUR_NODE}Tool`,
		{
			description: new DataArtsInsight().description,
			added: ['descriptionType', 'toolDescription'],
		},
	],
	[`${OUR_NODE}Trigger`, { description: new DataArtsInsightTrigger().description, added: ['pollTimes'] }],
]);

const read = (path: string) => readFileSync(join(project, path), 'utf8');
const names = readdirSync(join(project, 'examples')).map((file) => parse(file).name);

describe.each(names)('examples/%s.json', (name) => {
	const text = read(`examples/${name}.json`);
	const { nodes, connections, settings, pinData = {} } = JSON.parse(text) as IWorkflowBase;
	const notes = nodes.filter(({ type }) => type === STICKY_NOTE);
	const byName = new Map(nodes.map((node) => [node.name, node]));
	const wires = Object.entries(connections).flatMap(([from, kinds]) =>
		Object.entries(kinds).flatMap(([kind, outputs]) =>
			outputs.flatMap((targets) => (targets ?? []).map(({ node: to }) => ({ from, to, kind }))),
		),
	);

	it('has nodes with names and IDs of their own, in the present order of execution', () => {
		for (const values of [nodes.map(({ id }) => id), nodes.map((node) => node.name)]) {
			expect(new Set(values).size).toBe(nodes.length);
		}
		expect(settings).toEqual({ executionOrder: 'v1' });
	});

	it('connects every node, and only nodes that exist', () => {
		const connected = new Set(wires.flatMap(({ from, to }) => [from, to]));
		const expected = nodes.filter(({ type }) => type !== STICKY_NOTE).map((node) => node.name);
		expect([...connected].sort()).toEqual(expected.sort());
	});

	it('gives our nodes only what they know', () => {
		for (const { type, typeVersion, parameters, credentials } of nodes) {
			const ours = OUR_TYPES.get(type);
			if (!ours) continue;
			const { description, added } = ours;
			expect(typeVersion).toBe(description.version);
			expect(Object.keys(credentials ?? {})).toEqual(['dataArtsInsightApi']);
			const known = description.properties.filter((property) =>
				displayParameter(parameters, property, { typeVersion }, description),
			);
			const allowed = [...known.map((property) => property.name), ...added];
			expect(allowed).toEqual(expect.arrayContaining(Object.keys(parameters)));
			const options = known.find((property) => property.name === 'options')?.options?.map(({ name }) => name);
			for (const option of Object.keys(parameters.options ?? {})) expect(options).toContain(option);
			for (const property of known.filter((property) => property.type === 'options')) {
				const value = parameters[property.name];
				if (typeof value !== 'string' || !value.startsWith('=')) expect(choices(property)).toContain(value);
			}
		}
	});

	it('names placeholders as credentials', () => {
		for (const { credentials = {} } of nodes) {
			for (const [type, { id }] of Object.entries(credentials)) expect(id).toBe(type);
		}
	});

	it('is explained by notes that cover nothing', () => {
		expect(notes.length).toBeGreaterThan(0);
		const places = nodes.map((node) => ({ name: node.name, ...place(node) }));
		for (const [index, one] of places.entries()) {
			for (const other of places.slice(index + 1)) {
				const apart =
					one.right <= other.left ||
					other.right <= one.left ||
					one.bottom <= other.top ||
					other.bottom <= one.top;
				expect(`${one.name} ${apart ? 'beside' : 'covers'} ${other.name}`).toBe(
					`${one.name} beside ${other.name}`,
				);
			}
		}
	});

	it('is read from left to right; only what waits and what loops leads back', () => {
		for (const { from, to } of wires.filter(({ kind }) => kind === 'main')) {
			const [start, end] = [byName.get(from), byName.get(to)];
			if (start?.type === 'n8n-nodes-base.wait' || end?.type === 'n8n-nodes-base.splitInBatches') continue;
			expect(end?.position[0]).toBeGreaterThan(start?.position[0] ?? Infinity);
		}
	});

	it('names the nodes of its notes and expressions as they are', () => {
		const mentioned = [...text.matchAll(/\$\('([^']+)'\)/g)].map((match) => match[1] ?? '');
		for (const node of mentioned) expect([...byName.keys()]).toContain(node);
	});

	it('holds no address but placeholders, and no secret', () => {
		const hosts = [...text.matchAll(/(?:https?:\/\/|[\w.+-]@)([\w.-]+)/g)].map((match) => match[1] ?? '');
		for (const host of hosts) expect(host).toMatch(/(^|\.)(example\.com|myhuaweicloud\.com)$/);
		// The forms that keys, tokens and passwords have. An ID of a service or node is in groups, joined by dashes; that of
		// a project or workspace stands under its name.
		expect(text.replace(/"(projectId|workspaceId)": "[0-9a-f]{32}"/g, '')).not.toMatch(
			/(?<![\w-])(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}(?![\w-])|xox[a-z]-|sk-\w|eyJ|"password"|"apiKey"/,
		);
	});

	it('has sample rows only where they are started by hand', () => {
		for (const node of Object.keys(pinData)) {
			expect(byName.get(node)?.type).toBe('n8n-nodes-base.manualTrigger');
		}
	});

	it('has a page with its picture, linked from the README', () => {
		const page = `docs/examples/${name}.md`;
		expect(existsSync(join(project, page))).toBe(true);
		expect(read(page)).toContain(`](../images/${name}.png)`);
		expect(read(page)).toContain(`](../../examples/${name}.json)`);
		expect(read('README.md')).toContain(`(examples/${name}.json)`);
		expect(read('README.md')).toContain(`(${page})`);
		expect(existsSync(join(project, `docs/images/${name}.png`))).toBe(true);
	});
});

describe('on the simulated cloud', () => {
	let simulator: Simulator;
	// With the workspaces and projects that many-workspaces.json names.
	beforeEach(async () => (simulator = await startSimulator({ moreWorkspaces: 2, moreProjects: 1 })));
	afterEach(async () => await simulator.close());

	async function run(
		name: string,
		credentials: ICredentialDataDecryptedObject = simulator.credentials,
		part: (workflow: IWorkflowBase) => Pick<IWorkflowBase, 'nodes' | 'connections' | 'pinData'> = (all) =>
			all,
	) {
		const workflow = part(JSON.parse(read(`examples/${name}.json`)) as IWorkflowBase);
		const { output, error } = await runWorkflow(workflow, {
			types: await built,
			credentials: { dataArtsInsightApi: credentials },
			input: Object.values(workflow.pinData ?? {})[0]?.map(({ json }) => json),
		});
		expect(error).toBeUndefined();
		return (node: string, field: string) => output(node)[0]?.map(({ json }) => json[field]);
	}

	it('verify-by-name.json ends with an accepted endpoint', async () => {
		const output = await run('verify-by-name');
		expect(output('DataArts Insight', 'vpc_ep_client_status')).toEqual(['accepted']);
	});

	it('verify-a-list.json parts what is verified from what is to fix', async () => {
		const output = await run('verify-a-list');
		expect(output('Verified', 'vpc_ep_client_status')).toEqual(['accepted', 'accepted', 'pendingAcceptance']);
		expect(output('To fix', 'title')).toEqual(['Name forgotten', 'Partner archive', 'Unknown service']);
	});

	it('many-workspaces.json verifies each row in its own workspace', async () => {
		const output = await run('many-workspaces', simulator.accessKeyCredentials);
		expect(output('Verified', 'vpc_ep_client_status')).toEqual([
			'accepted',
			'accepted',
			'pendingAcceptance',
			'accepted',
		]);
		expect(output('To fix', 'team')).toEqual(['Wrong project']);
	});

	/** These nodes one behind the other, started by hand: the others are not on this engine. */
	const only =
		(start: string, item: IDataObject, ...names: string[]) =>
		({ nodes }: IWorkflowBase) => ({
			...chain(
				manualTrigger({ name: start }),
				...names.flatMap((name) => nodes.filter((node) => node.name === name)),
			),
			pinData: { [start]: [{ json: item }] },
		});

	it('onboard-and-accept.json takes an endpoint that waits to accepted', async () => {
		const request = { dataSourceType: 'MySQL', endpointService: endpointServices.financeLedger.name };
		const way = ['Verify and create', 'Accept as the owner', 'Verify again'];
		const output = await run('onboard-and-accept', simulator.credentials, only('Request', request, ...way));
		expect(output('Verify and create', 'vpc_ep_client_status')).toEqual(['pendingAcceptance']);
		expect(output('Accept as the owner', 'status')).toEqual(['accepted']);
		expect(output('Verify again', 'vpc_ep_client_status')).toEqual(['accepted']);
	});

	it('approve-endpoints.json accepts or rejects what the trigger has given', async () => {
		await run('verify-a-list');
		const { id: endpoint_service_id } = endpointServices.financeLedger;
		const [waiting] = simulator.connectionsOf(endpoint_service_id);
		const endpoint = { ...waiting, endpoint_service_id };
		for (const [node, status] of [
			['Accept', 'accepted'],
			['Reject', 'rejected'],
		] as const) {
			const part = only('One endpoint', endpoint, node);
			const output = await run('approve-endpoints', simulator.credentials, part);
			expect(output(node, 'status')).toEqual([status]);
		}
	});
});

it.each(['onboarding', 'onboard-and-accept'])(
	'The form of %s offers the data source types of the node',
	(name) => {
		const { nodes } = JSON.parse(read(`examples/${name}.json`)) as IWorkflowBase;
		const form = nodes.find(({ type }) => type === 'n8n-nodes-base.formTrigger');
		const { values } = form?.parameters.formFields as {
			values: Array<{ fieldName: string; fieldOptions: { values: Array<{ option: string }> } }>;
		};
		const offered = values.find(({ fieldName }) => fieldName === 'dataSourceType')?.fieldOptions.values;
		const dsType = OUR_TYPES.get(OUR_NODE)?.description.properties.find(({ name }) => name === 'dsType');
		expect(offered?.map(({ option }) => option).sort()).toEqual(dsType && choices(dsType).sort());
	},
);

function choices({ options = [] }: INodeProperties): unknown[] {
	return options.flatMap((option) => ('value' in option ? [option.value] : []));
}

/** Where n8n's editor draws a node with its name, in pixels of the canvas. */
function place({ type, parameters, position: [left, top] }: INode) {
	if (type === STICKY_NOTE) {
		const { width, height } = parameters as { width: number; height: number };
		return { left, top, right: left + width, bottom: top + height };
	}
	const width = type.endsWith('.agent') ? 256 : 96;
	return { left, top, right: left + width, bottom: top + 150 };
}
