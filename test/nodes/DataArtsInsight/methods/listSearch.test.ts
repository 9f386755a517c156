import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { searchEndpointServices } from '../../../../nodes/DataArtsInsight/methods/listSearch';
import { type ScriptedServer, startScriptedServer } from '../../../support/network/scriptedServer';
import { fixBackOff } from '../../../support/network/backOff';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';

let server: ScriptedServer;
beforeEach(async () => {
	server = await startScriptedServer(() => ({ body: { endpoint_services: [], total_count: 0 } }));
});
afterEach(async () => {
	jest.restoreAllMocks();
	await server.close();
});

interface Setting {
	credential?: object;
	/** What is thrown in place of a credential. */
	thrown?: unknown;
	egress?: object;
	/** `options.projectId` as it stands in the form. */
	projectId?: unknown;
}

async function search(
	filter?: string,
	token?: string,
	{ credential, thrown, egress, projectId }: Setting = {},
) {
	const read = {
		region: 'custom',
		baseUrl: server.url,
		vpcepUrl: server.url,
		token: 'secret-token',
		projectId: 'p',
		workspaceId: 'w',
		...credential,
	};
	const context = {
		helpers: egress ? { getSecureEgressFilter: () => egress } : {},
		getCurrentNodeParameter: (name: string) => (name === 'options.projectId' ? projectId : undefined),
		getNode: () => ({ id: '1', name: 'Node', type: 'x', typeVersion: 1, position: [0, 0], parameters: {} }),
		getCredentials:
			thrown === undefined ? jest.fn().mockResolvedValue(read) : jest.fn().mockRejectedValue(thrown),
	} as unknown as ILoadOptionsFunctions;
	return await searchEndpointServices.call(context, filter, token);
}

/** The form shows these of an error. */
const failure = async (setting: Setting = {}) =>
	await search('', '0', setting).then(
		() => ({ message: 'none', description: '', httpCode: undefined }),
		(error: unknown) => error as { message: string; description: string; httpCode: string | null },
	);

describe('a search', () => {
	it('without a filter asks for the first page', async () => {
		await search();
		expect(server.seen).toMatchObject([
			{ method: 'GET', path: '/v1/p/vpc-endpoint-services?limit=50&offset=0', body: '' },
		]);
	});

	it('goes on where the last page ended', async () => {
		await search('', '150');
		expect(server.seen[0]?.path).toBe('/v1/p/vpc-endpoint-services?limit=50&offset=150');
	});

	it.each([
		['of the project in the options', ' q ', 'q'],
		["of the credential's where there is none", undefined, 'p'],
		["of the credential's where an expression gives it", '={{ $json.project }}', 'p'],
	])('is one %s', async (_what, projectId, project) => {
		await search('', '0', { projectId });
		expect(server.seen[0]?.path).toBe(`/v1/${project}/vpc-endpoint-services?limit=50&offset=0`);
	});

	it.each([
		[ID, `&id=${ID}`],
		[` ${ID.toUpperCase()}\n`, `&id=${ID.toUpperCase()}`],
		[`a${ID}`, `&endpoint_service_name=a${ID}`],
		[`${ID}0`, `&endpoint_service_name=${ID}0`],
		[ID.replace('-31cf', ''), `&endpoint_service_name=${ID.replace('-31cf', '')}`],
		[ID.replace('6f2d1c1e', '6f2d1c1g'), '&endpoint_service_name=6f2d1c1g-31cf-4e27-9a55-4b71db9b82fb'],
		[ID.slice(1), `&endpoint_service_name=${ID.slice(1)}`],
		[ID.slice(0, -1), `&endpoint_service_name=${ID.slice(0, -1)}`],
		['sales & more', '&endpoint_service_name=sales%20%26%20more'],
		['  ', ''],
	])('for %j is one by ID only where that is an ID', async (filter, query) => {
		await search(filter);
		expect(server.seen[0]?.path).toBe(`/v1/p/vpc-endpoint-services?limit=50&offset=0${query}`);
	});
});

describe('a page', () => {
	const reply = (services: unknown[], total?: unknown) =>
		(server.reply = () => ({ body: { endpoint_services: services, total_count: total } }));

	it('shows name, status and ID, the ID once', async () => {
		reply([
			{ id: ID, service_name: `r.sales.${ID}`, status: 'available' },
			{ id: 'b', service_name: `b.${ID}`, status: 'creating' },
			{ id: 'c', service_name: 'c', status: 'failed' },
		]);
		expect((await search()).results).toEqual([
			{ name: `r.sales (available) ${ID}`, value: ID },
			{ name: `b.${ID} (creating) b`, value: 'b' },
			{ name: 'c (failed) c', value: 'c' },
		]);
	});

	it('leaves out what is no endpoint service, and shows no text that is none', async () => {
		reply([null, 'text', [], { id: 5, service_name: {}, status: null }, {}]);
		expect((await search()).results).toEqual([
			{ name: ' () ', value: '' },
			{ name: ' () ', value: '' },
		]);
	});

	it('is followed by another one as long as there are more', async () => {
		const next = async (token: string, count: number, total: unknown) => {
			reply(Array<object>(count).fill({ id: 'a' }), total);
			return (await search('', token)).paginationToken;
		};
		expect(await next('0', 50, 120)).toBe('50');
		expect(await next('50', 50, 120)).toBe('100');
		expect(await next('100', 20, 120)).toBeUndefined();
		expect(await next('100', 0, 120)).toBeUndefined();
		expect(await next('0', 50, '51')).toBe('50');
		expect(await next('0', 50, undefined)).toBeUndefined();
	});
});

describe('where there is no list the form says why:', () => {
	const otherwise = "To do without the list, choose 'By Name' or 'By ID' instead";

	it('403, with the permission to ask for', async () => {
		server.reply = () => ({ status: 403, body: { error_code: 'APIGW.0302', error_msg: 'No permission' } });
		expect(await failure()).toMatchObject({
			message: 'The endpoint services could not be listed',
			description: `No permission (APIGW.0302). Ask an administrator to grant this IAM user, or the agency that it acts through, the permission vpcep:epservices:list in the project, or the role VPCEndpoint Administrator. ${otherwise}`,
			httpCode: '403',
		});
	});

	it('another refusal, with the advice for it', async () => {
		server.reply = () => ({ status: 400, body: { error_msg: 'Bad' } });
		const { description, httpCode } = await failure();
		expect(description).toMatch(/^Bad\. Check .*instead$/);
		expect(description).not.toContain('vpcep:epservices:list');
		expect(httpCode).toBe('400');
	});

	it('a credential that cannot be used, which has no status', async () => {
		const { description, httpCode } = await failure({ credential: { vpcepUrl: '' } });
		expect(description).toContain("'VPC Endpoint URL' in the credential is blank. Open the credential");
		expect(httpCode).toBeNull();
		expect(server.seen).toEqual([]);
	});

	it.each([
		[new TypeError('no credential'), 'no credential'],
		['thrown text', 'thrown text'],
	])('an error of n8n, by its words', async (thrown, words) => {
		expect((await failure({ thrown })).description).toBe(`${words}. ${otherwise}`);
	});

	it('an answer without a list, which cannot have created anything', async () => {
		server.reply = () => ({ body: { endpoint_services: {} } });
		const { description } = await failure();
		expect(description).toContain("without the list 'endpoint_services'");
		expect(description).not.toContain('may exist');
	});

	it('429, after one repetition', async () => {
		fixBackOff(0);
		server.reply = () => ({ status: 429 });
		expect(await failure()).toMatchObject({ httpCode: '429' });
		expect(server.seen).toHaveLength(2);
	});

	it('an egress policy that does not allow the host', async () => {
		const no = async () => await Promise.resolve({ ok: false });
		const egress = { validateUrl: no, validateConnectionHost: no, createSecureLookup: () => () => undefined };
		expect((await failure({ egress })).description).toContain('n8n is not allowed to call 127.0.0.1');
		expect(server.seen).toEqual([]);
	});
});
