import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IDataObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	INodeParameters,
	INodeType,
	IWorkflowBase,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import type { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import { built, OUR_NODE } from '../support/engine/built';
import { runWorkflow } from '../support/engine';
import { startScriptedServer } from '../support/network/scriptedServer';
import {
	abnormalWorkspaceId,
	catalogue,
	expiredToken,
	type FaultName,
	loopbackCertificate,
	otherRegionToken,
	type Simulator,
	startSimulator,
	unauthorizedToken,
	unknownToken,
} from '../support/cloud';

let simulator: Simulator;
let node: DataArtsInsight;
let credentialType: DataArtsInsightApi;
beforeAll(async () => {
	simulator = await startSimulator();
	const { nodes, credentials } = await built;
	node = nodes[OUR_NODE] as DataArtsInsight;
	credentialType = credentials.dataArtsInsightApi as DataArtsInsightApi;
});
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

describe('the credential test', () => {
	const test = async (change: object = {}, base: object = simulator.credentials) => {
		const data = { ...base, ...change };
		const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
		const result = await node.methods.credentialTest.dataArtsInsightApiTest.call(
			{} as ICredentialTestFunctions,
			credential,
		);
		expect(JSON.stringify(result)).not.toContain(simulator.credentials.token);
		return result;
	};

	it('is the one that the node names', () => {
		const { description, methods } = node;
		const testedBy = description.credentials?.[0]?.testedBy as string;
		expect(methods.credentialTest).toHaveProperty(testedBy);
	});

	it('lists one connection, which creates nothing', async () => {
		expect((await test()).status).toBe('OK');
		const { projectId } = simulator.credentials;
		expect(simulator.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
			`GET /v1/${projectId}/connections?limit=1&offset=0`,
		]);
		expect(simulator.requests[0]?.headers).not.toHaveProperty('content-type');
	});

	it.each([
		['a wrong token', { token: unknownToken }, 'decrypt token fail', "'User Token'"],
		['an expired token', { token: expiredToken }, 'token expires', "'User Token'"],
		['a token of another region', { token: otherRegionToken }, 'must be updated', 'another region'],
		['a user without permission', { token: unauthorizedToken }, 'not authorized', 'Ask an administrator'],
		['a wrong project', { projectId: 'f'.repeat(32) }, 'project is unavailable', "'Project ID'"],
		['a wrong workspace', { workspaceId: 'f'.repeat(32) }, 'does not exist', "'Workspace ID'"],
		['a workspace out of order', { workspaceId: abnormalWorkspaceId }, 'status is abnormal', 'normal state'],
		['a blank token', { token: ' ' }, "'User Token' in the credential is blank", "fill in 'User Token'"],
		['a path in the address', { baseUrl: 'http://127.0.0.1/v1' }, "'Base URL'", 'leave only the scheme'],
		['a host that is not there', { baseUrl: 'http://127.0.0.1:1' }, 'refused', 'custom address'],
		[
			'a host without a name',
			{ baseUrl: 'https://nowhere.invalid' },
			'could not be resolved',
			'custom address',
		],
	])('tells %s', async (_what, change, what, whatToDo) => {
		const { status, message } = await test(change);
		expect(status).toBe('Error');
		expect(message).toContain(what);
		expect(message).toContain(whatToDo);
		expect(message).not.toContain('endpoint may exist');
	});

	it.each<[FaultName, string]>([
		['sign-in-page', 'without a JSON object'],
		['not-success', 'Verification failed'],
		['redirect', 'redirect'],
		['html-502', 'HTTP status 502'],
	])('is not taken in by %s', async (fault, words) => {
		simulator.failNext(fault);
		const { status, message } = await test();
		expect(status).toBe('Error');
		expect(message).toContain(words);
	});

	it('works with a password and with an access key', async () => {
		expect((await test({}, simulator.passwordCredentials)).status).toBe('OK');
		expect((await test({}, simulator.accessKeyCredentials)).status).toBe('OK');
	});

	it.each<[string, 'passwordCredentials' | 'accessKeyCredentials', object, string]>([
		['a refused login', 'passwordCredentials', { password: 'wrong' }, "'IAM User Name' and 'Password'"],
		[
			'an IAM that is not there',
			'passwordCredentials',
			{ iamUrl: 'http://127.0.0.1:1' },
			'No token from IAM',
		],
		['a blank IAM URL', 'passwordCredentials', { iamUrl: '' }, "'IAM URL' in the credential is blank"],
		['a refused key', 'accessKeyCredentials', { secretAccessKey: 'wrong' }, "'Secret Access Key'"],
		['an unknown key', 'accessKeyCredentials', { accessKeyId: 'UNKNOWN' }, "'Access Key ID'"],
	])('tells %s', async (_what, mode, change, words) => {
		const { status, message } = await test(change, simulator[mode]);
		expect(status).toBe('Error');
		expect(message).toContain(words);
	});

	it('checks the certificate unless told not to', async () => {
		const secure = await startSimulator({ tls: loopbackCertificate });
		const refused = await test({}, secure.credentials);
		const accepted = await test({ allowUnauthorizedCerts: true }, secure.credentials);
		await secure.close();
		expect(refused.message).toContain('certificate is not trusted');
		expect(accepted.status).toBe('OK');
	});
});

describe("n8n's HTTP Request node", () => {
	// One for each test: the process shares tokens and refusals, and their key holds the address of IAM.
	let simulator: Simulator;
	beforeEach(async () => (simulator = await startSimulator()));
	afterEach(async () => await simulator.close());

	/** Asks n8n's helper for what that node asks it for, with a predefined credential type. */
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

	it('sends the token, the workspace and what was asked for', async () => {
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

	it('logs in once with a password, and keeps the token', async () => {
		const { error, items, stored } = await request(simulator.passwordCredentials, { items: 10 });
		expect(error).toBeUndefined();
		expect(items).toHaveLength(10);
		expect(simulator.logins).toBe(1);
		expect(stored.sessionToken).toBeTruthy();
		await request(stored);
		expect(simulator.logins).toBe(1);
	});

	it('logs in again when the service no longer takes the token', async () => {
		const { stored } = await request(simulator.passwordCredentials);
		simulator.revokeTokens();
		const { error, items } = await request(stored);
		expect(error).toBeUndefined();
		expect(items).toHaveLength(1);
	});

	it('never uses a token that was fetched with another password', async () => {
		const { stored } = await request(simulator.passwordCredentials);
		simulator.reset();
		const { error } = await request({ ...stored, password: 'changed' });
		expect(error?.message).toContain('No token from IAM');
		const tokens = simulator.requests.map(({ headers }) => headers['x-auth-token']).filter(Boolean);
		expect(tokens).toEqual([]);
	});

	it('does not try a refused login again for each item', async () => {
		const { error } = await request({ ...simulator.passwordCredentials, password: 'wrong' }, { items: 10 });
		expect(error?.message).toContain('No token from IAM');
		expect(simulator.logins).toBe(1);
	});

	it('tells of an IAM that cannot be reached, without the password', async () => {
		const { error } = await request({ ...simulator.passwordCredentials, iamUrl: 'http://127.0.0.1:9' });
		expect(error?.message).toContain('No token from IAM: No connection to 127.0.0.1:9: it was refused');
	});

	it('signs a query in the address, one beside it, and text as it is', async () => {
		const { headers, ...signed } = await credentialType.authenticate(simulator.accessKeyCredentials, {
			url: '/v1/p/x?b=2',
			baseURL: simulator.url,
			method: 'PUT',
			qs: { a: [1, 'é ü'] },
			body: 'text',
		});
		expect(signed).toMatchObject({
			url: expect.stringContaining('/v1/p/x?b=2&a=1&a=%C3%A9%20%C3%BC') as string,
			qs: {},
			body: 'text',
		});
		expect(headers).not.toHaveProperty('Content-Type');
		expect(headers?.Authorization).toContain('SignedHeaders=host;x-project-id;x-sdk-date;x-workspace-id');
	});

	it('leaves a content type alone, and an empty body of a GET out', async () => {
		const authenticate = async (options: object) =>
			await credentialType.authenticate(simulator.accessKeyCredentials, {
				url: `${simulator.url}/x`,
				...options,
			});
		const own = await authenticate({ method: 'POST', body: { a: 1 }, headers: { 'content-type': 'text/x' } });
		expect(own).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'text/x' } });
		expect(own.headers).not.toHaveProperty('Content-Type');
		expect((await authenticate({ body: {} })).body).toBeUndefined();
	});

	it('signs requests with and without a body', async () => {
		const listed = await request(simulator.accessKeyCredentials);
		expect(listed.error).toBeUndefined();
		const { webShop } = catalogue;
		const body = { ds_type: 'MySQL', vpc_ep_server_name: webShop.name };
		const { items, error } = await request(simulator.accessKeyCredentials, { body });
		expect(error).toBeUndefined();
		expect(items[0]?.json.vpc_ep_client_status).toBe('accepted');
	});

	it.each([{ form: {} }, { formData: {} }, { body: Buffer.from('x') }])(
		'does not sign what it cannot: %j',
		async (part) => {
			const options = { url: `${simulator.url}/`, ...part } as IHttpRequestOptions;
			const sign = async () => await credentialType.authenticate(simulator.accessKeyCredentials, options);
			await expect(sign).rejects.toThrow('cannot be signed');
		},
	);

	/** Another host, which must not hear of the credential. */
	async function stranger() {
		const server = await startScriptedServer(() => ({}));
		return server;
	}

	it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const)(
		'sends nothing to a host that is not the one of the credential: %s',
		async (mode) => {
			const other = await stranger();
			const { error } = await request({ ...simulator[mode] }, { url: `${other.url}/v1/p/connections` });
			expect(error?.message).toContain(`The credential is not for ${new URL(other.url).host}`);
			expect(other.seen).toEqual([]);
			await other.close();
		},
	);

	it.each(['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const)(
		'follows no redirect to another host: %s',
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

	it('sends a POST once that may have created something, with a password too', async () => {
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

	it('lets a wrong access key be refused once, for any number of items and executions', async () => {
		const credential = { ...simulator.accessKeyCredentials, secretAccessKey: 'wrong' };
		for (let i = 0; i < 2; i++) {
			const { error } = await request({ ...credential }, { items: 10 });
			expect(error?.message).toContain('verify aksk signature fail');
		}
		expect(simulator.refusedSignatures).toBe(1);
	});

	it('signs a path with a bare percent sign', async () => {
		const { error } = await request(
			{ ...simulator.accessKeyCredentials },
			{ url: `${simulator.url}/v1/${simulator.credentials.projectId}/100%` },
		);
		// No such API, but a good signature.
		expect(error?.message).not.toContain('URI malformed');
		expect(simulator.refusedSignatures).toBe(0);
	});
});

it.each([true, false])(
	'logs in without following a redirect, and checks the certificate (ignored: %s)',
	async (ignored) => {
		const asked: IHttpRequestOptions[] = [];
		const httpRequest = async (options: IHttpRequestOptions) => {
			asked.push(options);
			return await Promise.resolve({
				statusCode: 302,
				headers: { location: 'https://elsewhere.example.com' },
				body: '',
			});
		};
		const credential = {
			...simulator.passwordCredentials,
			allowUnauthorizedCerts: ignored,
			username: `user-${ignored}`,
		};
		const login = credentialType.preAuthentication.call({ helpers: { httpRequest } }, credential);
		await expect(login).rejects.toThrow('No token from IAM');
		expect(asked).toMatchObject([
			{ method: 'POST', disableFollowRedirect: true, skipSslCertificateValidation: ignored, timeout: 30_000 },
		]);
	},
);

describe.each(['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const)(
	'with %s a request that names two addresses',
	(kind) => {
		it('goes to the one that was looked at', async () => {
			const { baseUrl } = simulator.credentials;
			const options = {
				uri: `${baseUrl}/v1/x`,
				url: 'https://evil.example.com/x',
				baseURL: 'https://evil.example.com',
			};
			const signed = await credentialType.authenticate(simulator[kind], options);
			expect(signed).toMatchObject({ uri: `${baseUrl}/v1/x`, url: undefined, baseURL: undefined });
		});
	},
);
