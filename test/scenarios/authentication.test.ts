import type { IDataObject } from 'n8n-workflow';

import {
	endpointServices,
	iamUsers,
	type Simulator,
	type SimulatorOptions,
	startSimulator,
	temporaryKey,
} from '../support/cloud';
import { toItems, runNode } from '../support/engine/runNode';

const { salesWarehouse } = endpointServices;
const items = (count: number) => toItems(...Array<string>(count).fill(salesWarehouse.name));

const simulators: Simulator[] = [];
// A new one for each test: tokens are shared by the whole process, and their key holds the address of IAM.
async function start(options?: SimulatorOptions) {
	const simulator = await startSimulator(options);
	simulators.push(simulator);
	return simulator;
}
afterEach(
	async () => await Promise.all(simulators.splice(0).map(async (simulator) => await simulator.close())),
);

const posts = ({ requests }: Simulator) => requests.filter(({ path }) => path.endsWith('/vpc-endpoint'));

async function verify(
	credential: IDataObject,
	count: number,
	{ maxConcurrency = 20, signal }: { maxConcurrency?: number; signal?: AbortSignal } = {},
) {
	const result = await runNode(
		{ options: { maxConcurrency } },
		{ credential, input: items(count), onError: 'continueRegularOutput', signal },
	);
	const everything = JSON.stringify([result.run, result.error]);
	for (const secret of ['password', 'secretAccessKey', 'securityToken']) {
		if (credential[secret]) expect(everything).not.toContain(JSON.stringify(credential[secret]).slice(1, -1));
	}
	const failed = result.items.filter(({ json }) => json.error);
	return { ...result, failed, first: failed[0]?.json as { error: string; details: IDataObject } | undefined };
}

describe('password login (IAM)', () => {
	it('one login serves 200 items, 20 in flight, and the next execution', async () => {
		const simulator = await start();
		const { items, failed } = await verify(simulator.passwordCredentials, 200);
		expect([items.length, failed.length]).toEqual([200, 0]);
		expect(simulator.logins).toBe(1);
		await verify(simulator.passwordCredentials, 5);
		expect(simulator.logins).toBe(1);
		expect(posts(simulator)).toHaveLength(205);
	});

	it('a token that is revoked in the middle (401) causes one more login and costs no item', async () => {
		const simulator = await start({ latency: 5 });
		const watch = setInterval(() => {
			if (posts(simulator).length < 60) return;
			clearInterval(watch);
			simulator.revokeTokens();
		}, 1);
		const { failed } = await verify(simulator.passwordCredentials, 200);
		expect(failed).toEqual([]);
		expect(simulator.logins).toBe(2);
	});

	it('a token that expires during the run costs no item', async () => {
		const simulator = await start({ tokenLifetime: 2_000, latency: 50 });
		const { failed } = await verify(simulator.passwordCredentials, 120, { maxConcurrency: 2 });
		expect(failed).toEqual([]);
		expect(simulator.logins).toBeGreaterThan(1);
	});

	it('a wrong password (401) is sent once for 200 items, and not in the next execution', async () => {
		const simulator = await start();
		const credential = { ...simulator.passwordCredentials, password: 'not-this-one' };
		const { failed, first } = await verify(credential, 200);
		expect(failed).toHaveLength(200);
		expect(first?.error).toContain('No token from IAM');
		expect(first?.details).toMatchObject({ httpStatus: 401, outcomeUnknown: false });
		expect(first?.details.description).toContain("'IAM User Name' and 'Password'");
		expect(first?.details.description).toContain('not tried again for 15 minutes');
		await verify(credential, 5);
		expect(simulator.logins).toBe(1);
		expect(posts(simulator)).toEqual([]);

		// Corrected, it works at once.
		expect((await verify(simulator.passwordCredentials, 2)).failed).toEqual([]);
	});

	it.each([
		['a user who may only use the console', iamUsers.consoleOnly, 'programmatic access'],
		['a user who is disabled', iamUsers.disabled, 'disabled'],
	])('the error says that the login is of %s', async (_who, user, words) => {
		const simulator = await start();
		const { first } = await verify({ ...simulator.passwordCredentials, ...user }, 3);
		expect(first?.details.description).toContain(words);
		expect(simulator.logins).toBe(1);
	});

	it('the error names a locked account (IAM.0061)', async () => {
		const simulator = await start();
		for (let i = 0; i < 5; i++) await verify({ ...simulator.passwordCredentials, password: `wrong-${i}` }, 1);
		const { first } = await verify(simulator.passwordCredentials, 1);
		expect(first?.error).toContain('IAM.0061');
		expect(first?.details.description).toContain('Wait 15 minutes');
	});

	it('a token that the service always refuses (401) causes two logins for 200 items', async () => {
		const [iam, service] = [await start(), await start()];
		const credential = { ...iam.passwordCredentials, baseUrl: service.url };
		const { failed, first } = await verify(credential, 200);
		expect(failed).toHaveLength(200);
		expect(first?.details.description).toContain('does not take the token that IAM gave');
		expect(iam.logins).toBe(2);
		expect(posts(service).length).toBeLessThanOrEqual(40);
	});

	it('two credentials never use the token of the other, even in parallel', async () => {
		const [one, other] = [await start({ latency: 2 }), await start({ latency: 2 })];
		const runs = await Promise.all([
			verify(one.passwordCredentials, 100),
			verify(other.passwordCredentials, 100),
		]);
		expect(runs.flatMap(({ failed }) => failed)).toEqual([]);
		const tokens = ({ requests }: Simulator) =>
			new Set(requests.map(({ headers }) => headers['x-auth-token']));
		const seen = tokens(other);
		expect([...tokens(one)].filter((token) => token && seen.has(token))).toEqual([]);
		expect([one.logins, other.logins]).toEqual([1, 1]);
	});

	it('the error says that IAM refused the connection', async () => {
		const simulator = await start();
		const credential = { ...simulator.passwordCredentials, iamUrl: 'http://127.0.0.1:9' };
		const { error } = await runNode({ options: { maxRetries: 0 } }, { credential, input: items(2) });
		expect(error?.message).toBe('No token from IAM: No connection to 127.0.0.1:9: it was refused');
		expect(posts(simulator)).toEqual([]);
	});
});

describe('access key (AK/SK)', () => {
	it('every request has a signature, and none a token', async () => {
		const simulator = await start();
		const { failed } = await verify(simulator.accessKeyCredentials, 100);
		expect(failed).toEqual([]);
		expect(posts(simulator)).toHaveLength(100);
		for (const { headers } of posts(simulator)) {
			expect(headers['x-auth-token']).toBeUndefined();
			expect(headers.authorization).toMatch(/^SDK-HMAC-SHA256 Access=/);
		}
	});

	it('a temporary access key works with its security token', async () => {
		const simulator = await start();
		const { failed } = await verify({ ...simulator.accessKeyCredentials, ...temporaryKey }, 3);
		expect(failed).toEqual([]);
	});

	it.each([
		['secretAccessKey', 'not-this-one'],
		['accessKeyId', 'NOTTHISONE'],
	])('a wrong %s (401) is sent once for 200 items', async (field, value) => {
		const simulator = await start();
		const { failed, first } = await verify({ ...simulator.accessKeyCredentials, [field]: value }, 200);
		expect(failed).toHaveLength(200);
		expect(posts(simulator)).toHaveLength(1);
		expect(first?.details.description).toContain("'Access Key ID' and 'Secret Access Key'");
	});

	it.each([
		[20, 'slow'],
		[-20, 'fast'],
	])('the error names a clock skew of %d minutes', async (minutes, words) => {
		const simulator = await start({ clockOffset: minutes * 60_000 });
		const { first } = await verify(simulator.accessKeyCredentials, 3);
		expect(first?.details.description).toContain(`clock of the machine that runs n8n is 20 minutes ${words}`);
	});

	it('a reset of the first request holds up no other', async () => {
		const simulator = await start();
		simulator.failNext('connection-reset');
		const { failed } = await verify(simulator.accessKeyCredentials, 10);
		expect(failed).toHaveLength(1);
	});
});
