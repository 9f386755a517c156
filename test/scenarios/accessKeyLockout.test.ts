import fc from 'fast-check';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { helpers, pooled, transport } from '../support/engine/built';
import {
	type ScriptedReply,
	type ScriptedServer,
	startScriptedServer,
} from '../support/network/scriptedServer';
import { useNoBackOff } from '../support/network/backOff';

const { createClient, readCredential } = transport;

/** How many requests may be out with a key that may be wrong. */
const MAX_UNPROVEN = 3;

/** Milliseconds in which twenty requests come in on a busy machine. */
const A_WHILE = 1_000;

/** Milliseconds that a request may take where some take too long. n8n's helper opens a connection for each. */
const TIMEOUT = pooled ? 300 : 1_500;

const good: ScriptedReply = { body: { is_success: true } };
const refusal: ScriptedReply = { status: 401, body: { error_code: 'APIGW.0301', error_msg: 'verify fail' } };

let server: ScriptedServer;
let count = 0;
useNoBackOff();
beforeEach(async () => {
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
	const call = createClient(readCredential(credential), { helpers, timeout, maxRetries, signal });
	return await Promise.all(
		Array.from({ length: calls }, async () =>
			call({ method: 'POST', doubt: 'It may have acted', path: '/v1/p/x', body: {} }).then(
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

describe('an access key that is not proven yet', () => {
	it('its first request goes alone; once it is proven, requests go in parallel, in the next run too', async () => {
		server.reply = () => ({ ...good, after: A_WHILE });
		const credential = newCredential();
		await callAtOnce(1, { credential });
		expect(server.most).toBe(1);
		await callAtOnce(20, { credential });
		expect(server.most).toBe(20);
	});

	it('401: it is sent once, however many items wait, and in a second run not at all', async () => {
		server.reply = () => ({ ...refusal, after: 50 });
		const credential = newCredential();
		expect(await callAtOnce(20, { credential })).toEqual(Array(20).fill('401'));
		expect(await callAtOnce(20, { credential })).toEqual(Array(20).fill('401'));
		expect(server.seen).toHaveLength(1);
	});

	it.each([400, 403, 404, 409])('a response with status %d proves it', async (status) => {
		server.reply = (n) => ({ status: n === 1 ? status : 200, after: A_WHILE });
		expect(await callAtOnce(11)).toEqual([String(status), ...Array<string>(10).fill('good')]);
		expect(server.most).toBe(10);
	});

	it.each<[string, ScriptedReply, string]>([
		['status 500', { status: 500, after: 80 }, '500'],
		['status 502', { status: 502, after: 80 }, '502'],
		['status 504', { status: 504, after: 80 }, '504'],
		['a reset', { end: 'reset', after: 80 }, 'CONNECTION_LOST'],
		['a timeout', { end: 'hang' }, 'TIMEOUT'],
		['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:9/' }, after: 80 }, '302'],
		['the timeout 408 of a gateway', { status: 408, after: 80 }, '408'],
		['404 without such an API', { status: 404, body: { error_code: 'APIGW.0101' }, after: 80 }, '404'],
		['407 of a proxy', { status: 407, after: 80 }, '407'],
	])('%s proves nothing: 3 requests at a time go on', async (_what, reply, outcome) => {
		server.reply = () => reply;
		const started = performance.now();
		expect(await callAtOnce(20, { timeout: TIMEOUT })).toEqual(Array(20).fill(outcome));
		// One after the other it would take 20 times as long as one.
		expect(performance.now() - started).toBeLessThan(0.6 * 20 * TIMEOUT);
		expect(server.seen).toHaveLength(20);
		expect(server.most).toBe(MAX_UNPROVEN);
	});

	it('429 proves nothing: the others wait for Retry-After', async () => {
		server.reply = (n) =>
			n === 1 ? { status: 429, headers: { 'Retry-After': '1' } } : { ...good, after: A_WHILE };
		expect(await callAtOnce(10, { maxRetries: 1 })).toEqual(Array(10).fill('good'));
		const [first, second] = server.seen.map(({ at }) => at);
		expect(Number(second) - Number(first)).toBeGreaterThan(950);
		expect(server.most).toBeGreaterThan(MAX_UNPROVEN);
	});

	it('cancel: requests that wait for the first one end at once, and nothing more is sent', async () => {
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

	it('cancel: another run goes on where the first request is cancelled', async () => {
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

it('an access key that is not proven within five seconds holds up other requests only where four have no response', async () => {
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
	// Each of these four may still be refused: the fifth refusal would lock the key.
	timers.splice(0).forEach((timer) => timer.abort());
	await arrived(1 + MAX_UNPROVEN);
	stop.abort();
	await running;
});

describe('a 401 makes an access key unproven: 15 minutes later one request goes alone again', () => {
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
		['for a proven key', good, 'good'],
		['for an unproven key', { status: 500 }, '500'],
	])('%s', async (_what, reply, outcome) => {
		const credential = newCredential();
		server.reply = () => reply;
		expect(await callAtOnce(3, { credential })).toEqual(Array(3).fill(outcome));
		server.reply = () => refusal;
		expect(await callAtOnce(1, { credential })).toEqual(['401']);
		await expectOneLater(credential);
	});

	it.each<[string, ScriptedReply]>([
		['ends with 500', { status: 500, after: 100 }],
		['ends with 200', { ...good, after: 100 }],
	])('even if a request in flight %s', async (_how, late) => {
		const credential = newCredential();
		server.reply = () => ({ status: 500 });
		await callAtOnce(1, { credential });
		server.reply = (n) => (n === 2 ? late : refusal);
		expect(await callAtOnce(2, { credential })).toContain('401');
		await expectOneLater(credential);
	});

	it('even if a request is in flight for more than five seconds', async () => {
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

it('property: with an unproven access key at most 3 requests are in flight, with a proven one all', async () => {
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
