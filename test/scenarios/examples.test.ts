import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';

import { displayParameter, type INode, type INodeProperties, type IWorkflowBase } from 'n8n-workflow';

import { type Simulator, startSimulator } from '../support/cloud';
import { runWorkflow } from '../support/engine';
import { built, OUR_NODE } from '../support/engine/built';
import { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';

const project = resolve(__dirname, '../..');
const STICKY_NOTE = 'n8n-nodes-base.stickyNote';
/** What n8n adds to a node when it offers it as a tool. */
const TOOL_PARAMETERS = ['descriptionType', 'toolDescription'];

const { description } = new DataArtsInsight();
const read = (path: string) => readFileSync(join(project, path), 'utf8');
const names = readdirSync(join(project, 'examples')).map((file) => parse(file).name);

describe.each(names)('examples/%s.json', (name) => {
	const text = read(`examples/${name}.json`);
	const { nodes, connections, settings, pinData = {} } = JSON.parse(text) as IWorkflowBase;
	const notes = nodes.filter(({ type }) => type === STICKY_NOTE);
	const ours = nodes.filter(({ type }) => type === OUR_NODE || type === `${OUR_NODE}Tool`);
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

	it('gives our node only what it knows', () => {
		for (const { type, typeVersion, parameters, credentials } of ours) {
			expect(typeVersion).toBe(description.version);
			expect(Object.keys(credentials ?? {})).toEqual(['dataArtsInsightApi']);
			const known = description.properties.filter((property) =>
				displayParameter(parameters, property, { typeVersion }, description),
			);
			const allowed = known.map((property) => property.name);
			if (type !== OUR_NODE) allowed.push(...TOOL_PARAMETERS);
			expect(allowed).toEqual(expect.arrayContaining(Object.keys(parameters)));
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

	it('is read from left to right; only what waits leads back', () => {
		for (const { from, to } of wires.filter(({ kind }) => kind === 'main')) {
			const [start, end] = [byName.get(from), byName.get(to)];
			if (start?.type === 'n8n-nodes-base.wait') continue;
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
		// The forms that keys, tokens and passwords have; an ID of a service or node is in groups, joined by dashes.
		expect(text).not.toMatch(
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
	beforeEach(async () => (simulator = await startSimulator()));
	afterEach(async () => await simulator.close());

	async function run(name: string) {
		const workflow = JSON.parse(read(`examples/${name}.json`)) as IWorkflowBase;
		const { output, error } = await runWorkflow(workflow, {
			types: await built,
			credentials: { dataArtsInsightApi: simulator.credentials },
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
});

it('The form of onboarding offers the data source types of the node', () => {
	const { nodes } = JSON.parse(read('examples/onboarding.json')) as IWorkflowBase;
	const form = nodes.find(({ type }) => type === 'n8n-nodes-base.formTrigger');
	const { values } = form?.parameters.formFields as {
		values: Array<{ fieldName: string; fieldOptions: { values: Array<{ option: string }> } }>;
	};
	const offered = values.find(({ fieldName }) => fieldName === 'dataSourceType')?.fieldOptions.values;
	const dsType = description.properties.find((property) => property.name === 'dsType');
	expect(offered?.map(({ option }) => option).sort()).toEqual(dsType && choices(dsType).sort());
});

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
