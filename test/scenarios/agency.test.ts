import type { IDataObject } from 'n8n-workflow';

import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { endpointServices, type Simulator, type SimulatorOptions, startSimulator } from '../support/cloud';
import { built, helpers, OUR_NODE, testHelpers, transport } from '../support/engine/built';
import { runNode, toItems } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../support/network/scriptedServer';

const { salesWarehouse } = endpointServices;

useNoBackOff();

const started: Array<{ close: () => Promise<void> }> = [];
afterEach(async () => {
	jest.restoreAllMocks();
	await Promise.all(started.splice(0).map(async (server) => await server.close()));
});

describe('an agency of another account', () => {
	/** A new one for each test: the process shares temporary keys and refusals, and their key holds the address of IAM. */
	async function start(options?: SimulatorOptions): Promise<Simulator> {
		const simulator = await startSimulator(options);
		started.push(simulator);
		return simulator;
	}

	async function verify(credential: IDataObject, count: number, maxConcurrency = 20) {
		const result = await runNode(
			{ options: { maxConcurrency } },
			{
				...{ credential, input: toItems(...Array<string>(count).fill(salesWarehouse.name)) },
				onError: 'continueRegularOutput',
			},
		);
		expect(JSON.stringify([result.run, result.error])).not.toContain(credential.secretAccessKey);
		const failed = result.items.filter(({ json }) => json.error);
		return {
			...result,
			failed,
			first: failed[0]?.json as { error: string; details: IDataObject } | undefined,
		};
	}

	it('is asked for temporary keys once for 200 items, 20 in flight, and the next execution', async () => {
		const simulator = await start();
		const { items, failed } = await verify(simulator.agencyCredentials, 200);
		expect([items.length, failed.length]).toEqual([200, 0]);
		expect((await verify(simulator.agencyCredentials, 5)).failed).toEqual([]);
		expect(simulator.agencyCalls).toBe(1);
		expect(simulator.refusedSignatures).toBe(0);
		const { projectId, workspaceId } = simulator.agencyCredentials;
		for (const { path, headers } of simulator.requests.slice(1)) {
			expect(path).toContain(projectId);
			expect(headers).toMatchObject({ 'x-project-id': projectId, 'x-workspace-id': workspaceId });
			expect(headers['x-security-token']).toBeTruthy();
		}
	});

	it('whose temporary keys are revoked in the middle (401) gives new ones once, and no item is lost', async () => {
		const simulator = await start();
		expect((await verify(simulator.agencyCredentials, 1)).failed).toEqual([]);
		simulator.revokeTemporaryKeys();
		expect((await verify(simulator.agencyCredentials, 50)).failed).toEqual([]);
		expect(simulator.agencyCalls).toBe(2);
	});

	it('has temporary keys renewed before they end', async () => {
		const simulator = await start();
		expect((await verify(simulator.agencyCredentials, 1)).failed).toEqual([]);
		// The cloud's clock, and that of signatures, stay as they are.
		const now = performance.now.bind(performance);
		jest.spyOn(performance, 'now').mockImplementation(() => now() + 56 * 60_000);
		expect((await verify(simulator.agencyCredentials, 20)).failed).toEqual([]);
		expect(simulator.agencyCalls).toBe(2);
		expect(simulator.refusedSignatures).toBe(0);
	});

	it('is not asked for with a wrong access key (401) more than once, whatever the agency', async () => {
		const simulator = await start();
		const credential = { ...simulator.agencyCredentials, secretAccessKey: 'not-this-one' };
		const { failed, first } = await verify(credential, 50);
		expect(failed).toHaveLength(50);
		expect(first?.error).toContain('No temporary keys from IAM');
		expect(first?.details.description).toContain("Check 'Access Key ID' and 'Secret Access Key'");
		await verify({ ...credential, agencyName: 'another' }, 5);
		await verify({ ...credential, authentication: 'accessKey' }, 5);
		expect(simulator.refusedSignatures).toBe(1);
	});

	it.each<[string, IDataObject, string, string]>([
		['no such agency (404)', { agencyName: 'nobody' }, 'Could not find agency', "'Agency Name'"],
		['no such account (404)', { agencyAccount: 'nobody' }, 'Could not find domain', "'Agency Account Name'"],
		['an agency that trusts others (403)', { agencyName: 'yearly-audit' }, 'IAM.0002', 'has to trust'],
	])('says what to correct: %s', async (_what, change, what, whatToDo) => {
		const simulator = await start();
		const { failed, first } = await verify({ ...simulator.agencyCredentials, ...change }, 50);
		expect(failed).toHaveLength(50);
		expect(first?.error).toContain('No temporary keys from IAM');
		expect(first?.error).toContain(what);
		expect(first?.details.description).toContain(whatToDo);
		expect(first?.details.outcomeUnknown).toBe(false);
		expect(simulator.agencyCalls).toBe(1);
	});

	it('says which permission the user of the access key lacks (403)', async () => {
		const simulator = await start();
		const { accessKeyId, secretAccessKey } = simulator.readerCredentials;
		const { first } = await verify({ ...simulator.agencyCredentials, accessKeyId, secretAccessKey }, 3);
		expect(first?.error).toContain('iam:agencies:assume');
		expect(first?.details.description).toContain('Agent Operator');
	});

	it('is proven by the credential test, with a workspace and without', async () => {
		const simulator = await start();
		const node = (await built).nodes[OUR_NODE] as DataArtsInsight;
		const test = async (change: object) =>
			await node.methods.credentialTest.dataArtsInsightApiTest.call(testHelpers, {
				...{ id: '1', name: 'Test', type: 'dataArtsInsightApi' },
				data: { ...simulator.agencyCredentials, ...change },
			});
		expect(await test({})).toEqual({
			status: 'OK',
			message: 'The access key, the agency, the project and the workspace were accepted',
		});
		expect((await test({ workspaceId: '' })).message).toContain('accepted by the VPC Endpoint service');
		expect(await test({ agencyName: 'nobody' })).toMatchObject({ status: 'Error' });
	});
});

describe('IAM and a service that misbehave', () => {
	let iam: ScriptedServer;
	let service: ScriptedServer;
	/** What IAM says to the n-th request; temporary keys when left out. */
	let onFetch: (count: number) => ScriptedReply | undefined;
	const keysOf = (number: number) => ({
		access: `AKT-${number}-${callers}`,
		secret: `SKT/secret+of=the&keys ${number}`.replaceAll(' ', '-'),
		securitytoken: `ST-${number}-${'token'.repeat(20)}`,
	});
	let callers = 0;

	beforeEach(async () => {
		callers++;
		onFetch = () => undefined;
		iam = await startScriptedServer(
			(count) => onFetch(count) ?? { status: 201, body: { credential: keysOf(count) } },
		);
		service = await startScriptedServer(() => ({ body: { is_success: true } }));
		started.push(iam, service);
	});

	const SECRET = 'SK-secret/of the+caller';
	const credential = (change: object = {}) => ({
		...{ authentication: 'agency', region: 'custom', baseUrl: service.url, iamUrl: iam.url },
		...{
			accessKeyId: `AK-${callers}`,
			secretAccessKey: SECRET,
			agencyAccount: 'owner',
			agencyName: 'agency',
		},
		...{ projectId: 'p', workspaceId: 'w', ...change },
	});
	const connect = (limits: { signal?: AbortSignal } = {}, change: object = {}) =>
		transport.createClient(transport.readCredential(credential(change)), {
			...{ helpers, timeout: 5_000, maxRetries: 0, ...limits },
		});
	const send = async (call: ReturnType<typeof connect>) =>
		await call({ method: 'POST', doubt: 'It may have acted', path: '/v1/p/x', body: {} }).then(
			() => 'good',
			(error: RequestError) => error,
		);

	it.each<[string, ScriptedReply]>([
		['resets the connection', { end: 'reset' }],
		['answers 500', { status: 500 }],
		['answers 503', { status: 503 }],
	])('IAM that %s is asked again, and no request is lost', async (_how, reply) => {
		onFetch = (count) => (count <= 2 ? reply : undefined);
		const call = connect();
		expect(await Promise.all(Array.from({ length: 20 }, async () => await send(call)))).toEqual(
			Array(20).fill('good'),
		);
		expect(iam.seen).toHaveLength(3);
		expect(service.seen).toHaveLength(20);
	});

	it('two agencies of one access key have keys of their own, at the same time', async () => {
		const [one, other] = [connect(), connect({}, { agencyName: 'other' })];
		expect(await Promise.all([send(one), send(other), send(one), send(other)])).toEqual(
			Array(4).fill('good'),
		);
		expect(iam.seen).toHaveLength(2);
		expect(new Set(service.seen.map(({ headers }) => headers['x-security-token'])).size).toBe(2);
	});

	it('a stopped execution ends while IAM is asked, and sends nothing', async () => {
		onFetch = () => ({ end: 'hang' });
		const stop = new AbortController();
		const call = connect({ signal: stop.signal });
		const sent = Promise.all([send(call), send(call)]);
		while (iam.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		for (const error of await sent) expect(error).toMatchObject({ details: { code: 'CANCELLED' } });
		expect(service.seen).toEqual([]);
		// The next execution is not held up by it.
		onFetch = () => undefined;
		expect(await send(connect())).toBe('good');
	});

	it('a service that refuses (401) whatever keys it gets stops the run after the second', async () => {
		service.reply = () => ({ status: 401, body: { error_code: 'APIGW.0301', error_msg: 'no' } });
		const call = connect();
		for (let i = 0; i < 5; i++) expect(await send(call)).toMatchObject({ details: { httpStatus: 401 } });
		expect(service.seen).toHaveLength(2);
		expect(iam.seen).toHaveLength(2);
	});

	const spellings = (secret: string) => [
		secret,
		secret.toUpperCase(),
		encodeURIComponent(secret),
		encodeURIComponent(encodeURIComponent(secret)),
		Buffer.from(secret).toString('base64'),
		Buffer.from(`x${secret}`).toString('base64url'),
		Buffer.from(secret).toString('hex'),
		JSON.stringify(JSON.stringify(secret)),
		secret.replaceAll('&', '&amp;'),
	];

	it('no secret of the caller or the temporary keys is in an error or response of the service, in any spelling', async () => {
		await send(connect());
		const { secret, securitytoken } = keysOf(1);
		for (const one of [secret, securitytoken, SECRET].flatMap(spellings)) {
			service.reply = () => ({ status: 400, body: { error_code: 'A.1', error_msg: `odd: <${one}>` } });
			const error = (await send(connect())) as RequestError;
			expect(error.message).not.toContain(one);
			expect(error.message).toContain('odd: <');
			service.reply = () => ({ body: { text: one } });
			const item = await connect()({ method: 'GET', path: '/v1/p/x' });
			expect(JSON.stringify(item)).toContain('***');
		}
		expect(iam.seen).toHaveLength(1);
	});

	it('no secret of the caller is in an error of IAM, in any spelling, nor the signature', async () => {
		let said = '';
		iam.reply = (_count, { headers }) => {
			const signature = String(headers.authorization).split('Signature=')[1] ?? '';
			return { status: 400, body: { error: { code: 'IAM.0011', message: `odd: <${said}> <${signature}>` } } };
		};
		for (const [index, one] of spellings(SECRET).entries()) {
			said = one;
			const error = (await send(connect({}, { agencyName: `agency-${index}` }))) as RequestError;
			expect(error.message).not.toContain(one);
			expect(error.message).toMatch(/odd: <.*\*\*\*.*> <\*\*\*>/);
		}
	});

	it.each<[string, object]>([
		['no keys', {}],
		['a line break', { credential: { ...keysOf(1), securitytoken: 'ST\r\nX-Evil: 1' } }],
		['keys of a megabyte', { credential: { ...keysOf(1), securitytoken: 'x'.repeat(900_000) } }],
	])('an answer of IAM with %s sends nothing to the service', async (_what, body) => {
		onFetch = () => ({ status: 201, body });
		expect(await send(connect())).toMatchObject({
			message: 'No temporary keys from IAM: The service answered without temporary keys that can be used',
		});
		expect(service.seen).toEqual([]);
	});
});
