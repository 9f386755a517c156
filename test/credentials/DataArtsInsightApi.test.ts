import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IExecuteFunctions,
	INodeType,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import { dataArtsInsightApiTest } from '../../credentials/credentialTest';
import { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import { runWorkflow } from '../harness';
import {
	abnormalWorkspaceId,
	expiredToken,
	type FaultName,
	loopbackCertificate,
	otherRegionToken,
	type Simulator,
	startSimulator,
	unauthorizedToken,
	unknownToken,
} from '../simulator';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

describe('the credential test', () => {
	const test = async (change: object = {}, base: object = simulator.credentials) => {
		const data = { ...base, ...change };
		const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
		const result = await dataArtsInsightApiTest.call({} as ICredentialTestFunctions, credential);
		expect(JSON.stringify(result)).not.toContain(simulator.credentials.token);
		return result;
	};

	it('is the one that the node names', () => {
		const { description, methods } = new DataArtsInsight();
		const testedBy = description.credentials?.[0]?.testedBy as keyof typeof methods.credentialTest;
		expect(methods.credentialTest[testedBy]).toBe(dataArtsInsightApiTest);
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
		['a host that is not there', { baseUrl: 'http://127.0.0.1:1' }, 'refused', "'Base URL'"],
		['a host without a name', { baseUrl: 'https://nowhere.invalid' }, 'could not be resolved', "'Base URL'"],
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
	/** Does what that node does with a predefined credential type. */
	class HttpRequest implements INodeType {
		description: INodeType['description'] = {
			displayName: 'HTTP Request',
			name: 'httpRequest',
			group: ['output'],
			version: 1,
			description: '',
			defaults: {},
			inputs: [NodeConnectionTypes.Main],
			outputs: [NodeConnectionTypes.Main],
			credentials: [{ name: 'dataArtsInsightApi', required: true }],
			properties: [],
		};

		async execute(this: IExecuteFunctions) {
			const { baseUrl, projectId } = simulator.credentials;
			const json = (await this.helpers.httpRequestWithAuthentication.call(this, 'dataArtsInsightApi', {
				url: `${baseUrl}/v1/${projectId}/connections`,
				headers: { 'X-Other': 'kept' },
				json: true,
			})) as { count: number };
			return [[{ json, pairedItem: { item: 0 } }]];
		}
	}

	it('can use the credential for another API of the service', async () => {
		const base = { typeVersion: 1, position: [0, 0] as [number, number], parameters: {} };
		const { output, error } = await runWorkflow(
			{
				nodes: [
					{ ...base, id: '1', name: 'Start', type: 'n8n-nodes-base.manualTrigger' },
					{
						...base,
						id: '2',
						name: 'HTTP Request',
						type: 'test.httpRequest',
						credentials: { dataArtsInsightApi: { id: '1', name: 'Test' } },
					},
				],
				connections: { Start: { main: [[{ node: 'HTTP Request', type: 'main', index: 0 }]] } },
			},
			{
				types: {
					nodes: { 'test.httpRequest': new HttpRequest() },
					credentials: { dataArtsInsightApi: new DataArtsInsightApi() },
				},
				credentials: {
					dataArtsInsightApi: { ...simulator.credentials, token: ` ${simulator.credentials.token}\n` },
				},
			},
		);
		expect(error).toBeUndefined();
		expect(output('HTTP Request')[0]?.[0]?.json).toMatchObject({ count: 0 });
		expect(simulator.requests[0]?.headers).toMatchObject({
			'x-auth-token': simulator.credentials.token,
			'x-workspace-id': simulator.credentials.workspaceId,
			'x-other': 'kept',
		});
	});
});
