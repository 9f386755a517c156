import { fetchSigned } from './signing';
import {
	accessKey,
	account,
	agencies,
	endpointServices,
	owner,
	ownerProjectId,
	startSimulator,
	temporaryKey,
	type AccessKey,
	type Simulator,
} from '.';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const MINUTE = 60_000;
const { partnerArchive } = endpointServices;
const { acceptance, audit } = agencies;
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const containing = (part: string): unknown => expect.stringContaining(part);
const refusal = (status: number, error_code: string, error_msg: unknown = expect.anything()) => ({
	status,
	body: { error_code, error_msg },
});

const asking = (assume_role: object = {}) => ({
	auth: {
		identity: {
			methods: ['assume_role'],
			assume_role: { domain_name: owner.name, agency_name: acceptance.name, ...assume_role },
		},
	},
});
const now = () => new Date(Date.now() + simulator.clockOffset);

async function assume(
	body: unknown = asking(),
	{
		key = accessKey,
		query = '',
		projectId = '',
	}: { key?: AccessKey; query?: string; projectId?: string } = {},
) {
	const address = `${simulator.url}/v3.0/OS-CREDENTIAL/securitytokens${query}`;
	const answer = await fetchSigned(address, key, {
		method: 'POST',
		body: JSON.stringify(body),
		projectId,
		date: now(),
	});
	return { ...answer, body: answer.body as { credential: Record<string, string> } };
}

async function temporary(assumeRole: object = {}): Promise<AccessKey> {
	const { access = '', secret = '', securitytoken } = (await assume(asking(assumeRole))).body.credential;
	return {
		accessKeyId: access,
		secretAccessKey: secret,
		...(securitytoken !== undefined && { securityToken: securitytoken }),
	};
}

const use = async (key: AccessKey, tail = `/${partnerArchive.id}`, project = ownerProjectId) =>
	await fetchSigned(`${simulator.url}/v1/${project}/vpc-endpoint-services${tail}`, key, {
		projectId: project,
		date: now(),
	});

describe('acting for another account', () => {
	test('gives keys that act there, and only there', async () => {
		const { status, body } = await assume();
		expect({ status, body }).toEqual({
			status: 201,
			body: {
				credential: {
					access: matching(/^[A-Z0-9]{20,}$/),
					secret: matching(/^[a-z0-9]{40}$/),
					securitytoken: matching(/^.{100,}$/),
					expires_at: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
				},
			},
		});
		const key = await temporary();
		expect(await use(key)).toMatchObject({ status: 200, body: { service_name: partnerArchive.name } });
		expect(await use(key, '', simulator.credentials.projectId)).toMatchObject(refusal(403, 'APIGW.0310'));
		expect(await use(accessKey)).toMatchObject(refusal(403, 'APIGW.0310'));
		expect([simulator.agencyCalls, simulator.refusedAgencyCalls]).toEqual([2, 0]);
	});

	test('works with the credential for it', async () => {
		const { authentication, agencyAccount, agencyName, iamUrl, projectId, ...key } =
			simulator.agencyCredentials;
		expect([authentication, projectId]).toEqual(['agency', ownerProjectId]);
		expect(iamUrl).toBe(simulator.url);
		const body = asking({ domain_name: agencyAccount, agency_name: agencyName });
		expect(await assume(body, { key })).toMatchObject({ status: 201 });
	});

	test('takes the ID of the account as well, and a token in place of a signature', async () => {
		const byId = asking({ domain_name: undefined, domain_id: owner.id });
		expect(await assume(byId)).toMatchObject({ status: 201 });
		const response = await fetch(`${simulator.url}/v3.0/OS-CREDENTIAL/securitytokens`, {
			method: 'POST',
			headers: { 'X-Auth-Token': simulator.credentials.token, 'Content-Type': 'application/json' },
			body: JSON.stringify(byId),
		});
		expect(response.status).toBe(201);
	});

	test('lets the agency accept, whitelist and verify in its own account', async () => {
		const key = await temporary();
		const { url, agencyCredentials } = simulator;
		const base = `${url}/v1/${ownerProjectId}`;
		const allow = JSON.stringify({ action: 'add', permissions: ['iam:domain::*'] });
		const path = `${base}/vpc-endpoint-services/${partnerArchive.id}/permissions/action`;
		expect(await fetchSigned(path, key, { method: 'POST', body: allow })).toMatchObject({ status: 200 });
		const body = JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: partnerArchive.name });
		const { workspaceId } = agencyCredentials;
		const verified = await fetchSigned(`${base}/connections/vpc-endpoint`, key, {
			method: 'POST',
			body,
			workspaceId,
		});
		expect(verified).toMatchObject({
			status: 200,
			body: { domain_id: owner.id, project_id: ownerProjectId, create_user_name: acceptance.name },
		});
		const [endpoint] = simulator.connectionsOf(partnerArchive.id);
		const decision = JSON.stringify({ action: 'receive', endpoints: [endpoint?.id] });
		const connections = `${base}/vpc-endpoint-services/${partnerArchive.id}/connections/action`;
		expect(await fetchSigned(connections, key, { method: 'POST', body: decision })).toMatchObject({
			body: { connections: [{ status: 'accepted' }] },
		});
		expect(simulator.ownerCredentials.workspaceId).toBe('');
	});
});

describe('refusing temporary keys:', () => {
	test.each<[string, object, number, string]>([
		['an account that does not exist', { domain_name: 'nobody' }, 404, 'IAM.0004'],
		['an agency that does not exist', { agency_name: 'nothing' }, 404, 'IAM.0004'],
		['an account without it', { domain_name: account.name }, 404, 'IAM.0004'],
		['an agency that trusts another account', { agency_name: audit.name }, 403, 'IAM.0002'],
	])('%s', async (_, change, status, code) => {
		expect(await assume(asking(change))).toMatchObject(refusal(status, code));
		expect([simulator.agencyCalls, simulator.refusedAgencyCalls]).toEqual([1, 1]);
	});

	test('a caller who is no Agent Operator, be it a user or an agency', async () => {
		const forbidden = refusal(403, 'IAM.0003', containing('iam:agencies:assume'));
		expect(await assume(asking(), { key: simulator.readerCredentials })).toMatchObject(forbidden);
		expect(await assume(asking(), { key: await temporary() })).toMatchObject(forbidden);
	});

	test("the owner's own user, whom the agency does not trust", async () => {
		expect(await assume(asking(), { key: simulator.ownerCredentials })).toMatchObject(
			refusal(403, 'IAM.0002'),
		);
	});

	test('a bad signature, and the project of another account', async () => {
		const key = { ...accessKey, secretAccessKey: 'wrong' };
		expect(await assume(asking(), { key })).toMatchObject(refusal(401, 'APIGW.0301'));
		expect(await assume(asking(), { projectId: ownerProjectId })).toMatchObject(refusal(403, 'APIGW.0310'));
		expect(await assume(asking(), { projectId: simulator.credentials.projectId })).toMatchObject({
			status: 201,
		});
		expect(simulator.refusedAgencyCalls).toBe(2);
	});

	test.each<[string, unknown]>([
		['no object', []],
		['no identity', { auth: {} }],
		['a scope', { auth: { ...asking().auth, scope: { project: { id: ownerProjectId } } } }],
		['another method', { auth: { identity: { ...asking().auth.identity, methods: ['token'] } } }],
		['both name and ID of the account', asking({ domain_id: owner.id })],
		['neither', asking({ domain_name: undefined })],
		['no agency', asking({ agency_name: undefined })],
		['a blank agency', asking({ agency_name: '' })],
		['less than 15 minutes', asking({ duration_seconds: 899 })],
		['more than a day', asking({ duration_seconds: 86_401 })],
		['a duration as text', asking({ duration_seconds: '3600' })],
		['half a second', asking({ duration_seconds: 900.5 })],
		['another field', asking({ duration: 3600 })],
	])('%s', async (_, body) => {
		expect(await assume(body)).toMatchObject(refusal(400, 'IAM.0011'));
	});

	test('a query', async () => {
		expect(await assume(asking(), { query: '?nocatalog=true' })).toMatchObject(refusal(400, 'IAM.0007'));
	});
});

describe('the end of a temporary key', () => {
	const expired = refusal(401, 'APIGW.0301', containing('token expires, expires_at: '));

	test.each<[number | undefined, number]>([
		[undefined, 15],
		[900, 15],
		[3600, 60],
		[86_400, 24 * 60],
	])('comes after the %s seconds that were asked for', async (duration_seconds, minutes) => {
		const key = await temporary({ duration_seconds });
		simulator.clockOffset = minutes * MINUTE - 5_000;
		expect(await use(key)).toMatchObject({ status: 200 });
		simulator.clockOffset = minutes * MINUTE;
		expect(await use(key)).toMatchObject(expired);
		expect(await use(await temporary())).toMatchObject({ status: 200 });
	});

	test('comes as soon as `temporaryKeyLifetime` says', async () => {
		const previous = simulator;
		simulator = await startSimulator({ temporaryKeyLifetime: MINUTE });
		const key = await temporary({ duration_seconds: 3600 });
		const { expires_at = '' } = (await assume()).body.credential;
		const answers = [await use(key)];
		simulator.clockOffset = MINUTE;
		answers.push(await use(key));
		await simulator.close();
		simulator = previous;
		expect(answers).toMatchObject([{ status: 200 }, expired]);
		expect(Math.abs(Date.parse(expires_at) - Date.now() - MINUTE)).toBeLessThan(3_000);
	});

	test('comes when all are revoked, but not with a reset', async () => {
		const key = await temporary();
		simulator.reset();
		expect(await use(key)).toMatchObject({ status: 200 });
		simulator.revokeTemporaryKeys();
		expect(await use(key)).toMatchObject(refusal(401, 'APIGW.0301', containing('not exist')));
		expect(await use(await temporary())).toMatchObject({ status: 200 });
		expect(await use(temporaryKey, '', simulator.credentials.projectId)).toMatchObject({ status: 200 });
	});

	test('is no reason to do without the security token before', async () => {
		const { accessKeyId, secretAccessKey } = await temporary();
		expect(await use({ accessKeyId, secretAccessKey })).toMatchObject(
			refusal(401, 'APIGW.0301', containing('X-Security-Token')),
		);
	});
});

describe('faults', () => {
	test('spoil these calls like any other, and distort the answer of a good one', async () => {
		simulator.failNext('iam-0012');
		expect(await assume()).toMatchObject(refusal(429, 'IAM.0012'));
		simulator.failNext('extra-fields');
		const { status, body } = await assume();
		expect({ status, body }).toMatchObject({ status: 201, body: { credential: {}, tags: [{}] } });
		expect([simulator.agencyCalls, simulator.refusedAgencyCalls]).toEqual([2, 1]);
	});
});
