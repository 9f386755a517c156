import { setTimeout as sleep } from 'node:timers/promises';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { callsOf, closeLoginClouds, DAY, good, passTime, startLoginCloud } from '../support/cloud/loginCloud';
import { helpers, transport } from '../support/engine/built';
import { fixBackOff, useNoBackOff } from '../support/network/backOff';
import type { ScriptedReply } from '../support/network/scriptedServer';

const { createClient, readCredential } = transport;

useNoBackOff();
afterEach(async () => {
	jest.restoreAllMocks();
	await closeLoginClouds();
});

it('token renewal: one reset of IAM costs none of 1000 items', async () => {
	const cloud = await startLoginCloud();
	cloud.onLogin = (login) => (login === 2 ? { end: 'reset' } : undefined);
	expect(await callsOf(cloud, 100)).toEqual(good(100));
	cloud.valid.clear();
	expect(await callsOf(cloud, 1_000)).toEqual(good(1_000));
	expect(cloud.iam.seen).toHaveLength(3);
});

it.each<[string, ScriptedReply]>([
	['resets the connection', { end: 'reset' }],
	['answers 500', { status: 500 }],
	['answers 502', { status: 502 }],
	['answers 429', { status: 429, headers: { 'Retry-After': '1' } }],
])(
	'token renewal before expiry: IAM that %s costs nothing, as the old token is still valid',
	async (_what, reply) => {
		const cloud = await startLoginCloud();
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

it('login: 503 of IAM costs the items that wait for it; later ones log in anew', async () => {
	const cloud = await startLoginCloud();
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

it('login: only the items that waited for a failed login fail', async () => {
	const cloud = await startLoginCloud();
	cloud.onLogin = (login) => (login <= 3 ? { end: 'reset' } : undefined);
	const outcomes = await callsOf(cloud, 10, { atOnce: 2 });
	expect(outcomes.filter((outcome) => outcome !== 'good')).toHaveLength(2);
});

it('login: 429 of IAM is retried after Retry-After, and not at all where that is over 60 s', async () => {
	const cloud = await startLoginCloud();
	cloud.onLogin = (login) => (login === 1 ? { status: 429, headers: { 'Retry-After': '1' } } : undefined);
	expect(await callsOf(cloud, 5)).toEqual(good(5));
	const [first, second] = cloud.iam.seen.map(({ at }) => at);
	expect(Number(second) - Number(first)).toBeGreaterThan(950);

	const busy = await startLoginCloud();
	busy.onLogin = () => ({ status: 429, headers: { 'Retry-After': '3600' } });
	const outcomes = await callsOf(busy, 30, { atOnce: 3 });
	expect(outcomes).toHaveLength(30);
	for (const outcome of outcomes) expect(outcome).toContain('HTTP_429: No token from IAM');
	expect(busy.iam.seen).toHaveLength(1);
});

it('login: the timeout of a run ends neither its login nor that of another run', async () => {
	const cloud = await startLoginCloud();
	cloud.onLogin = () => ({ after: 1_500 });
	const outcomes = await Promise.all([
		callsOf(cloud, 5, { timeout: 1_000 }),
		callsOf(cloud, 5, { timeout: 20_000 }),
	]);
	expect(outcomes.flat()).toEqual(good(10));
	expect(cloud.iam.seen).toHaveLength(1);
});

describe('cancel during a login', () => {
	it('ends at once, and the login ends with the last run that waits for it', async () => {
		const cloud = await startLoginCloud();
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
	])('while IAM %s logs in no more', async (_what, reply) => {
		fixBackOff(0.6);
		const cloud = await startLoginCloud();
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
		const cloud = await startLoginCloud();
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
		const cloud = await startLoginCloud();
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
	'a token that expires after %d ms does not flood IAM with logins',
	async (lifetime) => {
		const cloud = await startLoginCloud();
		cloud.lifetime = lifetime;
		for (let run = 0; run < 5; run++) expect(await callsOf(cloud, 20)).toEqual(good(20));
		expect(cloud.iam.seen).toHaveLength(1);
	},
);

it('a token that the service refuses (401) again and again is renewed every two seconds at most', async () => {
	const cloud = await startLoginCloud();
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

it('token renewal: a run outlives any number of expired tokens, even where the service answers 403 or 404', async () => {
	const cloud = await startLoginCloud();
	const pass = passTime();
	const call = createClient(readCredential(cloud.credential()), { helpers, timeout: 5_000, maxRetries: 0 });
	const { reply } = cloud.service;
	for (const status of [200, 404, 200, 403]) {
		cloud.service.reply = (count, seen) => {
			const said = reply(count, seen);
			return said.status === 401 ? said : { status, body: { is_success: true } };
		};
		const outcome = call({ method: 'POST', doubt: 'It may have acted', path: '/x', body: {} }).then(
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
	['404 for the project', { status: 404, body: { error_code: 'IAM.0004', error_msg: 'no project' } }, 1],
	['400 for the login', { status: 400, body: { error_code: 'IAM.0011', error_msg: 'bad' } }, 1],
])('login: %s fails every item, as IAM would say so again', async (_what, reply, logins) => {
	const cloud = await startLoginCloud();
	cloud.onLogin = () => reply;
	const outcomes = await callsOf(cloud, 100, { atOnce: 5 });
	for (const outcome of outcomes) expect(outcome).toContain('No token from IAM');
	expect(outcomes).toHaveLength(100);
	expect(cloud.iam.seen).toHaveLength(logins);
});
