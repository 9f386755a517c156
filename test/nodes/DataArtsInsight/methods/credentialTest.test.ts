import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { DataArtsInsight } from '../../../../nodes/DataArtsInsight/DataArtsInsight.node';
import { built, OUR_NODE, testHelpers } from '../../../support/engine/built';
import { type ScriptedServer, startScriptedServer } from '../../../support/network/scriptedServer';

let service: ScriptedServer;
beforeEach(async () => {
	service = await startScriptedServer(() => ({ body: { is_success: true } }));
});
afterEach(async () => {
	jest.restoreAllMocks();
	await service.close();
});

let count = 0;
/** Another token each time: the process keeps refusals. */
const newCredential = (): ICredentialDataDecryptedObject => ({
	...{ region: 'custom', baseUrl: service.url, token: `MIItoken-${++count}` },
	...{ projectId: 'p', workspaceId: 'w' },
});

const test = async (data?: ICredentialDataDecryptedObject) =>
	await ((await built).nodes[OUR_NODE] as DataArtsInsight).methods.credentialTest.dataArtsInsightApiTest.call(
		testHelpers,
		{
			id: '1',
			name: 'Test',
			type: 'dataArtsInsightApi',
			data,
		},
	);

describe('the test of a credential', () => {
	it('says what is wrong with a value, and what to do, in two sentences', async () => {
		expect(await test({ ...newCredential(), token: '' })).toEqual({
			status: 'Error',
			message:
				"'User Token' in the credential is blank. Open the credential that the node uses and fill in 'User Token'.",
		});
		expect(service.seen).toEqual([]);
	});

	it('says what the service says', async () => {
		service.reply = () => ({ status: 403, body: { error_code: 'DAI.1', error_msg: 'Not yours' } });
		const { status, message } = await test(newCredential());
		expect(status).toBe('Error');
		expect(message).toMatch(/^Not yours \(DAI\.1\)\. .+[^.]\.$/);
	});

	it('of a credential without values says what is missing', async () => {
		expect(await test(undefined)).toMatchObject({
			status: 'Error',
			message: expect.stringContaining("'Project ID' in the credential is blank") as string,
		});
	});

	it('tries once, and tells what nobody foresaw', async () => {
		service.reply = () => ({ status: 503, body: { error_code: 'APIGW.0308', error_msg: 'busy' } });
		expect(await test(newCredential())).toMatchObject({ status: 'Error' });
		expect(service.seen).toHaveLength(1);
		const odd = newCredential();
		Object.defineProperty(odd, 'projectId', {
			get: () => {
				throw new Error('odd');
			},
		});
		expect(await test(odd)).toEqual({ status: 'Error', message: 'Error: odd' });
	});

	it('without a workspace asks the service that owners of endpoint services call, and says what that proves', async () => {
		const owner = { ...newCredential(), baseUrl: '', vpcepUrl: service.url, workspaceId: ' ' };
		expect(await test(owner)).toEqual({
			status: 'OK',
			message:
				"The user token and the project were accepted by the VPC Endpoint service. Without 'Workspace ID' nothing else was tried",
		});
		expect(service.seen).toMatchObject([
			{ method: 'GET', path: '/v1/p/vpc-endpoint-services?limit=1&offset=0' },
		]);
		expect(service.seen[0]?.headers).not.toHaveProperty('x-workspace-id');
	});

	it('without a workspace says which permission a known caller lacks (403)', async () => {
		service.reply = () => ({ status: 403, body: { error_code: 'EndPoint.0004', error_msg: 'Forbidden' } });
		const { status, message } = await test({ ...newCredential(), vpcepUrl: service.url, workspaceId: '' });
		expect(status).toBe('Error');
		expect(message).toContain('The caller is known, but lacks the permission vpcep:epservices:list');
	});

	it('without a workspace, at a custom address, needs that of the service', async () => {
		const { message } = await test({ ...newCredential(), workspaceId: '' });
		expect(message).toContain("'VPC Endpoint URL' in the credential is blank");
	});

	it('names what was proven', async () => {
		expect(await test(newCredential())).toEqual({
			status: 'OK',
			message: 'The user token, the project and the workspace were accepted',
		});
		const key = { authentication: 'accessKey', accessKeyId: `AK-${++count}`, secretAccessKey: 'SK' };
		expect((await test({ ...newCredential(), ...key })).message).toContain('The access key, the project');
	});
});
