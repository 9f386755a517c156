import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { IExecuteFunctions } from 'n8n-workflow';

import { clientReader } from '../../../../nodes/DataArtsInsight/resources/clients';
import { VPC_ENDPOINT } from '../../../../nodes/DataArtsInsight/transport/identity/address';
import { expression, parameterValues } from '../../../support/engine/parameterValues';
import { type ScriptedServer, startScriptedServer } from '../../../support/network/scriptedServer';

let server: ScriptedServer;
beforeAll(async () => (server = await startScriptedServer(() => ({ body: { id: 1 } }))));
afterAll(async () => await server.close());

interface Setting {
	/** What the credential is for each item. */
	values: object[];
	/** What somebody typed into it. */
	written?: object;
	node?: object;
	/** Whether n8n shows a node what it keeps to itself; it does when left out. */
	shows?: boolean;
	signal?: AbortSignal;
	egress?: object;
	parameters?: Record<string, unknown>;
	service?: typeof VPC_ENDPOINT;
}

const stored = { id: '1', name: 'Test' };
const executeData = {};

/** As much of n8n as reading a credential needs. */
async function open({
	values,
	written = {},
	node,
	shows = true,
	signal,
	egress,
	parameters = {},
	service,
}: Setting) {
	const getDecrypted = jest.fn(async () => await Promise.resolve(written));
	const getCredentials = jest.fn(
		async (_name: string, itemIndex: number) =>
			await Promise.resolve({
				region: 'custom',
				baseUrl: server.url,
				token: 'secret-token',
				projectId: 'p',
				workspaceId: 'w',
				...values[itemIndex],
			}),
	);
	const additionalData = { credentialsHelper: { getDecrypted } };
	const context = {
		additionalData: shows ? additionalData : undefined,
		helpers: egress ? { getSecureEgressFilter: () => egress } : {},
		getInputData: () => values.map(() => ({ json: {} })),
		getExecutionCancelSignal: () => signal,
		getNodeParameter: parameterValues(parameters),
		getNode: () => node ?? { credentials: { dataArtsInsightApi: stored } },
		getMode: () => 'trigger',
		getExecuteData: () => executeData,
		getCredentials,
	} as unknown as IExecuteFunctions;
	const readClient = await clientReader(context, { timeout: 5_000, maxRetries: 0 }, service);
	return { readClient, getCredentials, getDecrypted, additionalData };
}

const REQUEST = { method: 'POST', doubt: 'It may have acted', path: '/x', body: {} } as const;

it('the credential of a single item is read once, and n8n is not asked what was written', async () => {
	const { readClient, getCredentials, getDecrypted } = await open({ values: [{}] });
	const client = await readClient(0);
	expect(await readClient(0)).toBe(client);
	expect(client).toMatchObject({ projectId: 'p', place: `${server.url} p w` });
	expect(await client.call(REQUEST)).toEqual({ id: 1 });
	expect(getCredentials.mock.calls).toEqual([['dataArtsInsightApi', 0]]);
	expect(getDecrypted).not.toHaveBeenCalled();
});

it('a credential without an expression is read once for many items', async () => {
	const { readClient, getCredentials, getDecrypted, additionalData } = await open({
		values: [{}, {}, {}],
		written: { projectId: 'p', workspaceId: 'w', allowUnauthorizedCerts: true },
	});
	expect(await readClient(2)).toBe(await readClient(0));
	expect(getCredentials.mock.calls).toEqual([['dataArtsInsightApi', 0]]);
	// As it was written: with its expressions.
	expect(getDecrypted.mock.calls).toEqual([
		[additionalData, stored, 'dataArtsInsightApi', 'trigger', executeData, true],
	]);
});

it('a credential with an expression in one of its fields is read for each item, and equal ones share a client', async () => {
	const { readClient, getCredentials } = await open({
		values: [{}, { workspaceId: 'v' }, {}],
		written: { projectId: 'p', workspaceId: '={{ $json.workspace }}', region: 'custom' },
	});
	const [first, second, third] = [await readClient(0), await readClient(1), await readClient(2)];
	expect(third).toBe(first);
	expect(second.call).not.toBe(first.call);
	expect([first.place, second.place]).toEqual([`${server.url} p w`, `${server.url} p v`]);
	expect(getCredentials).toHaveBeenCalledTimes(3);
});

it.each([
	['since the node names none', { node: {} }],
	['since n8n keeps that to itself', { shows: false }],
])(
	'a credential of which it is unknown what was written is read for each item: %s',
	async (_why, setting) => {
		const { readClient, getCredentials, getDecrypted } = await open({ values: [{}, {}], ...setting });
		expect(await readClient(1)).toBe(await readClient(0));
		expect(getCredentials).toHaveBeenCalledTimes(2);
		expect(getDecrypted).not.toHaveBeenCalled();
	},
);

it('a credential that cannot be used fails whoever asks, and nobody before', async () => {
	const { readClient } = await open({ values: [{ workspaceId: '' }, {}] });
	const message = "'Workspace ID' in the credential is blank";
	await expect(readClient(0)).rejects.toThrow(message);
	await expect(readClient(1)).rejects.toThrow(message);
});

it('the options of an item take the place of its credential, and equal ones share a client', async () => {
	const workspace = ['a', 'b', 'a'];
	const { readClient, getCredentials } = await open({
		values: [{}, {}, {}],
		parameters: {
			options: { workspaceId: '={{ $json.workspace }}', projectId: 'q' },
			'options.workspaceId': expression(workspace, '={{ $json.workspace }}'),
			'options.projectId': 'q',
		},
		written: {},
	});
	const clients = [await readClient(0), await readClient(1), await readClient(2)];
	expect(clients.map(({ place }) => place)).toEqual(workspace.map((id) => `${server.url} q ${id}`));
	expect(clients[2]).toBe(clients[0]);
	expect(getCredentials).toHaveBeenCalledTimes(1);
	const before = server.seen.length;
	await Promise.all(clients.map(async ({ call }) => await call(REQUEST)));
	const seen = server.seen.slice(before).map(({ headers }) => headers['x-workspace-id']);
	expect(seen.sort()).toEqual([...workspace].sort());
});

it.each([
	['projectId', '', "'Project ID' in the options is blank"],
	['projectId', 'a/b', "'Project ID' in the options holds characters that no project ID has"],
	['workspaceId', '', "'Workspace' in the options is blank"],
	['workspaceId', 'a b', "'Workspace' in the options holds a blank"],
])('an option that is no %s, such as "%s", is refused', async (name, value, message) => {
	const { readClient } = await open({
		values: [{}],
		parameters: { options: { [name]: value }, [`options.${name}`]: value },
	});
	await expect(readClient(0)).rejects.toThrow(message);
});

it('the VPC Endpoint service is asked without a workspace, which it does not know', async () => {
	const { readClient } = await open({
		values: [{ vpcepUrl: server.url, workspaceId: '' }],
		parameters: { options: { workspaceId: 'w' }, 'options.workspaceId': 'w' },
		service: VPC_ENDPOINT,
	});
	const before = server.seen.length;
	await (await readClient(0)).call(REQUEST);
	expect(server.seen.slice(before).map(({ headers }) => headers['x-workspace-id'])).toEqual([undefined]);
});

it('a stopped execution sends nothing', async () => {
	const before = server.seen.length;
	const { readClient } = await open({ values: [{}], signal: AbortSignal.abort() });
	await expect((await readClient(0)).call(REQUEST)).rejects.toMatchObject({ details: { code: 'CANCELLED' } });
	expect(server.seen).toHaveLength(before);
});

it('an egress policy is asked, and nothing is sent to a host that it does not allow', async () => {
	const before = server.seen.length;
	const no = async () => await Promise.resolve({ ok: false });
	const egress = { validateUrl: no, validateConnectionHost: no, createSecureLookup: () => () => undefined };
	const { readClient } = await open({ values: [{}], egress });
	await expect((await readClient(0)).call(REQUEST)).rejects.toMatchObject({ details: { code: 'BLOCKED' } });
	expect(server.seen).toHaveLength(before);
});

it('an egress policy is asked once for all workspaces and projects of a credential', async () => {
	const validateUrl = jest.fn(async () => await Promise.resolve({ ok: true }));
	const egress = {
		validateUrl,
		validateConnectionHost: validateUrl,
		createSecureLookup: () => () => undefined,
	};
	const values = ['a', 'b', 'c'].map((id) => ({ workspaceId: id, projectId: id }));
	const { readClient } = await open({ values, written: { workspaceId: '={{ $json.id }}' }, egress });
	const before = server.seen.length;
	for (const index of values.keys()) await (await readClient(index)).call(REQUEST);
	expect(server.seen.slice(before).map(({ headers }) => headers['x-workspace-id'])).toEqual(['a', 'b', 'c']);
	expect(validateUrl).toHaveBeenCalledTimes(1);
});

it.each([
	['by the options', true],
	['by expressions in the credential', false],
])('10,000 workspaces take less than 4 KB each, however long the token is: %s', async (_how, byOption) => {
	const workspaces = Array.from({ length: 10_000 }, (_, index) => `workspace-${index}`);
	const written = '={{ $json.workspace }}';
	const { readClient, getCredentials } = await open({
		values: workspaces.map((workspaceId) => ({
			// Another copy each time, as n8n makes it.
			get token() {
				return Buffer.alloc(8_192, 'x').toString();
			},
			...(byOption ? {} : { workspaceId }),
		})),
		written: byOption ? {} : { workspaceId: written },
		parameters: byOption
			? { options: { workspaceId: written }, 'options.workspaceId': expression(workspaces, written) }
			: {},
	});
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const memory = () => {
		collectGarbage();
		return process.memoryUsage().heapUsed;
	};
	const before = memory();
	for (const index of workspaces.keys()) await readClient(index);
	// The mock keeps whatever it gave.
	getCredentials.mockClear();
	expect(memory() - before).toBeLessThan(10_000 * 4_096);
	expect((await readClient(9_999)).place).toBe(`${server.url} p workspace-9999`);
});
