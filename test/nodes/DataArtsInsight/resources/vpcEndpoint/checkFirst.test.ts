import type { IExecuteFunctions } from 'n8n-workflow';

import { checkReader } from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/checkFirst';
import type { VerifyRequest } from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/verifyRequest';
import { parameterValues } from '../../../../support/engine/parameterValues';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../../../../support/network/scriptedServer';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';

let server: ScriptedServer;
beforeEach(async () => (server = await startScriptedServer(() => ({ body: { id: ID } }))));
afterEach(async () => await server.close());

function open({ on = true, signal = undefined as AbortSignal | undefined } = {}) {
	const getCredentials = jest.fn(async () => {
		const credential = { region: 'custom', baseUrl: server.url, vpcepUrl: server.url };
		return await Promise.resolve({ ...credential, token: 'secret-token', projectId: 'p' });
	});
	const context = {
		helpers: {},
		getInputData: () => [{ json: {} }],
		getExecutionCancelSignal: () => signal,
		getNodeParameter: parameterValues({ options: { checkFirst: on }, 'options.checkFirst': on }),
		getCredentials,
	} as unknown as IExecuteFunctions;
	const read = checkReader(context, { timeout: 5_000, maxRetries: 0 });
	const check = async (request: Omit<VerifyRequest, 'ds_type'>) =>
		await (
			await read(0, { ds_type: 'DWS', ...request })
		)?.();
	return { read, check, getCredentials };
}

const byName = { vpc_ep_server_name: 'r.sales' };
const refusal = (status: number, error_code?: string): ScriptedReply => ({ status, body: { error_code } });

/** The error of a check for which the service answers so. */
async function failure(reply: ScriptedReply, request: Omit<VerifyRequest, 'ds_type'> = byName) {
	server.reply = () => reply;
	const { check } = open();
	const error = (await check(request).catch((thrown: unknown) => thrown)) as Error & { description: string };
	const first = error.message;
	await check(request).catch(() => undefined);
	return { ...error, message: first, description: error.description, requests: server.seen.length };
}

it('off, it makes no client and reads no credential', async () => {
	const { read, getCredentials } = open({ on: false });
	expect(await read(0, { ds_type: 'DWS', ...byName })).toBeUndefined();
	expect(getCredentials).not.toHaveBeenCalled();
});

it.each([
	['the name', byName, 'endpoint_service_name=r.sales'],
	['the ID', { vpc_ep_server_id: ID }, `id=${ID}`],
	['the name, where both are given', { ...byName, vpc_ep_server_id: ID }, 'endpoint_service_name=r.sales'],
])('asks for %s, once', async (_what, request, query) => {
	const { check } = open();
	await Promise.all([check(request), check(request)]);
	await check(request);
	expect(server.seen.map(({ path }) => path)).toEqual([`/v1/p/vpc-endpoint-services/describe?${query}`]);
});

it.each([
	[400, 'EndPoint.2003'],
	[400, 'EndPoint.3062'],
	[404, 'EndPoint.0005'],
	[404, 'EndPoint.9999'],
])('%i with %s says that there is none, and is not asked again', async (status, code) => {
	const { message, requests } = await failure(refusal(status, code));
	expect(message).toBe("There is no endpoint service with the name 'r.sales', so nothing was created");
	expect(requests).toBe(1);
});

it.each([
	[400, 'EndPoint.2004'],
	[403, 'EndPoint.0004'],
	[404, 'APIGW.0101'],
	[404, 'APIG.0103'],
	[404, undefined],
	[500, 'EndPoint.0001'],
])('%i with %s says nothing of the endpoint service, and is asked again', async (status, code) => {
	const { message, description, requests } = await failure(refusal(status, code));
	expect(message).toMatch(/^The endpoint service was not checked, so nothing was created: /);
	expect(description).toContain("To do without the check, remove 'Check First' from the options");
	expect(requests).toBe(2);
});

it.each([
	['an answer without an ID', { body: {} }, "without the 'id' of an endpoint service"],
	['a lost connection', { end: 'reset' } as const, 'was lost'],
])('%s is no check', async (_what, reply, reason) => {
	const { message, requests } = await failure(reply);
	expect(message).toMatch(/^The endpoint service was not checked, so nothing was created: /);
	expect(message).toContain(reason);
	expect(requests).toBe(2);
});

it('403 names the permission, whoever refuses', async () => {
	for (const code of ['EndPoint.0004', 'APIGW.0302', undefined]) {
		expect((await failure(refusal(403, code))).description).toContain('the permission vpcep:epservices:get');
	}
	expect((await failure(refusal(403, 'APIGW.0310'))).description).toContain('cannot be used with this token');
});

it('a name that is that of another ID is refused, and a long one is cut', async () => {
	const request = { vpc_ep_server_name: 'n'.repeat(200), vpc_ep_server_id: 'other' };
	const { message, description } = await failure({ body: { id: ID } }, request);
	expect(message).toBe(
		`The endpoint service '${'n'.repeat(128)}' has the ID ${ID} and not other, so nothing was created`,
	);
	expect(description).toBe("Correct 'Endpoint Service Name' or 'Endpoint Service ID'");
	await expect(open().check({ ...byName, vpc_ep_server_id: ID.toUpperCase() })).resolves.toBeUndefined();
});

it('a stopped execution is called that', async () => {
	const { check } = open({ signal: AbortSignal.abort() });
	await expect(check(byName)).rejects.toMatchObject({
		message: expect.not.stringContaining('not checked') as string,
		details: { code: 'CANCELLED' },
	});
	expect(server.seen).toEqual([]);
});
