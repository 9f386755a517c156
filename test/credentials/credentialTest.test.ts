import type { ICredentialDataDecryptedObject, ICredentialTestFunctions } from 'n8n-workflow';

import { accessKeyHeaders, credentialText, tokenHeaders } from '../../credentials/authentication';
import { dataArtsInsightApiTest } from '../../credentials/credentialTest';
import { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { type ScriptedServer, startScriptedServer } from '../network/scriptedServer';

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
	await dataArtsInsightApiTest.call({} as ICredentialTestFunctions, {
		id: '1',
		name: 'Test',
		type: 'dataArtsInsightApi',
		data,
	});

describe('the test of a credential', () => {
	it('lists one connection, which creates nothing', async () => {
		expect(await test(newCredential())).toMatchObject({ status: 'OK' });
		expect(service.seen).toMatchObject([
			{
				...{ method: 'GET', path: '/v1/p/connections?limit=1&offset=0' },
				headers: { 'x-auth-token': `MIItoken-${count}`, 'x-workspace-id': 'w' },
			},
		]);
	});

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

describe('the type of the credential', () => {
	it("adds to a request of n8n's HTTP Request node what proves the caller", async () => {
		const options = { url: `${service.url}/x` };
		expect(await new DataArtsInsightApi().authenticate(newCredential(), options)).toMatchObject({
			url: `${service.url}/x`,
			headers: { 'X-Auth-Token': `MIItoken-${count}`, 'X-Workspace-Id': 'w' },
		});
	});

	it('has nothing to get ready for a user token', async () => {
		const helper = { helpers: { httpRequest: async () => await Promise.reject(new Error('asked')) } };
		expect(await new DataArtsInsightApi().preAuthentication.call(helper, newCredential())).toEqual({});
	});

	it('looks as it does in the light and in the dark', () => {
		expect(new DataArtsInsightApi().icon).toEqual({
			light: expect.stringMatching(/^file:.*\.svg$/) as string,
			dark: expect.stringMatching(/^file:.*dark\.svg$/) as string,
		});
	});

	it('asks for each secret where its way of proving the caller needs it, hidden', () => {
		const { properties } = new DataArtsInsightApi();
		const shown = (name: string) => properties.find((one) => one.name === name)?.displayOptions?.show;
		expect(shown('token')).toEqual({ authentication: ['token'] });
		expect(shown('password')).toEqual({ authentication: ['password'] });
		expect(shown('secretAccessKey')).toEqual({ authentication: ['accessKey'] });
		expect(shown('baseUrl')).toEqual({ region: ['custom'] });
		expect(shown('iamUrl')).toEqual({ region: ['custom'], authentication: ['password'] });
		const hidden = properties.filter(({ typeOptions }) => typeOptions?.password).map(({ name }) => name);
		expect(hidden).toEqual(['token', 'password', 'secretAccessKey', 'securityToken', 'sessionToken']);
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
