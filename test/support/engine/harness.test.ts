import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
	NodeConnectionTypes,
	NodeOperationError,
	type ICredentialType,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type INodeType,
} from 'n8n-workflow';

import { loadPackage, runWorkflow, type EngineTypes, type RunOptions } from '.';
import { manualTrigger, node, outputsTo } from './workflow';

type Execute = (this: IExecuteFunctions) => Promise<INodeExecutionData[][]>;

const tinyApi: ICredentialType = {
	name: 'tinyApi',
	displayName: 'Tiny API',
	properties: [
		{ displayName: 'Host', name: 'host', type: 'string', default: 'tiny.example.com' },
		{ displayName: 'User', name: 'user', type: 'string', default: '' },
		{ displayName: 'Custom', name: 'custom', type: 'boolean', default: false },
		{
			displayName: 'Path',
			name: 'path',
			type: 'string',
			default: '/',
			displayOptions: { show: { custom: [true] } },
		},
		{
			displayName: 'Token',
			name: 'token',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
	],
};

function tinyTypes(execute: Execute, credential = tinyApi): EngineTypes {
	const tiny: INodeType = {
		description: {
			displayName: 'Tiny',
			name: 'tiny',
			group: ['transform'],
			version: 1,
			description: '',
			defaults: {},
			inputs: [NodeConnectionTypes.Main],
			outputs: [NodeConnectionTypes.Main],
			credentials: [{ name: 'tinyApi' }],
			properties: [
				{ displayName: 'Text', name: 'text', type: 'string', default: 'as default' },
				{ displayName: 'Needed', name: 'needed', type: 'string', default: 'given', required: true },
			],
		},
		execute,
	};
	return { nodes: { 'test.tiny': tiny }, credentials: { tinyApi: credential } };
}

/** Start -> Tiny -> Done, and Failed on Tiny's second branch. */
function tinyWorkflow(more: Partial<INode> = {}, doneMore: Partial<INode> = {}) {
	return {
		nodes: [
			node('Note', 'n8n-nodes-base.stickyNote'),
			manualTrigger(),
			node('Tiny', 'test.tiny', { credentials: { tinyApi: { id: '1', name: 'Tiny' } }, ...more }),
			node('Done', 'n8n-nodes-base.noOp', doneMore),
			node('Failed', 'n8n-nodes-base.noOp'),
		],
		connections: { Start: outputsTo(['Tiny']), Tiny: outputsTo(['Done'], ['Failed']) },
	};
}

function runTiny(execute: Execute, more: Partial<INode> = {}, options: Partial<RunOptions> = {}) {
	return runWorkflow(tinyWorkflow(more), { types: tinyTypes(execute), ...options });
}

/** Emits the parameter `text`, as each item sees it. */
const emitText: Execute = function () {
	const texts = this.getInputData().map((_, item) => ({
		json: { text: this.getNodeParameter('text', item) as string },
		pairedItem: { item },
	}));
	return Promise.resolve([texts]);
};

function jsonOf(items: INodeExecutionData[] | undefined): IDataObject[] | undefined {
	return items?.map(({ json }) => json);
}

describe('a run', () => {
	const input = [{ name: 'Ada' }, { name: 'Bob' }];

	it('evaluates expressions for each item', async () => {
		const parameters = { text: '=Hello {{ $json.name.toUpperCase() }}' };
		const { run, output, error } = await runTiny(emitText, { parameters }, { input });
		expect(error).toBeUndefined();
		expect(run.status).toBe('success');
		expect(jsonOf(output('Done')[0])).toEqual([{ text: 'Hello ADA' }, { text: 'Hello BOB' }]);
	});

	it('fills in the defaults of parameters and leaves the workflow as it was', async () => {
		const workflow = tinyWorkflow();
		const { output } = await runWorkflow(workflow, { types: tinyTypes(emitText) });
		expect(jsonOf(output('Tiny')[0])).toEqual([{ text: 'as default' }]);
		expect(workflow).toEqual(tinyWorkflow());
	});

	it('keeps track of where an item comes from', async () => {
		const reverse: Execute = async function () {
			const [items = []] = await emitText.call(this);
			return [items.reverse()];
		};
		const types = tinyTypes(reverse);
		types.nodes['test.after'] = { ...types.nodes['test.tiny'], execute: emitText } as INodeType;
		const text = "={{ $('Start').item.json.name }}";
		const workflow = tinyWorkflow({}, { type: 'test.after', parameters: { text } });
		const { output } = await runWorkflow(workflow, { types, input });
		expect(output('Tiny')[0]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 1 }, { item: 0 }]);
		expect(jsonOf(output('Done')[0])).toEqual([{ text: 'Bob' }, { text: 'Ada' }]);
	});

	it('starts at an enabled trigger in the mode asked for', async () => {
		const tellMode: Execute = function () {
			return Promise.resolve([[{ json: { mode: this.getMode() } }]]);
		};
		const { nodes, connections } = tinyWorkflow();
		nodes.unshift(node('Off', 'n8n-nodes-base.scheduleTrigger', { disabled: true }));
		const { output } = await runWorkflow(
			{ nodes, connections },
			{ types: tinyTypes(tellMode), mode: 'trigger' },
		);
		expect(output('Off')).toEqual([]);
		expect(jsonOf(output('Tiny')[0])).toEqual([{ mode: 'trigger' }]);
	});

	it('is refused when it cannot begin', async () => {
		const types = tinyTypes(emitText);
		const { nodes, connections } = tinyWorkflow();
		const unknown = [...nodes, node('Odd', 'test.odd')];
		await expect(runWorkflow({ nodes: unknown, connections }, { types })).rejects.toThrow('test.odd');
		await expect(runWorkflow({ nodes: [], connections: {} }, { types })).rejects.toThrow('trigger');
		await expect(runTiny(emitText, { parameters: { needed: '' } })).rejects.toThrow('issues');
	});

	it('tells a node that did not run from one that is not there', async () => {
		const { output } = await runTiny(emitText);
		expect(output('Failed')).toEqual([]);
		expect(() => output('Fialed')).toThrow('Fialed');
	});
});

describe('a failure', () => {
	const fail: Execute = function () {
		return Promise.reject(new NodeOperationError(this.getNode(), 'Nothing works', { itemIndex: 0 }));
	};

	it('stops the workflow and is returned', async () => {
		const { run, output, error } = await runTiny(fail);
		expect(run.status).toBe('error');
		expect(error).toMatchObject({ name: 'NodeOperationError', message: 'Nothing works' });
		expect(output('Done')).toEqual([]);
	});

	it('lets the input through with Continue', async () => {
		const input = [{ n: 1 }];
		const { error, output } = await runTiny(fail, { onError: 'continueRegularOutput' }, { input });
		expect(error).toBeUndefined();
		expect(jsonOf(output('Done')[0])).toEqual([{ n: 1 }]);
	});

	it('of an item goes to the error branch with the fields of its input', async () => {
		const failOdd: Execute = function () {
			const items = this.getInputData().map(({ json }, item) => ({
				json: Number(json.n) % 2 ? { error: 'odd', details: { code: 7 } } : { ok: json.n },
				pairedItem: { item },
			}));
			return Promise.resolve([items]);
		};
		const input = [{ n: 0 }, { n: 1 }, { n: 2 }];
		const { output } = await runTiny(failOdd, { onError: 'continueErrorOutput' }, { input });
		expect(jsonOf(output('Done')[0])).toEqual([{ ok: 0 }, { ok: 2 }]);
		expect(jsonOf(output('Failed')[0])).toEqual([{ n: 1, error: 'odd', details: { code: 7 } }]);
	});

	it('is tried again with Retry On Fail', async () => {
		let tries = 0;
		const failOnce: Execute = async function () {
			return await (++tries === 1 ? fail : emitText).call(this);
		};
		const { error, output } = await runTiny(failOnce, { retryOnFail: true, waitBetweenTries: 1 });
		expect(tries).toBe(2);
		expect(error).toBeUndefined();
		expect(output('Done')[0]).toHaveLength(1);
	});
});

describe('cancelling', () => {
	it('reaches the node and ends the run', async () => {
		const stop = new AbortController();
		const wait: Execute = function () {
			return new Promise((resolve) => {
				this.getExecutionCancelSignal()?.addEventListener('abort', () => resolve([[{ json: {} }]]));
				stop.abort();
			});
		};
		const { run, output, error } = await runTiny(wait, {}, { signal: stop.signal });
		expect(run.status).toBe('canceled');
		expect(error?.message).toContain('cancelled');
		expect(output('Done')).toEqual([]);
	});

	it('beforehand runs nothing', async () => {
		const { run, output } = await runTiny(emitText, {}, { signal: AbortSignal.abort() });
		expect(run.status).toBe('canceled');
		expect(output('Start')).toEqual([]);
	});
});

describe('credentials', () => {
	const emitCredentials: Execute = async function () {
		const items = this.getInputData().map(async (_, item) => ({
			json: await this.getCredentials<IDataObject>('tinyApi', item),
		}));
		return [await Promise.all(items)];
	};

	it('come with defaults and expressions, without fields that the form hides', async () => {
		const credentials = { tinyApi: { user: '={{ $json.name }}', path: '/hidden' } };
		const input = [{ name: 'Ada' }, { name: 'Bob' }];
		const { output } = await runTiny(emitCredentials, {}, { credentials, input });
		const rest = { host: 'tiny.example.com', custom: false, token: '' };
		expect(jsonOf(output('Tiny')[0])).toEqual([
			{ user: 'Ada', ...rest },
			{ user: 'Bob', ...rest },
		]);
	});

	it('must be given', async () => {
		const { error } = await runTiny(emitCredentials);
		expect(error?.message).toContain('tinyApi');
	});

	describe('against a service', () => {
		let valid = '';
		let logins = 0;
		const server = createServer((request, response) => {
			const ok = request.headers.authorization === `Bearer ${valid}`;
			response.writeHead(ok ? 200 : 401, { 'content-type': 'application/json' });
			response.end(JSON.stringify({ url: request.url }));
		});
		let url = '';
		beforeAll(async () => {
			await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
			url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
		});
		afterAll(() => server.close());
		beforeEach(() => {
			valid = 'token1';
			logins = 0;
		});

		const login: ICredentialType = {
			...tinyApi,
			authenticate: {
				type: 'generic',
				properties: {
					headers: { Authorization: '=Bearer {{ $credentials.token }}' },
					qs: { user: '={{ $credentials.user }}' },
				},
			},
			preAuthentication: () => Promise.resolve({ token: `token${++logins}` }),
		};
		const call: Execute = async function () {
			const request = { url, json: true };
			const json: unknown = await this.helpers.httpRequestWithAuthentication.call(this, 'tinyApi', request);
			return [[{ json: json as IDataObject }]];
		};
		const callAs = (credentials: RunOptions['credentials'], type = login) =>
			runWorkflow(tinyWorkflow(), { types: tinyTypes(call, type), credentials });

		it('log in when the token is empty, and keep it for the next run', async () => {
			const credentials = { tinyApi: { user: 'Ada' } };
			const runs = [await callAs(credentials), await callAs(credentials)];
			for (const { output } of runs) expect(jsonOf(output('Tiny')[0])).toEqual([{ url: '/?user=Ada' }]);
			expect(logins).toBe(1);
			expect(credentials.tinyApi).toEqual({ user: 'Ada', token: 'token1' });
		});

		it('log in again when the token was refused', async () => {
			const { error } = await callAs({ tinyApi: { token: 'expired' } });
			expect(error).toBeUndefined();
			expect(logins).toBe(1);
		});

		it('never log in without an expirable field', async () => {
			const properties = tinyApi.properties.filter(({ type }) => type !== 'hidden');
			const { error } = await callAs({ tinyApi: {} }, { ...login, properties });
			expect(error).toMatchObject({ httpCode: '401' });
			expect(logins).toBe(0);
		});

		it('are signed by the function of the type', async () => {
			const authenticate: ICredentialType['authenticate'] = (_credentials, request) =>
				Promise.resolve({ ...request, headers: { Authorization: 'Bearer token1' } });
			const { error } = await callAs({ tinyApi: { token: 'other' } }, { ...login, authenticate });
			expect(error).toBeUndefined();
		});
	});
});

describe('loadPackage', () => {
	const folder = mkdtempSync(join(tmpdir(), 'tiny-package-'));
	afterAll(() => rmSync(folder, { recursive: true }));

	it('finds the nodes and credentials that package.json names', async () => {
		mkdirSync(join(folder, 'dist'));
		const files = {
			'package.json': JSON.stringify({
				name: 'n8n-nodes-tiny',
				version: '1.0.0',
				n8n: { nodes: ['dist/Tiny.node.js'], credentials: ['dist/TinyApi.credentials.js'] },
			}),
			'dist/Tiny.node.js': `exports.Tiny = class {
				description = { name: 'tiny', version: 1, properties: [], credentials: [{ name: 'tinyApi' }] };
				execute() {}
			};`,
			'dist/TinyApi.credentials.js': `exports.TinyApi = class { name = 'tinyApi'; properties = []; };`,
		};
		for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
		const { nodes, credentials } = await loadPackage(folder);
		expect(nodes['n8n-nodes-tiny.tiny']?.description.name).toBe('tiny');
		expect(credentials.tinyApi?.supportedNodes).toEqual(['tiny']);
	});

	it('fails when the package is not there', async () => {
		await expect(loadPackage(join(folder, 'none'))).rejects.toThrow('ENOENT');
	});
});
