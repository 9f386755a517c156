import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IDataObject, IExecuteFunctions, INodeParameters, INodeType, IWorkflowBase } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import type { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { built } from '../support/engine/built';
import { runWorkflow } from '../support/engine';
import { startScriptedServer } from '../support/network/scriptedServer';
import { endpointServices, type Simulator, startSimulator } from '../support/cloud';

let credentialType: DataArtsInsightApi;
beforeAll(async () => (credentialType = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi));

describe("n8n's HTTP Request node", () => {
	// One for each test: the process shares tokens and refusals, and their key holds the address of IAM.
	let simulator: Simulator;
	beforeEach(async () => (simulator = await startSimulator()));
	afterEach(async () => await simulator.close());

	/** Calls n8n's helper as that node does with a predefined credential type. */
	class HttpRequest implements INodeType {
		description: INodeType['description'] = {
			displayName: 'HTTP Request',
			name: 'httpRequest',
			group: ['output'],
			version: 4.2,
			description: '',
			defaults: {},
			inputs: [NodeConnectionTypes.Main],
			outputs: [NodeConnectionTypes.Main],
			credentials: [{ name: 'dataArtsInsightApi', required: true }],
			// What is not declared here, n8n leaves out.
			properties: [
				{ displayName: 'URL', name: 'url', type: 'string', default: '' },
				{ displayName: 'Query', name: 'queryParameters', type: 'json', default: {} },
				{ displayName: 'Body', name: 'body', type: 'json', default: '' },
			],
		};

		async execute(this: IExecuteFunctions) {
			const requests = this.getInputData().map(async (_, item) => {
				const { parameters = [] } = this.getNodeParameter('queryParameters', item, {}) as {
					parameters?: Array<{ name: string; value: string }>;
				};
				const body = (this.getNodeParameter('body', item) || undefined) as IDataObject | undefined;
				const json = (await this.helpers.requestWithAuthentication.call(this, 'dataArtsInsightApi', {
					uri: this.getNodeParameter('url', item) as string,
					method: body ? 'POST' : 'GET',
					qs: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
					headers: { 'X-Other': 'kept' },
					body,
					json: true,
				})) as IDataObject;
				return { json, pairedItem: { item } };
			});
			return [await Promise.all(requests)];
		}
	}

	const example = JSON.parse(
		readFileSync(join(__dirname, '../../examples/list-connections.json'), 'utf8'),
	) as IWorkflowBase;
	const nodeName = 'List data connections';

	/** Runs the example with another address, and with another body if there is one. */
	async function request(
		credential: IDataObject,
		{ items = 1, body, url }: { items?: number; body?: IDataObject; url?: string } = {},
	) {
		const { baseUrl, projectId } = simulator.credentials;
		const path = body ? 'connections/vpc-endpoint' : 'connections';
		const change = {
			url: url ?? `${baseUrl}/v1/${projectId}/${path}`,
			...(body && { body, queryParameters: {} }),
		};
		const nodes = example.nodes.map((node) =>
			node.name === nodeName
				? { ...node, parameters: { ...node.parameters, ...change } as INodeParameters }
				: node,
		);
		const stored = { dataArtsInsightApi: credential as never };
		const { output, error, run } = await runWorkflow(
			{ ...example, nodes },
			{
				types: {
					nodes: { 'n8n-nodes-base.httpRequest': new HttpRequest() },
					credentials: { dataArtsInsightApi: credentialType },
				},
				credentials: stored,
				input: Array<IDataObject>(items).fill({}),
			},
		);
		if (credential.password) {
			expect(JSON.stringify([run, error])).not.toContain(JSON.stringify(credential.password));
		}
		return { items: output(nodeName)[0] ?? [], error, stored: stored.dataArtsInsightApi as IDataObject };
	}

	it('sends the token, the workspace, and its own query and headers', async () => {
		const { items, error } = await request({
			...simulator.credentials,
			token: ` ${simulator.credentials.token}\n`,
		});
		expect(error).toBeUndefined();
		expect(items[0]?.json).toMatchObject({ count: 0 });
		expect(simulator.requests).toMatchObject([
			{
				path: expect.stringContaining('limit=10&offset=0') as string,
				headers: {
					'x-auth-token': simulator.credentials.token,
					'x-workspace-id': simulator.credentials.workspaceId,
					'x-other': 'kept',
				},
			},
		]);
	});

	it('password login: logs in once and keeps the token', async () => {
		const { error, items, stored } = await request(simulator.passwordCredentials, { items: 10 });
		expect(error).toBeUndefined();
		expect(items).toHaveLength(10);
		expect(simulator.logins).toBe(1);
		expect(stored.sessionToken).toBeTruthy();
		await request(stored);
		expect(simulator.logins).toBe(1);
	});

	it('password login: logs in again when the service refuses the token (401)', async () => {
		const { stored } = await request(simulator.passwordCredentials);
		simulator.revokeTokens();
		const { error, items } = await request(stored);
		expect(error).toBeUndefined();
		expect(items).toHaveLength(1);
	});

	it('password login: never uses a token of another password', async () => {
		const { stored } = await request(simulator.passwordCredentials);
		simulator.reset();
		const { error } = await request({ ...stored, password: 'changed' });
		expect(error?.message).toContain('No token from IAM');
		const tokens = simulator.requests.map(({ headers }) => headers['x-auth-token']).filter(Boolean);
		expect(tokens).toEqual([]);
	});

	it('password login: a refused login (401) is not sent again for each item', async () => {
		const { error } = await request({ ...simulator.passwordCredentials, password: 'wrong' }, { items: 10 });
		expect(error?.message).toContain('No token from IAM');
		expect(simulator.logins).toBe(1);
	});

	it('password login: the error names IAM that refused the connection, without the password', async () => {
		const { error } = await request({ ...simulator.passwordCredentials, iamUrl: 'http://127.0.0.1:9' });
		expect(error?.message).toContain('No token from IAM: No connection to 127.0.0.1:9: it was refused');
	});

	it('access key: signs requests with and without a body', async () => {
		const listed = await request(simulator.accessKeyCredentials);
		expect(listed.error).toBeUndefined();
		const { webShop } = endpointServices;
		const body = { ds_type: 'MySQL', vpc_ep_server_name: webShop.name };
		const { items, error } = await request(simulator.accessKeyCredentials, { body });
		expect(error).toBeUndefined();
		expect(items[0]?.json.vpc_ep_client_status).toBe('accepted');
	});

	const ownConnections = () => `${simulator.url}/v1/${simulator.agencyCredentials.projectId}/connections`;

	it('agency: gets temporary keys once, and n8n keeps nothing of them', async () => {
		const { error, items, stored } = await request(simulator.agencyCredentials, {
			...{ items: 10, url: ownConnections() },
		});
		expect(error).toBeUndefined();
		expect(items).toHaveLength(10);
		expect(simulator.agencyCalls).toBe(1);
		expect(stored.sessionToken ?? '').toBe('');
		expect(JSON.stringify(stored)).not.toContain('TEMPORARY');
	});

	it('agency: gets new keys when the service refuses those at hand (401), and sends the request again', async () => {
		const { stored } = await request(simulator.agencyCredentials, { url: ownConnections() });
		simulator.revokeTemporaryKeys();
		for (let i = 0; i < 2; i++) {
			const { error, items } = await request(stored, { url: ownConnections() });
			expect(error).toBeUndefined();
			expect(items).toHaveLength(1);
		}
		expect(simulator.agencyCalls).toBe(2);
	});

	it('agency: works with a credential that held a password, and sends nothing of its old token', async () => {
		const { stored } = await request(simulator.passwordCredentials);
		simulator.reset();
		const { error, items } = await request(
			{ ...stored, ...simulator.agencyCredentials, password: undefined },
			{ url: ownConnections() },
		);
		expect(error).toBeUndefined();
		expect(items).toHaveLength(1);
		const tokens = simulator.requests.map(({ headers }) => headers['x-auth-token']).filter(Boolean);
		expect(tokens).toEqual([]);
	});

	it('agency: no retry of a POST after 500, as it may have acted', async () => {
		let posts = 0;
		const service = await startScriptedServer((_count, { method }) => {
			if (method === 'POST') posts++;
			return method === 'POST' ? { status: 500 } : {};
		});
		const credential = { ...simulator.agencyCredentials, baseUrl: service.url };
		const url = `${service.url}/v1/p/connections/vpc-endpoint`;
		expect((await request(credential, { url, body: { ds_type: 'DWS' } })).error).toBeDefined();
		expect(posts).toBe(1);
		await service.close();
	});

	it('agency: a wrong access key is refused once (401), for any number of items and executions', async () => {
		const credential = { ...simulator.agencyCredentials, secretAccessKey: 'wrong' };
		for (let i = 0; i < 2; i++) {
			const { error } = await request({ ...credential }, { items: 10, url: ownConnections() });
			expect(error?.message).toContain('verify aksk signature fail');
		}
		expect(simulator.refusedSignatures).toBe(1);
	});

	/** Another host, which must not hear of the credential. */
	async function stranger() {
		const server = await startScriptedServer(() => ({}));
		return server;
	}

	it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials', 'agencyCredentials'] as const)(
		'sends no credential to another host: %s',
		async (mode) => {
			const other = await stranger();
			const { error } = await request({ ...simulator[mode] }, { url: `${other.url}/v1/p/connections` });
			expect(error?.message).toContain(`The credential is not for ${new URL(other.url).host}`);
			expect(other.seen).toEqual([]);
			await other.close();
		},
	);

	it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials', 'agencyCredentials'] as const)(
		'does not follow a redirect to another host: %s',
		async (mode) => {
			const other = await stranger();
			const service = await startScriptedServer((_count, { path }) =>
				path.includes('limit=1&') ? {} : { status: 302, headers: { Location: `${other.url}/x` } },
			);
			const { error } = await request(
				{ ...simulator[mode], baseUrl: service.url },
				{ url: `${service.url}/v1/p/connections` },
			);
			expect(error?.message).toContain('302');
			expect(other.seen).toEqual([]);
			await other.close();
			await service.close();
		},
	);

	it('password login: no retry of a POST after 500, as it may have acted', async () => {
		let posts = 0;
		const service = await startScriptedServer((_count, { method }) => {
			if (method === 'POST') posts++;
			return method === 'POST' ? { status: 500 } : {};
		});
		const credential = { ...simulator.passwordCredentials, baseUrl: service.url };
		const { error } = await request(credential, {
			url: `${service.url}/v1/p/connections/vpc-endpoint`,
			body: { ds_type: 'DWS' },
		});
		expect(error).toBeDefined();
		expect(posts).toBe(1);
		await service.close();
	});

	it('access key: a wrong one is refused once (401), for any number of items and executions', async () => {
		const credential = { ...simulator.accessKeyCredentials, secretAccessKey: 'wrong' };
		for (let i = 0; i < 2; i++) {
			const { error } = await request({ ...credential }, { items: 10 });
			expect(error?.message).toContain('verify aksk signature fail');
		}
		expect(simulator.refusedSignatures).toBe(1);
	});

	it('access key: signs a path with a bare percent sign', async () => {
		const { error } = await request(
			{ ...simulator.accessKeyCredentials },
			{ url: `${simulator.url}/v1/${simulator.credentials.projectId}/100%` },
		);
		// No such API, but a good signature.
		expect(error?.message).not.toContain('URI malformed');
		expect(simulator.refusedSignatures).toBe(0);
	});
});
