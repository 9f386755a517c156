import { setTimeout as sleep } from 'node:timers/promises';

import fc from 'fast-check';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { transport } from '../support/engine/built';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../support/network/scriptedServer';

const { createClient, readCredential } = transport;

const DAY = 86_400_000;

/** IAM and the service: tokens are `token-1`, `token-2` and so on, and the service takes those that are valid. */
interface Cloud {
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

async function startCloud(): Promise<Cloud> {
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
	const cloud: Cloud = {
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

beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0));
afterEach(async () => {
	jest.restoreAllMocks();
	await Promise.all(servers.splice(0).map(async (server) => await server.close()));
});

/** Lets time pass at once. */
function passTime() {
	const [now, date] = [performance.now.bind(performance), Date.now.bind(Date)];
	let passed = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
	return (milliseconds: number) => (passed += milliseconds);
}

async function callsOf(
	{ credential }: Cloud,
	count: number,
	{ timeout = 5_000, maxRetries = 0, signal = undefined as AbortSignal | undefined, atOnce = 20 } = {},
) {
	const call = await createClient(readCredential(credential()), { timeout, maxRetries, signal });
	const outcomes: string[] = [];
	let next = 0;
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			while (next < count) {
				const index = next++;
				outcomes[index] = await call({ method: 'POST', path: `/v1/p/${index}`, body: {} }).then(
					() => 'good',
					({ message, details }: RequestError) => `${details.code}: ${message}`,
				);
			}
		}),
	);
	return outcomes;
}
const good = (count: number) => Array<string>(count).fill('good');

it('one reset of IAM at the renewal costs none of 1000 items', async () => {
	const cloud = await startCloud();
	cloud.onLogin = (login) => (login === 2 ? { end: 'reset' } : undefined);
	expect(await callsOf(cloud, 100)).toEqual(good(100));
	cloud.valid.clear();
	expect(await callsOf(cloud, 1_000)).toEqual(good(1_000));
	expect(cloud.iam.seen).toHaveLength(3);
});

it.each<[string, ScriptedReply]>([
	['cannot be reached in the middle of its answer', { end: 'reset' }],
	['answers 500', { status: 500 }],
	['answers 502', { status: 502 }],
	['answers 429', { status: 429, headers: { 'Retry-After': '1' } }],
])(
	'an IAM that %s at the renewal before the end costs nothing: the old token is still good',
	async (_what, reply) => {
		const cloud = await startCloud();
		const pass = passTime();
		expect(await callsOf(cloud, 1)).toEqual(['good']);
		cloud.onLogin = () => reply;
		pass(DAY - 60_000);
		expect(await callsOf(cloud, 20)).toEqual(good(20));
		const logins = cloud.iam.seen.length;
		expect(logins).toBeGreaterThan(1);
		// Nor is IAM asked for each of them.
		expect(await callsOf(cloud, 20)).toEqual(good(20));
		expect(cloud.iam.seen).toHaveLength(logins);
	},
);

it('an IAM that is down costs the items that wait for it; those that come later log in anew', async () => {
	const cloud = await startCloud();
	cloud.onLogin = () => ({ status: 503 });
	const outcomes = await callsOf(cloud, 3, { atOnce: 3 });
	expect(outcomes).toEqual(
		Array(3).fill('HTTP_503: No token from IAM: The service answered with HTTP status 503 and no reason'),
	);
	expect(cloud.iam.seen).toHaveLength(3);
	cloud.onLogin = () => undefined;
	expect(await callsOf(cloud, 5)).toEqual(good(5));
	expect(cloud.iam.seen).toHaveLength(4);
	// At a bounded rate.
	const [third, fourth] = cloud.iam.seen.slice(2).map(({ at }) => at);
	expect(Number(fourth) - Number(third)).toBeGreaterThan(1_500);
});

it('within one run, too, only those who waited for a failed login fail', async () => {
	const cloud = await startCloud();
	cloud.onLogin = (login) => (login <= 3 ? { end: 'reset' } : undefined);
	const outcomes = await callsOf(cloud, 10, { atOnce: 2 });
	expect(outcomes.filter((outcome) => outcome !== 'good')).toHaveLength(2);
});

it('IAM is asked again when it says, and not at all if that is too long', async () => {
	const cloud = await startCloud();
	cloud.onLogin = (login) => (login === 1 ? { status: 429, headers: { 'Retry-After': '1' } } : undefined);
	expect(await callsOf(cloud, 5)).toEqual(good(5));
	const [first, second] = cloud.iam.seen.map(({ at }) => at);
	expect(Number(second) - Number(first)).toBeGreaterThan(950);

	const busy = await startCloud();
	busy.onLogin = () => ({ status: 429, headers: { 'Retry-After': '3600' } });
	const outcomes = await callsOf(busy, 30, { atOnce: 3 });
	expect(outcomes).toHaveLength(30);
	for (const outcome of outcomes) expect(outcome).toContain('HTTP_429: No token from IAM');
	expect(busy.iam.seen).toHaveLength(1);
});

it('a run with a short time-out harms neither itself nor a run that shares its login', async () => {
	const cloud = await startCloud();
	cloud.onLogin = () => ({ after: 300 });
	const outcomes = await Promise.all([
		callsOf(cloud, 5, { timeout: 50 }),
		callsOf(cloud, 5, { timeout: 5_000 }),
	]);
	expect(outcomes.flat()).toEqual(good(10));
	expect(cloud.iam.seen).toHaveLength(1);
});

describe('an execution that is stopped while it logs in', () => {
	it('stops at once, and the login ends with the last who waits for it', async () => {
		const cloud = await startCloud();
		cloud.onLogin = () => ({ end: 'hang' });
		const stops = [new AbortController(), new AbortController()] as const;
		const runs = stops.map(async ({ signal }) => await callsOf(cloud, 50, { signal, maxRetries: 3 }));
		while (cloud.iam.seen.length === 0) await sleep(5);
		for (const [index, stop] of stops.entries()) {
			const stopped = performance.now();
			stop.abort();
			const outcomes = (await runs[index]) ?? [];
			expect(performance.now() - stopped).toBeLessThan(1_000);
			expect(outcomes).toHaveLength(50);
			for (const outcome of outcomes) expect(outcome).toContain('CANCELLED');
			await sleep(100);
			expect(cloud.iam.givenUp).toBe(index);
		}
		await sleep(1_000);
		expect(cloud.iam.seen).toHaveLength(1);
		expect(cloud.service.seen).toEqual([]);
	});

	it.each<[string, ScriptedReply]>([
		['is reset', { end: 'reset' }],
		['answers 503', { status: 503, body: { error_code: 'APIGW.0613' } }],
		['answers 429', { status: 429, headers: { 'Retry-After': '30' } }],
	])('while IAM %s, logs in no more', async (_what, reply) => {
		jest.spyOn(Math, 'random').mockReturnValue(0.6);
		const cloud = await startCloud();
		cloud.onLogin = () => reply;
		const stop = new AbortController();
		const running = callsOf(cloud, 50, { signal: stop.signal, maxRetries: 3 });
		while (cloud.iam.seen.length === 0) await sleep(5);
		await sleep(50);
		const stopped = performance.now();
		stop.abort();
		expect(await running).toHaveLength(50);
		expect(performance.now() - stopped).toBeLessThan(1_000);
		const logins = cloud.iam.seen.length;
		await sleep(1_500);
		expect(cloud.iam.seen).toHaveLength(logins);
		expect(cloud.service.seen).toEqual([]);
	});

	it('takes nothing from another run, which gets its token', async () => {
		const cloud = await startCloud();
		cloud.onLogin = () => ({ after: 200 });
		const stop = new AbortController();
		const stopped = callsOf(cloud, 10, { signal: stop.signal });
		const other = callsOf(cloud, 10);
		while (cloud.iam.seen.length === 0) await sleep(5);
		stop.abort();
		for (const outcome of await stopped) expect(outcome).toContain('CANCELLED');
		expect(await other).toEqual(good(10));
		expect(cloud.iam.seen).toHaveLength(1);
		expect(cloud.service.seen).toHaveLength(10);
	});

	it('leaves nothing behind that a later run would meet', async () => {
		const cloud = await startCloud();
		cloud.onLogin = (login) => (login === 1 ? { end: 'hang' } : undefined);
		const stop = new AbortController();
		const stopped = callsOf(cloud, 3, { signal: stop.signal });
		while (cloud.iam.seen.length === 0) await sleep(5);
		stop.abort();
		await stopped;
		expect(await callsOf(cloud, 3)).toEqual(good(3));
	});
});

it.each([0, -3_600_000, 1, 900])(
	'a token that lives for %d ms, as IAM says, does not flood IAM',
	async (lifetime) => {
		const cloud = await startCloud();
		cloud.lifetime = lifetime;
		for (let run = 0; run < 5; run++) expect(await callsOf(cloud, 20)).toEqual(good(20));
		expect(cloud.iam.seen).toHaveLength(1);
	},
);

it('a token that the service refuses again and again is renewed every two seconds at most', async () => {
	const cloud = await startCloud();
	cloud.lifetime = 0;
	for (let run = 0; run < 2; run++) {
		cloud.valid.clear();
		const running = callsOf(cloud, 20);
		expect(await running).toEqual(good(20));
	}
	const times = cloud.iam.seen.map(({ at }) => at);
	expect(times).toHaveLength(2);
	expect(Number(times[1]) - Number(times[0])).toBeGreaterThan(1_950);
});

it('a run lives through any number of ends of its token, even if the service has no success for it', async () => {
	const cloud = await startCloud();
	const pass = passTime();
	const call = await createClient(readCredential(cloud.credential()), { timeout: 5_000, maxRetries: 0 });
	const { reply } = cloud.service;
	for (const status of [200, 404, 200, 403]) {
		cloud.service.reply = (count, seen) => {
			const said = reply(count, seen);
			return said.status === 401 ? said : { status, body: { is_success: true } };
		};
		const outcome = call({ method: 'POST', path: '/x', body: {} }).then(
			() => 200,
			({ details }: RequestError) => details.httpStatus,
		);
		expect(await outcome).toBe(status);
		cloud.valid.clear();
		pass(10_000);
	}
	expect(cloud.iam.seen).toHaveLength(4);
});

it.each<[string, ScriptedReply, number]>([
	['no such project', { status: 404, body: { error_code: 'IAM.0004', error_msg: 'no project' } }, 1],
	['a bad request', { status: 400, body: { error_code: 'IAM.0011', error_msg: 'bad' } }, 1],
])('%s ends the run, since IAM would say so again', async (_what, reply, logins) => {
	const cloud = await startCloud();
	cloud.onLogin = () => reply;
	const outcomes = await callsOf(cloud, 100, { atOnce: 5 });
	for (const outcome of outcomes) expect(outcome).toContain('No token from IAM');
	expect(outcomes).toHaveLength(100);
	expect(cloud.iam.seen).toHaveLength(logins);
});

it('for anything that happens there is one login for each end of a token, and an answer for each call', async () => {
	const pass = passTime();
	/** What the test knows of the cloud. */
	interface Model {
		/** Whether there is a token at hand that the service takes. */
		fresh: boolean;
		logins: number;
	}
	class Real {
		constructor(readonly cloud: Cloud) {}
	}
	type Command = fc.AsyncCommand<Model, Real>;

	class Call implements Command {
		constructor(
			readonly runs: number,
			readonly calls: number,
		) {}
		check = () => true;
		async run(model: Model, { cloud }: Real) {
			const before = cloud.service.seen.length;
			const runs = await Promise.all(
				Array.from({ length: this.runs }, async () => await callsOf(cloud, this.calls)),
			);
			if (!model.fresh) model.logins++;
			model.fresh = true;
			expect(runs.flat()).toEqual(good(this.runs * this.calls));
			expect(cloud.iam.seen).toHaveLength(model.logins);
			// A call is made twice only if the first was refused.
			const seen = cloud.service.seen.slice(before);
			const taken = seen.filter(({ headers }) => cloud.valid.has(String(headers['x-auth-token'])));
			expect(taken).toHaveLength(this.runs * this.calls);
			expect(seen.length).toBeLessThanOrEqual(2 * this.runs * this.calls);
		}
		toString = () => `${this.runs} runs of ${this.calls}`;
	}
	class Revoke implements Command {
		check = () => true;
		run(model: Model, { cloud }: Real) {
			cloud.valid.clear();
			model.fresh = false;
			pass(3_000);
			return Promise.resolve();
		}
		toString = () => 'revoke';
	}
	class Expire implements Command {
		check = () => true;
		run(model: Model, { cloud }: Real) {
			cloud.valid.clear();
			pass(DAY);
			model.fresh = false;
			return Promise.resolve();
		}
		toString = () => 'a day later';
	}
	class StopOneOfTwo implements Command {
		check = () => true;
		async run(model: Model, { cloud }: Real) {
			const stop = new AbortController();
			const stopped = callsOf(cloud, 3, { signal: stop.signal });
			const other = callsOf(cloud, 3);
			stop.abort();
			expect(await other).toEqual(good(3));
			expect(await stopped).toHaveLength(3);
			if (!model.fresh) model.logins++;
			model.fresh = true;
			expect(cloud.iam.seen).toHaveLength(model.logins);
		}
		toString = () => 'stop one of two';
	}

	const other = await startCloud();
	await callsOf(other, 1);
	await fc.assert(
		fc.asyncProperty(
			fc.commands(
				[
					fc
						.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 25 }))
						.map((n) => new Call(...n)),
					fc.constant(new Revoke()),
					fc.constant(new Expire()),
					fc.constant(new StopOneOfTwo()),
				],
				{ maxCommands: 12 },
			),
			async (commands) => {
				const cloud = await startCloud();
				await fc.asyncModelRun(
					() => ({ model: { fresh: false, logins: 0 }, real: new Real(cloud) }),
					commands,
				);
				// A token is for its own login and service only.
				const tokens = cloud.service.seen.map(({ headers }) => String(headers['x-auth-token']));
				const own = cloud.credential().domainName ?? '';
				expect(tokens.filter((token) => !token.endsWith(`-${own}`))).toEqual([]);
			},
		),
		{ numRuns: 25 },
	);
	expect(other.service.seen).toHaveLength(1);
});
