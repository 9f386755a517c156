import { MemoryCredentials } from '../support/engine/host';
import { startCountingService } from '../support/cloud/countingService';
import { type Simulator, startSimulator } from '../support/cloud';
import { runNode } from '../support/engine/runNode';

let simulator: Simulator;
let reads: jest.SpyInstance;
beforeAll(async () => (simulator = await startSimulator()));
beforeEach(() => {
	simulator.reset();
	reads = jest.spyOn(MemoryCredentials.prototype, 'getDecrypted');
});
afterEach(() => reads.mockRestore());
afterAll(async () => await simulator.close());

/** What was POSTed: project, workspace and the name of the endpoint service. */
const posts = () =>
	simulator.requests
		.filter(({ path }) => path.endsWith('/vpc-endpoint'))
		.map(({ path, headers, body }) => [
			path.split('/')[2],
			headers['x-workspace-id'],
			(JSON.parse(body) as Record<string, string>).vpc_ep_server_name,
		]);

const items = (count: number, groups = count) =>
	Array.from({ length: count }, (_, index) => ({
		name: `cn-north-4.item-${index}`,
		project: `project-${index % groups}`,
		workspace: `workspace-${index % groups}`,
	}));

describe('a credential with expressions', () => {
	const change = { projectId: '={{ $json.project }}', workspaceId: '={{ $json.workspace }}' };

	it('is resolved for each item: each POST has its own project and workspace', async () => {
		const input = items(30);
		await runNode(
			{},
			{
				credential: { ...simulator.credentials, ...change },
				input,
				onError: 'continueRegularOutput',
			},
		);
		const expected = input.map(({ project, workspace, name }) => [project, workspace, name]);
		expect(posts().sort()).toEqual(expected.sort());
	});

	it('leads to one login for equal values, however many items there are', async () => {
		const { projectId, workspaceId } = simulator.credentials;
		const { items: out } = await runNode(
			{ vpcEpServerName: 'cn-north-4.sales-warehouse.6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb' },
			{
				credential: { ...simulator.passwordCredentials, workspaceId: '={{ $json.workspace }}' },
				input: Array.from({ length: 20 }, () => ({ project: projectId, workspace: workspaceId })),
				onError: 'continueRegularOutput',
			},
		);
		expect(out).toHaveLength(20);
		expect(simulator.logins).toBe(1);
	});

	it('fails only the items for which it is invalid', async () => {
		const { projectId, workspaceId } = simulator.credentials;
		const input = [
			{ name: 'a', project: projectId, workspace: workspaceId },
			{ name: 'b', project: '../elsewhere', workspace: workspaceId },
			{ name: 'c', project: projectId, workspace: '' },
			{ name: 'd', project: projectId, workspace: workspaceId },
		];
		const { items: out } = await runNode(
			{},
			{
				credential: { ...simulator.credentials, ...change },
				input,
				onError: 'continueRegularOutput',
			},
		);
		expect(out[1]?.json).toMatchObject({
			error: "'Project ID' in the credential holds characters that no project ID has",
			details: { code: 'INVALID_INPUT', outcomeUnknown: false },
		});
		expect(out[2]?.json.error).toBe("'Workspace ID' in the credential is blank");
		expect(posts().map(([, , name]) => name)).toEqual(['a', 'd']);
	});
});

describe('a credential without expressions', () => {
	it.each([1, 50])('is read once for %d items', async (count) => {
		await runNode(
			{},
			{
				credential: simulator.credentials,
				input: items(count, 1),
				onError: 'continueRegularOutput',
			},
		);
		expect(posts()).toHaveLength(count);
		const resolved = reads.mock.calls.filter((call: unknown[]) => call[5] !== true);
		expect(resolved).toHaveLength(1);
		// Whether it holds an expression matters only where there are several items.
		expect(reads).toHaveBeenCalledTimes(count === 1 ? 1 : 2);
	});

	it('that is invalid fails every item, and nothing is sent', async () => {
		const { items: out } = await runNode(
			{},
			{
				credential: { ...simulator.credentials, workspaceId: '' },
				input: items(3, 1),
				onError: 'continueRegularOutput',
			},
		);
		expect(out.map(({ json }) => json.error)).toEqual(
			Array(3).fill("'Workspace ID' in the credential is blank"),
		);
		expect(simulator.requests).toEqual([]);
	});
});

it.each([
	['is sent again where the project differs', '(Math.random() * 1000).toFixed()', 2],
	['is not sent again where the project is the same', '"p"', 1],
])('Retry On Fail with an expression for the project: a success %s', async (_which, project, attempts) => {
	const service = await startCountingService();
	service.reply = (name, attempt) => (name === 'bad' && attempt === 1 ? '500' : 'good');
	// Another value for each evaluation of the expression, so for each try.
	let evaluated = 0;
	const random = jest.spyOn(Math, 'random').mockImplementation(() => evaluated++ / 1_000);
	await runNode(
		{ options: { maxConcurrency: 1 } },
		{
			credential: {
				...service.credentials,
				projectId: `={{ ${project} }}`,
			},
			input: [{ name: 'bad' }, { name: 'good' }],
			onError: 'continueRegularOutput',
			settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
		},
	);
	random.mockRestore();
	expect(Object.fromEntries(service.posts)).toEqual({ bad: 2, good: attempts });
	await service.close();
});
