import type { ICredentialsDecrypted, IDataObject } from 'n8n-workflow';

import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import type { RequestError as RequestErrorType } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { built, helpers, OUR_NODE, testHelpers, transport } from '../support/engine/built';
import { type Simulator, startSimulator, unknownToken } from '../support/cloud';
import { toItems, runNode } from '../support/engine/runNode';

const { createClient, readCredential } = transport;

let simulator: Simulator;
beforeEach(async () => (simulator = await startSimulator()));
afterEach(async () => {
	jest.restoreAllMocks();
	await simulator.close();
});

/** What a service must hear of a caller whom it refuses: one login, one signature, one token. */
const refusedCount = () =>
	simulator.logins +
	simulator.refusedSignatures +
	simulator.requests.filter(({ headers }) => headers['x-auth-token'] === unknownToken).length;

const run = async (credential: IDataObject, settings: object = {}) =>
	await runNode(
		{ options: { maxConcurrency: 20 } },
		{ credential, input: toItems(...Array<string>(30).fill('cn-north-4.x')), settings },
	);

async function testCredential(data: IDataObject) {
	const { dataArtsInsightApiTest } = ((await built).nodes[OUR_NODE] as DataArtsInsight).methods
		.credentialTest;
	const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
	return await dataArtsInsightApiTest.call(testHelpers, credential);
}

/** One call, and the error that it ends with. */
const callOnce = async (credential: IDataObject) => {
	const call = createClient(readCredential(credential as never), { helpers, timeout: 5_000, maxRetries: 0 });
	return await call({ method: 'GET', path: `/v1/${simulator.credentials.projectId}/connections` }).then(
		() => undefined,
		(error: RequestErrorType) => error,
	);
};

describe.each<[string, () => IDataObject, IDataObject]>([
	['user token', () => ({ ...simulator.credentials, token: unknownToken }), { token: 'MIIother' }],
	[
		'login',
		() => ({ ...simulator.passwordCredentials, password: 'wrong-1' }),
		{ password: 'Harbour-Lantern-4721' },
	],
	[
		'access key',
		() => ({ ...simulator.accessKeyCredentials, secretAccessKey: 'wrong-1' }),
		{ secretAccessKey: 'simulated-secret-access-key-0000000001' },
	],
])('a refused %s (401)', (what, credential, correction) => {
	it('is sent once for all items, Retry On Fail, executions and the credential test', async () => {
		const retrying = { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 };
		expect((await run(credential(), retrying)).error).toBeDefined();
		expect((await run(credential(), retrying)).error).toBeDefined();
		const { status, message } = await testCredential(credential());
		expect(status).toBe('Error');
		expect(message).toContain(`Nothing was sent: the same ${what} was refused`);
		expect(message).toContain('not tried again for 15 minutes');
		// A token locks nothing, so its first calls go side by side.
		expect(refusedCount()).toBeLessThanOrEqual(what === 'user token' ? 20 : 1);
	});

	it('is not sent again for another project or workspace, or without a check of the TLS certificate', async () => {
		for (let i = 0; i < 6; i++) {
			const change = {
				projectId: `project-${i}`,
				workspaceId: `w-${i}`,
				allowUnauthorizedCerts: i % 2 === 0,
			};
			expect((await callOnce({ ...credential(), ...change }))?.details).toMatchObject({
				httpStatus: 401,
				outcomeUnknown: false,
			});
		}
		expect(refusedCount()).toBe(1);
	});

	it('is sent at once when the credential has changed', async () => {
		await callOnce(credential());
		const before = simulator.requests.length;
		await callOnce({ ...credential(), ...correction });
		expect(simulator.requests.length).toBeGreaterThan(before);
	});

	it('is sent again after 15 minutes, and not before', async () => {
		const [now, date] = [performance.now.bind(performance), Date.now.bind(Date)];
		let passed = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
		jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
		await callOnce(credential());
		passed = 14 * 60_000 + 50_000;
		await callOnce(credential());
		expect(refusedCount()).toBe(1);
		passed = 15 * 60_000 + 1_000;
		await callOnce(credential());
		expect(refusedCount()).toBe(2);
	});

	it('is sent again when the clock was set', async () => {
		const date = Date.now.bind(Date);
		await callOnce(credential());
		jest.spyOn(Date, 'now').mockImplementation(() => date() + 20 * 60_000);
		await callOnce(credential());
		expect(refusedCount()).toBe(2);
	});
});

it.each(['credentials', 'accessKeyCredentials', 'passwordCredentials'] as const)(
	'403 for a project does not count as a refused credential: %s',
	async (mode) => {
		simulator.failNext('apigw-0302');
		if (mode === 'passwordCredentials') {
			// Logged in already.
			simulator.reset();
			await callOnce(simulator[mode]);
			simulator.failNext('apigw-0302');
		}
		expect((await callOnce(simulator[mode]))?.details.httpStatus).toBe(403);
		expect(await callOnce(simulator[mode])).toBeUndefined();
	},
);
