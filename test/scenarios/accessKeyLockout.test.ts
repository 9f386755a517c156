import fc from 'fast-check';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { transport } from '../support/engine/built';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../support/network/scriptedServer';

const { createClient, readCredential } = transport;

/** How many requests may be out with a key that may be wrong. */
const MAX_UNPROVEN = 3;

const good: ScriptedReply = { body: { is_success: true } };
const refusal: ScriptedReply = { status: 401, body: { error_code: 'APIGW.0301', error_msg: 'verify fail' } };

let server: ScriptedServer;
let count = 0;
beforeEach(async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0);
	server = await startScriptedServer(() => good);
});
afterEach(async () => {
	jest.restoreAllMocks();
	await server.close();
});

/** Another key each time, of which the process knows nothing. */
const newCredential = () => ({
	authentication: 'accessKey',
	region: 'custom',
	baseUrl: server.url,
	accessKeyId: `AK${++count}`,
	secretAccessKey: 'SK',
	projectId: 'p',
	workspaceId: 'w',
});

/** Makes so many calls at once with a key, and tells what became of each: a status, or the code of an error. */
async function callAtOnce(
	calls: number,
	{
		credential = newCredential(),
		timeout = 5_000,
		maxRetries = 0,
		signal = undefined as AbortSignal | undefined,
	} = {},
) {
	const call = await createClient(readCredential(credential), { timeout, maxRetries, signal });
	return await Promise.all(
		Array.from({ length: calls }, async () =>
			call({ method: 'POST', path: '/v1/p/x', body: {} }).then(
				() => 'good',
				({ details }: RequestError) => String(details.httpStatus ?? details.code),
			),
		),
	);
}

/** The timers of five seconds that are set from now on; they ring when they are aborted. */
function fiveSecondTimers(): AbortController[] {
	const timers: AbortController[] = [];
	const timeout = AbortSignal.timeout.bind(AbortSignal);
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
		if (milliseconds !== 5_000) return timeout(milliseconds);
		const timer = new AbortController();
		timers.push(timer);
		return timer.signal;
	});
	return timers;
}

describe('with a key of which nothing is known', () => {
	it('the first request goes alone; once it is proven, the others go side by side, and so does the next run', async () => {
		server.reply = () => ({ ...good, after: 100 });
		const credential = newCredential();
		await callAtOnce(1, { credential });
		expect(server.most).toBe(1);
		await callAtOnce(20, { credential });
		expect(server.most).toBe(20);
	});

	it('one that is refused is sent once, however many wait, and in a second run not at all', async () => {
		server.reply = () => ({ ...refusal, after: 50 });
		const credential = newCredential();
		expect(await callAtOnce(20, { credential })).toEqual(Array(20).fill('401'));
		expect(await callAtOnce(20, { credential })).toEqual(Array(20).fill('401'));
		expect(server.seen).toHaveLength(1);
	});

	it.each([400, 403, 404, 409])('an answer with status %d proves it', async (status) => {
		server.reply = (n) => ({ status: n === 1 ? status : 200, after: 80 });
		expect(await callAtOnce(11)).toEqual([String(status), ...Array<string>(10).fill('good')]);
		expect(server.most).toBe(10);
	});

	it.each<[string, ScriptedReply, string]>([
		['status 500', { status: 500, after: 80 }, '500'],
		['status 502', { status: 502, after: 80 }, '502'],
		['status 504', { status: 504, after: 80 }, '504'],
		['a reset', { end: 'reset', after: 80 }, 'CONNECTION_LOST'],
		['silence', { end: 'hang' }, 'TIMEOUT'],
		['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:9/' }, after: 80 }, '302'],
		['a time-out of a gateway', { status: 408, after: 80 }, '408'],
		['no such API', { status: 404, body: { error_code: 'APIGW.0101' }, after: 80 }, '404'],
		['a proxy that wants a login', { status: 407, after: 80 }, '407'],
	])('%s proves nothing, and holds up nobody for ever', async (_what, reply, outcome) => {
		server.reply = () => reply;
		const started = performance.now();
		expect(await callAtOnce(20, { timeout: 300 })).toEqual(Array(20).fill(outcome));
		// One after the other it would take 20 times as long as one.
		expect(performance.now() - started).toBeLessThan(0.6 * 20 * 300);
		expect(server.seen).toHaveLength(20);
		expect(server.most).toBe(MAX_UNPROVEN);
	});

	it('a gateway that is too busy proves nothing: the others wait as long as it asks for', async () => {
		server.reply = (n) =>
			n === 1 ? { status: 429, headers: { 'Retry-After': '1' } } : { ...good, after: 50 };
		expect(await callAtOnce(10, { maxRetries: 1 })).toEqual(Array(10).fill('good'));
		const [first, second] = server.seen.map(({ at }) => at);
		expect(Number(second) - Number(first)).toBeGreaterThan(950);
		expect(server.most).toBeGreaterThan(MAX_UNPROVEN);
	});

	it('those who wait for it stop at once with the execution, and nothing more is sent', async () => {
		server.reply = () => ({ end: 'hang' });
		const stop = new AbortController();
		const running = callAtOnce(20, { signal: stop.signal });
		while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		const stopped = performance.now();
		expect(await running).toEqual(Array(20).fill('CANCELLED'));
		expect(performance.now() - stopped).toBeLessThan(1_000);
		expect(server.seen).toHaveLength(1);
	});

	it('a request that is stopped leaves the way free for other runs', async () => {
		server.reply = (n) => (n === 1 ? { end: 'hang' } : good);
		const credential = newCredential();
		const stop = new AbortController();
		const running = callAtOnce(1, { credential, signal: stop.signal });
		while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
		const other = callAtOnce(5, { credential });
		stop.abort();
		expect(await running).toEqual(['CANCELLED']);
		expect(await other).toEqual(Array(5).fill('good'));
	});
});

it('a request that has been out for five seconds no longer holds up others', async () => {
	server.reply = () => ({ end: 'hang' });
	const timers = fiveSecondTimers();
	const stop = new AbortController();
	const running = callAtOnce(9, { signal: stop.signal, timeout: 60_000 });
	const arrived = async (requests: number) => {
		while (server.seen.length < requests) await new Promise((resolve) => setTimeout(resolve, 5));
		await new Promise((resolve) => setTimeout(resolve, 50));
		expect(server.seen).toHaveLength(requests);
	};
	await arrived(1);
	timers.shift()?.abort();
	await arrived(1 + MAX_UNPROVEN);
	timers.splice(0).forEach((timer) => timer.abort());
	await arrived(1 + 2 * MAX_UNPROVEN);
	stop.abort();
	await running;
});

describe('a refusal takes back what was known: all wait for one again, 15 minutes later', () => {
	let passed = 0;
	beforeEach(() => {
		passed = 0;
		const [now, date] = [performance.now.bind(performance), Date.now.bind(Date)];
		jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
		jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
	});

	async function expectOneLater(credential: ReturnType<typeof newCredential>) {
		passed = 16 * 60_000;
		server.reply = () => ({ ...refusal, after: 20 });
		server.seen.length = 0;
		expect(await callAtOnce(20, { credential })).toEqual(Array(20).fill('401'));
		expect(server.seen).toHaveLength(1);
	}

	it.each<[string, ScriptedReply, string]>([
		['of a key that was proven', good, 'good'],
		['of one of which nothing was known', { status: 500 }, '500'],
	])('%s', async (_what, reply, outcome) => {
		const credential = newCredential();
		server.reply = () => reply;
		expect(await callAtOnce(3, { credential })).toEqual(Array(3).fill(outcome));
		server.reply = () => refusal;
		expect(await callAtOnce(1, { credential })).toEqual(['401']);
		await expectOneLater(credential);
	});

	it.each<[string, ScriptedReply]>([
		['ends in a fault', { status: 500, after: 100 }],
		['is taken', { ...good, after: 100 }],
	])('even if one that was out already %s', async (_how, late) => {
		const credential = newCredential();
		server.reply = () => ({ status: 500 });
		await callAtOnce(1, { credential });
		server.reply = (n) => (n === 2 ? late : refusal);
		expect(await callAtOnce(2, { credential })).toContain('401');
		await expectOneLater(credential);
	});

	it('even if one that was out already is still out after five seconds', async () => {
		const credential = newCredential();
		server.reply = () => ({ status: 500 });
		await callAtOnce(1, { credential });
		const timers = fiveSecondTimers();
		const stop = new AbortController();
		server.reply = () => ({ end: 'hang' });
		const slow = callAtOnce(1, { credential, signal: stop.signal });
		while (server.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
		server.reply = () => refusal;
		expect(await callAtOnce(1, { credential })).toEqual(['401']);
		for (const timer of timers) timer.abort();
		await expectOneLater(credential);
		stop.abort();
		await slow;
	});
});

it('for any first answers and any number at once: few are out until one is proven, then all', async () => {
	const answer = fc.constantFrom<[string, ScriptedReply]>(
		['good', good],
		['401', refusal],
		['403', { status: 403, body: { error_code: 'APIGW.0302' } }],
		['429', { status: 429 }],
		['500', { status: 500 }],
		['CONNECTION_LOST', { end: 'reset' }],
	);
	const run = fc.record({
		calls: fc.integer({ min: 1, max: 12 }),
		answers: fc.array(answer, { maxLength: 12 }),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 3 }), async (runs) => {
			const credential = newCredential();
			let proven = false;
			// After an answer that says nothing of the key some go side by side.
			let isTried = false;
			let isRefused = false;
			for (const { calls, answers } of runs) {
				let [underWay, most, refused, refusedUnproven, sent] = [0, 0, 0, 0, 0];
				server.reply = () => {
					const [what, reply] = answers[sent++] ?? ['good', good];
					underWay++;
					if (!proven) most = Math.max(most, underWay);
					// Once a key was proven all go side by side, and all may be refused that are out when it is revoked.
					if (!proven && what === '401') refusedUnproven++;
					setTimeout(() => {
						underWay--;
						if (what === '401') refused++;
						else if (what === 'good' || what === '403') proven = true;
					}, 4);
					return { ...reply, after: 5 };
				};
				const before = { proven, isRefused, isTried };
				const outcomes = await callAtOnce(calls, { credential });
				expect(outcomes).toHaveLength(calls);
				if (before.isRefused) expect([sent, outcomes]).toEqual([0, Array(calls).fill('401')]);
				expect(most).toBeLessThanOrEqual(MAX_UNPROVEN);
				if (!before.proven) {
					expect(refusedUnproven).toBeLessThanOrEqual(MAX_UNPROVEN);
					if (answers[0]?.[0] === '401' && !before.isRefused && !before.isTried) expect(sent).toBe(1);
				}
				// Whoever was not refused was answered.
				if (refused === 0 && !before.isRefused) expect(sent).toBe(calls);
				isRefused ||= refused > 0;
				isTried ||= sent > 0;
			}
		}),
		{
			numRuns: 60,
			// A key that is revoked right after it was proven.
			examples: [
				[
					[
						{
							calls: 5,
							answers: [['good', good], ...Array<[string, ScriptedReply]>(4).fill(['401', refusal])],
						},
					],
				],
			],
		},
	);
});
