import type { ICredentialsDecrypted } from 'n8n-workflow';

import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import { built, OUR_NODE, testHelpers } from '../support/engine/built';
import { useSimulator } from '../support/engine/runOnSimulator';
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
} from '../support/cloud';

let simulator: Simulator;
let node: DataArtsInsight;
useSimulator((started) => (simulator = started));
beforeAll(async () => (node = (await built).nodes[OUR_NODE] as DataArtsInsight));

describe('the credential test', () => {
	const test = async (change: object = {}, base: object = simulator.credentials) => {
		const data = { ...base, ...change };
		const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
		const result = await node.methods.credentialTest.dataArtsInsightApiTest.call(testHelpers, credential);
		expect(JSON.stringify(result)).not.toContain(simulator.credentials.token);
		return result;
	};

	it('is the one that the node names', () => {
		const { description, methods } = node;
		const testedBy = description.credentials?.[0]?.testedBy as string;
		expect(methods.credentialTest).toHaveProperty(testedBy);
	});

	it('is one GET, which creates nothing', async () => {
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
		['a refused connection', { baseUrl: 'http://127.0.0.1:1' }, 'refused', 'custom address'],
		[
			'a host name that DNS does not know',
			{ baseUrl: 'https://nowhere.invalid' },
			'could not be resolved',
			'custom address',
		],
	])('says what is wrong: %s', async (_what, change, what, whatToDo) => {
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
	])('fails for the response %s', async (fault, words) => {
		simulator.failNext(fault);
		const { status, message } = await test();
		expect(status).toBe('Error');
		expect(message).toContain(words);
	});

	it('passes with a password login and with an access key', async () => {
		expect((await test({}, simulator.passwordCredentials)).status).toBe('OK');
		expect((await test({}, simulator.accessKeyCredentials)).status).toBe('OK');
	});

	it.each<[string, 'passwordCredentials' | 'accessKeyCredentials', object, string]>([
		['a refused login (401)', 'passwordCredentials', { password: 'wrong' }, "'IAM User Name' and 'Password'"],
		[
			'IAM with a refused connection',
			'passwordCredentials',
			{ iamUrl: 'http://127.0.0.1:1' },
			'No token from IAM',
		],
		['a blank IAM URL', 'passwordCredentials', { iamUrl: '' }, "'IAM URL' in the credential is blank"],
		[
			'a refused access key (401)',
			'accessKeyCredentials',
			{ secretAccessKey: 'wrong' },
			"'Secret Access Key'",
		],
		['an unknown access key (401)', 'accessKeyCredentials', { accessKeyId: 'UNKNOWN' }, "'Access Key ID'"],
	])('says what is wrong: %s', async (_what, mode, change, words) => {
		const { status, message } = await test(change, simulator[mode]);
		expect(status).toBe('Error');
		expect(message).toContain(words);
	});

	it('checks the TLS certificate unless Ignore SSL Issues is on', async () => {
		const secure = await startSimulator({ tls: loopbackCertificate });
		const refused = await test({}, secure.credentials);
		const accepted = await test({ allowUnauthorizedCerts: true }, secure.credentials);
		await secure.close();
		expect(refused.message).toContain('certificate is not trusted');
		expect(accepted.status).toBe('OK');
	});
});
