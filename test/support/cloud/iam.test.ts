import { setTimeout as sleep } from 'node:timers/promises';
import { iamUsers, projectId, startSimulator, type IamUser, type Simulator } from '.';

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const { operator, consoleOnly, disabled } = iamUsers;
const containing = (part: string): unknown => expect.stringContaining(part);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const user = ({ domainName, username, password }: IamUser) => ({
	name: username,
	password,
	domain: { name: domainName },
});
const asking = (identity: object, scope: object = { project: { id: projectId } }) => ({
	auth: { identity, scope },
});
const login = (who: IamUser, project = projectId) =>
	asking({ methods: ['password'], password: { user: user(who) } }, { project: { id: project } });

async function post(body: unknown, { query = '?nocatalog=true', type = 'application/json' } = {}) {
	const response = await fetch(`${simulator.url}/v3/auth/tokens${query}`, {
		method: 'POST',
		headers: { 'Content-Type': type },
		body: typeof body === 'string' ? body : JSON.stringify(body),
	});
	const text = await response.text();
	expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
	return {
		status: response.status,
		token: response.headers.get('x-subject-token') ?? '',
		body: (text ? JSON.parse(text) : text) as unknown,
	};
}

async function use(token: string) {
	const { baseUrl, workspaceId } = simulator.credentials;
	const response = await fetch(`${baseUrl}/v1/${projectId}/connections`, {
		headers: { 'X-Auth-Token': token, 'X-Workspace-Id': workspaceId },
	});
	return { status: response.status, body: await response.json() };
}

const wrongLogin = {
	status: 401,
	token: '',
	body: { error: { code: 401, message: 'The username or password is wrong.', title: 'Unauthorized' } },
};
const refusal = (status: number, error_code: string, error_msg: unknown = expect.anything()) => ({
	status,
	body: { error_code, error_msg },
});
const badToken = (reason: string) => refusal(401, 'APIGW.0301', containing(reason));

describe('logging in', () => {
	test('gives a token that the service takes, and says how long', async () => {
		const before = Date.now();
		const { status, token, body } = await post(login(operator));
		expect(status).toBe(201);
		expect(token).toMatch(/^MII.{300,}$/);
		expect(body).toMatchObject({
			token: {
				methods: ['password'],
				project: { id: projectId, name: 'cn-north-4', domain: { name: operator.domainName } },
				user: { name: operator.username, domain: { name: operator.domainName } },
			},
		});
		const { expires_at, issued_at } = (body as { token: Record<string, string> }).token;
		for (const time of [expires_at, issued_at]) {
			expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
		}
		const issued = Date.parse(issued_at ?? '');
		expect(issued).toBeGreaterThanOrEqual(before);
		expect(Date.parse(expires_at ?? '') - issued).toBe(DAY);
		expect(await use(token)).toMatchObject({ status: 200 });
		expect(simulator).toMatchObject({ logins: 1, refusedLogins: 0 });
	});

	test('gives another token each time; the earlier ones stay valid', async () => {
		const first = await post(login(operator));
		const second = await post(login(operator), { query: '', type: 'application/json;charset=utf8' });
		expect(second.token).not.toBe(first.token);
		expect(await use(first.token)).toMatchObject({ status: 200 });
		expect(await use(second.token)).toMatchObject({ status: 200 });
		expect(simulator.logins).toBe(2);
	});

	test('works with the credential for it', async () => {
		const { authentication, iamUrl, region, ...rest } = simulator.passwordCredentials;
		expect({ authentication, iamUrl, region }).toEqual({
			authentication: 'password',
			iamUrl: simulator.url,
			region: 'custom',
		});
		expect(await post(login(rest, rest.projectId))).toMatchObject({ status: 201 });
	});
});

describe('refusing a login', () => {
	test.each<[string, Partial<IamUser>]>([
		['an unknown account', { domainName: 'another-account' }],
		['an unknown user', { username: 'insight-stranger' }],
		['a wrong password', { password: 'wrong' }],
		['a password in another case', { password: operator.password.toUpperCase() }],
	])('of %s', async (_, change) => {
		expect(await post(login({ ...operator, ...change }))).toEqual(wrongLogin);
		expect(simulator).toMatchObject({ logins: 1, refusedLogins: 1 });
	});

	test.each([
		['a user who may only use the console', consoleOnly, 'IAM.0081', 'programmatic access'],
		['a disabled user', disabled, 'IAM.0082', `The user ${disabled.username} is disabled.`],
	])('of %s, once the password is right', async (_, who, code, words) => {
		expect(await post(login(who))).toMatchObject(refusal(403, code, containing(words)));
		expect(await post(login({ ...who, password: 'wrong' }))).toEqual(wrongLogin);
	});

	test('for a project that does not exist', async () => {
		expect(await post(login(operator, 'elsewhere'))).toMatchObject(
			refusal(404, 'IAM.0004', 'Could not find project: elsewhere.'),
		);
	});

	const password = { user: user(operator) };
	const { password: secret, ...nameless } = password.user;
	test.each<[string, unknown]>([
		['no JSON', '{"auth":'],
		['nothing', ''],
		['a list', []],
		['no identity', { auth: { scope: { project: { id: projectId } } } }],
		['no scope', { auth: { identity: { methods: ['password'], password } } }],
		['no methods', asking({ password })],
		['another method', asking({ methods: ['token'], password })],
		['two methods', asking({ methods: ['password', 'totp'], password })],
		['no account', asking({ methods: ['password'], password: { user: { name: 'a', password: secret } } })],
		['no password', asking({ methods: ['password'], password: { user: nameless } })],
		['a blank password', login({ ...operator, password: '' })],
		['a password that is a number', login({ ...operator, password: 7 as unknown as string })],
		['a scope by name', asking({ methods: ['password'], password }, { project: { name: 'cn-north-4' } })],
		['a domain scope', asking({ methods: ['password'], password }, { domain: { name: 'insight-account' } })],
		['an unknown field', { ...login(operator), nocatalog: true }],
	])('with a body that has %s', async (_, body) => {
		expect(await post(body)).toMatchObject({
			...refusal(400, 'IAM.0011', containing('Request body is invalid. body')),
			token: '',
		});
	});

	test.each([
		['?nocatalog=', 'application/json'],
		['?catalog=true', 'application/json'],
		['', 'text/plain'],
	])('with the query "%s" and the type %s', async (query, type) => {
		expect(await post(login(operator), { query, type })).toMatchObject(refusal(400, 'IAM.0007'));
		expect(simulator).toMatchObject({ logins: 1, refusedLogins: 1 });
	});

	test('on another path or with another method', async () => {
		for (const [method, path] of [
			['GET', '/v3/auth/tokens'],
			['POST', '/v3/auth/tokens/'],
			['POST', '/v3/auth'],
		] as const) {
			expect((await fetch(`${simulator.url}${path}`, { method })).status).toBe(404);
		}
		expect(simulator.logins).toBe(0);
	});
});

describe('locking', () => {
	const wrong = { ...operator, password: 'wrong' };
	const refuse = async (times: number, who: IamUser = wrong) => {
		for (let i = 0; i < times; i++) expect((await post(login(who))).status).not.toBe(201);
	};
	const locked = refusal(401, 'IAM.0061', 'Account locked.');

	test('five refused logins lock the user for 15 minutes, even with the right password', async () => {
		await refuse(4);
		expect(await post(login(operator))).toMatchObject({ status: 201 });
		await refuse(1);
		expect(await post(login(operator))).toMatchObject(locked);
		expect(await post(login(consoleOnly))).toMatchObject({ status: 403 });
		expect(simulator).toMatchObject({ logins: 8, refusedLogins: 7 });

		simulator.clockOffset += 14 * MINUTE;
		expect(await post(login(wrong))).toMatchObject(locked);
		simulator.clockOffset += 1 * MINUTE;
		expect(await post(login(operator))).toMatchObject({ status: 201 });
	});

	test('refusals that are more than 15 minutes apart do not', async () => {
		await refuse(4);
		simulator.clockOffset += 15 * MINUTE;
		await refuse(4);
		expect(await post(login(operator))).toMatchObject({ status: 201 });
	});

	test('a user who may not log in is locked as well; a stranger and a wrong project lock nobody', async () => {
		await refuse(5, disabled);
		expect(await post(login(disabled))).toMatchObject(locked);
		await refuse(6, { ...operator, username: 'insight-stranger' });
		for (let i = 0; i < 5; i++) await post(login(operator, 'elsewhere'));
		expect(await post(login(operator))).toMatchObject({ status: 201 });
	});

	test('ends with a reset', async () => {
		await refuse(5);
		simulator.reset();
		expect(simulator).toMatchObject({ logins: 0, refusedLogins: 0 });
		expect(await post(login(operator))).toMatchObject({ status: 201 });
	});
});

describe('the end of a token', () => {
	test('comes when it expires', async () => {
		const { token, body } = await post(login(operator));
		const { expires_at } = (body as { token: { expires_at: string } }).token;
		simulator.clockOffset += DAY - MINUTE;
		expect(await use(token)).toMatchObject({ status: 200 });
		simulator.clockOffset += MINUTE;
		expect(await use(token)).toMatchObject(badToken(`token expires, expires_at: ${expires_at}`));
		expect(await use(simulator.credentials.token)).toMatchObject({ status: 200 });
	});

	test('comes as soon as `tokenLifetime` says', async () => {
		const other = await startSimulator({ tokenLifetime: 150 });
		const response = await fetch(`${other.url}/v3/auth/tokens`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify(login(operator)),
		});
		await sleep(160);
		const { baseUrl, workspaceId } = other.credentials;
		const late = await fetch(`${baseUrl}/v1/${projectId}/connections`, {
			headers: {
				'X-Auth-Token': response.headers.get('x-subject-token') ?? '',
				'X-Workspace-Id': workspaceId,
			},
		});
		await other.close();
		expect([response.status, late.status]).toEqual([201, 401]);
	});

	test('comes when all are revoked; the next login gives a valid one', async () => {
		const tokens = [(await post(login(operator))).token, (await post(login(operator))).token];
		simulator.revokeTokens();
		for (const token of tokens) expect(await use(token)).toMatchObject(badToken('decrypt token fail'));
		expect(await use((await post(login(operator))).token)).toMatchObject({ status: 200 });
		expect(await use(simulator.credentials.token)).toMatchObject({ status: 200 });
	});

	test('is the same for the other simulators', async () => {
		const other = await startSimulator();
		const { token } = await post(login(operator));
		const foreign = await fetch(`${other.url}/v1/${projectId}/connections`, {
			headers: { 'X-Auth-Token': token, 'X-Workspace-Id': other.credentials.workspaceId },
		});
		await other.close();
		expect(foreign.status).toBe(401);
	});

	test('does not come with a reset', async () => {
		const { token } = await post(login(operator));
		simulator.reset();
		expect(await use(token)).toMatchObject({ status: 200 });
	});
});

describe('planned faults', () => {
	test('spoil logins like any other call', async () => {
		simulator.failNext('iam-0062');
		expect(await post(login(operator))).toMatchObject(refusal(401, 'IAM.0062', 'Incorrect password.'));
		simulator.failNext('iam-error');
		expect(await post(login(operator))).toMatchObject({ body: { error: { message: 'Unauthorized.' } } });
		simulator.failNext('iam-error-wrong-login');
		expect(await post(login(operator))).toEqual(wrongLogin);
		simulator.failNext('apigw-0613');
		expect(await post(login(operator))).toMatchObject({ status: 503 });
		expect(simulator).toMatchObject({ logins: 4, refusedLogins: 3 });
		expect(await post(login(operator))).toMatchObject({ status: 201 });
	});

	test('distort the answer of a good login', async () => {
		simulator.failNext('extra-fields');
		const odd = await post(login(operator));
		expect(odd).toMatchObject({ status: 201, body: { token: {}, tags: [{}] } });
		expect(await use(odd.token)).toMatchObject({ status: 200 });
		simulator.failNext('no-id');
		expect(await post(login(operator))).toMatchObject({ status: 201, token: '', body: { token: {} } });
		simulator.failNext('token-echo');
		expect(await post(login(operator))).toMatchObject({ body: { error_msg: containing(operator.password) } });
		simulator.failNext('connection-reset');
		await expect(post(login(operator))).rejects.toThrow('fetch failed');
	});
});

describe('the clock', () => {
	test('is this machine’s unless told otherwise, and shows in every answer', async () => {
		const dateOf = async (path: string) => {
			const { headers } = await fetch(`${simulator.url}${path}`);
			return Date.parse(headers.get('date') ?? '') - Date.now();
		};
		expect(Math.abs(await dateOf('/nowhere'))).toBeLessThan(2000);
		simulator.clockOffset = -40 * MINUTE;
		for (const path of ['/nowhere', `/v1/${projectId}/connections`, '/%zz']) {
			expect(Math.abs((await dateOf(path)) + 40 * MINUTE)).toBeLessThan(2000);
		}
		simulator.failNext('truncated');
		expect(Math.abs((await dateOf('/nowhere')) + 40 * MINUTE)).toBeLessThan(2000);
		const { body } = await post(login(operator));
		expect(body).toMatchObject({ token: { issued_at: matching(/Z$/) } });
		const { issued_at } = (body as { token: { issued_at: string } }).token;
		expect(Math.abs(Date.parse(issued_at) - Date.now() + 40 * MINUTE)).toBeLessThan(2000);
	});

	test('starts where `clockOffset` says, and a reset takes it back there', async () => {
		const other = await startSimulator({ clockOffset: 3 * DAY });
		const date = async () =>
			Date.parse((await fetch(other.url)).headers.get('date') ?? '') - Date.now() - 3 * DAY;
		const first = await date();
		other.clockOffset = 0;
		const moved = await date();
		other.reset();
		const last = await date();
		await other.close();
		expect(Math.abs(first)).toBeLessThan(2000);
		expect(Math.abs(moved + 3 * DAY)).toBeLessThan(2000);
		expect(Math.abs(last)).toBeLessThan(2000);
	});
});
