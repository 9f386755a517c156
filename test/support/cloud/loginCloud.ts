import type { RequestError } from '../../../nodes/DataArtsInsight/transport/errors/errors';
import { helpers, transport } from '../engine/built';
import { type ScriptedReply, type ScriptedServer, startScriptedServer } from '../network/scriptedServer';

const { createClient, readCredential } = transport;

export const DAY = 86_400_000;

/** IAM and the service: tokens are `token-1`, `token-2` and so on, and the service takes those that are valid. */
export interface LoginCloud {
	iam: ScriptedServer;
	service: ScriptedServer;
	valid: Set<string>;
	/** Tokens that IAM has given. */
	given: number;
	/** Milliseconds that the tokens are said to live. */
	lifetime: number;
	/** What IAM says to the n-th login; a token when left out. */
	onLogin: (login: number) => ScriptedReply | undefined;
	credential: () => Record<string, string>;
}

const servers: ScriptedServer[] = [];
let accounts = 0;

/** Starts both on loopback. */
export async function startLoginCloud(): Promise<LoginCloud> {
	const iam = await startScriptedServer((login) => {
		const said = cloud.onLogin(login);
		if (said && (said.status !== undefined || said.end)) return said;
		const token = `token-${++cloud.given}-${account}`;
		cloud.valid.add(token);
		const now = Date.now();
		const times = {
			issued_at: new Date(now).toISOString(),
			expires_at: new Date(now + cloud.lifetime).toISOString(),
		};
		return { status: 201, headers: { 'X-Subject-Token': token }, body: { token: times }, ...said };
	});
	const service = await startScriptedServer((_count, { headers }) =>
		cloud.valid.has(String(headers['x-auth-token']))
			? { body: { is_success: true } }
			: { status: 401, body: { error_code: 'APIGW.0301', error_msg: 'token expires' } },
	);
	servers.push(iam, service);
	const account = `account-${++accounts}`;
	const cloud: LoginCloud = {
		iam,
		service,
		valid: new Set(),
		given: 0,
		lifetime: DAY,
		onLogin: () => undefined,
		credential: () => ({
			authentication: 'password',
			region: 'custom',
			baseUrl: service.url,
			iamUrl: iam.url,
			domainName: account,
			username: 'user',
			password: 'MIIpassword',
			projectId: 'p',
			workspaceId: 'w',
		}),
	};
	return cloud;
}

/** Closes all that were started. */
export async function closeLoginClouds() {
	await Promise.all(servers.splice(0).map(async (server) => await server.close()));
}

/** Lets time pass at once, until the mocks are restored. */
export function passTime() {
	const [now, date] = [performance.now.bind(performance), Date.now.bind(Date)];
	let passed = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
	return (milliseconds: number) => (passed += milliseconds);
}

/** Makes so many calls, and gives what became of each: `good`, or the error's code and message. */
export async function callsOf(
	{ credential }: LoginCloud,
	count: number,
	{ timeout = 5_000, maxRetries = 0, signal = undefined as AbortSignal | undefined, atOnce = 20 } = {},
) {
	const call = createClient(readCredential(credential()), { helpers, timeout, maxRetries, signal });
	const outcomes: string[] = [];
	let next = 0;
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			while (next < count) {
				const index = next++;
				outcomes[index] = await call({
					method: 'POST',
					doubt: 'It may have acted',
					path: `/v1/p/${index}`,
					body: {},
				}).then(
					() => 'good',
					({ message, details }: RequestError) => `${details.code}: ${message}`,
				);
			}
		}),
	);
	return outcomes;
}
/** The outcomes of so many calls that succeeded. */
export const good = (count: number) => Array<string>(count).fill('good');
