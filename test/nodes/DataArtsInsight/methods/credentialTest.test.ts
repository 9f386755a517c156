import type { ICredentialDataDecryptedObject, ICredentialTestFunctions } from 'n8n-workflow';

import {
	accessKeyHeaders,
	credentialText,
	tokenHeaders,
} from '../../../../nodes/DataArtsInsight/transport/identity/headers';
import type { DataArtsInsightApi } from '../../../../credentials/DataArtsInsightApi.credentials';
import type { DataArtsInsight } from '../../../../nodes/DataArtsInsight/DataArtsInsight.node';
import { built, OUR_NODE } from '../../../support/engine/built';
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
		{} as ICredentialTestFunctions,
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
			message: expect.stringContaining("'Workspace ID' in the credential is blank") as string,
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
});

it('looks as it does in the light and in the dark', async () => {
	// n8n turns the paths of the files into addresses.
	const { iconUrl } = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi & {
		iconUrl: object;
	};
	expect(iconUrl).toEqual({
		light: expect.stringMatching(/dataArtsInsight\.svg$/) as string,
		dark: expect.stringMatching(/dataArtsInsight\.dark\.svg$/) as string,
	});
});

describe('what a credential holds', () => {
	it('is text without what was pasted along, and anything else is blank', () => {
		const values = { a: ' x\n', b: 42, c: true, d: '' };
		const texts = ['a', 'b', 'c', 'd', 'e'].map((field) => credentialText(values, field));
		expect(texts).toEqual(['x', '', '', '', '']);
	});

	it('goes into these headers', () => {
		expect(tokenHeaders('t', 'w')).toEqual({ 'X-Auth-Token': 't', 'X-Workspace-Id': 'w' });
		expect(accessKeyHeaders('p', 'w')).toEqual({ 'X-Project-Id': 'p', 'X-Workspace-Id': 'w' });
	});
});
