import { InputError, RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	lifetimeOf,
	LOGIN_INTERVAL,
	type Token,
	TokenCache,
} from '../../../../../nodes/DataArtsInsight/transport/identity/tokens';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The longest time that somebody waits for the next login, in milliseconds. */
const MAX_LOGIN_WAIT = MINUTE;

const tokens = new TokenCache<string>();
const getToken = tokens.get.bind(tokens);
const dropToken = tokens.drop.bind(tokens);

let count = 0;
/** Another one for each test: a cache keeps tokens. */
const newKey = () => `key-${++count}`;

/** The timers that forget a token, to be rung by hand. */
let timers: Array<{ after: number; ring: () => void }> = [];
beforeEach(() => {
	jest.useFakeTimers();
	timers = [];
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((after) => {
		const timer = new AbortController();
		const ring = () => timer.abort();
		// A wait ends with the time of the test.
		if (after <= MAX_LOGIN_WAIT) setTimeout(ring, after);
		else timers.push({ after, ring });
		return timer.signal;
	});
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

const pass = async (milliseconds: number) => await jest.advanceTimersByTimeAsync(milliseconds);

const failure = (httpStatus?: number, after?: number) =>
	new RequestError(
		`no: ${httpStatus}`,
		'Do',
		{ code: 'A', httpStatus, outcomeUnknown: false },
		{ retry: { throttled: false, after } },
	);

/** IAM as a test has it answer: `t1`, `t2` and so on, or an error. */
class Iam {
	/** When it was asked, on the clock of the test. */
	readonly asked: number[] = [];

	lifetime = 24 * HOUR;

	/** How long an answer takes. */
	delay = 0;

	error?: Error;

	private readonly begin = performance.now();

	readonly fetch = async (): Promise<Token<string>> => {
		this.asked.push(performance.now() - this.begin);
		const value = `t${this.asked.length}`;
		if (this.delay) await new Promise((resolve) => setTimeout(resolve, this.delay));
		if (this.error) throw this.error;
		return { value, lifetime: this.lifetime };
	};
}

/** What a request for a token ends with: a token, or the words of an error. */
const said = async (call: Promise<string>) => await call.catch((error: Error) => error.message);

/** Waits that have no end of their own. */
const hang = async () => await new Promise<Token<string>>(() => {});

describe('how long a token is used', () => {
	it.each([
		['five minutes before its end', 24 * HOUR, 24 * HOUR - 5 * MINUTE],
		['after nine tenths of a short life', 10_000, 9_000],
		['after nine tenths of its life where five minutes are more', 50 * MINUTE, 45 * MINUTE],
		['where IAM gives more than the least life', LOGIN_INTERVAL + 1, 0.9 * (LOGIN_INTERVAL + 1)],
	])('it is renewed %s', async (_when, lifetime, renewed) => {
		const [key, iam] = [newKey(), new Iam()];
		iam.lifetime = lifetime;
		expect(await getToken(key, iam.fetch)).toBe('t1');
		await pass(Math.ceil(renewed) - 1);
		expect(await getToken(key, iam.fetch)).toBe('t1');
		await pass(1);
		const next = getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL);
		expect(await next).toBe('t2');
	});

	it('one that is good up to a moment is not used in that moment', async () => {
		const [key, iam] = [newKey(), new Iam()];
		const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
		await getToken(key, iam.fetch);
		clock.mockReturnValue(24 * HOUR - 5 * MINUTE);
		expect(await getToken(key, iam.fetch)).toBe('t2');
	});

	it.each([LOGIN_INTERVAL, 1, 0, -HOUR, Infinity])(
		'one that lives for %d ms, as IAM says, is used until the service refuses it',
		async (lifetime) => {
			const [key, iam] = [newKey(), new Iam()];
			iam.lifetime = lifetime;
			await getToken(key, iam.fetch);
			await pass(1_000 * HOUR);
			expect(await getToken(key, iam.fetch)).toBe('t1');
			expect(dropToken(key, 't1')).toBe(true);
			expect(await getToken(key, iam.fetch)).toBe('t2');
		},
	);

	it('one that was dropped is fetched anew, and another than that at hand is not dropped', async () => {
		const [key, iam] = [newKey(), new Iam()];
		expect(dropToken(key, 't1')).toBe(false);
		await getToken(key, iam.fetch);
		expect(dropToken(key, 'other')).toBe(false);
		expect(await getToken(key, iam.fetch)).toBe('t1');
		expect(dropToken(key, 't1')).toBe(true);
		expect(dropToken(key, 't1')).toBe(false);
	});

	it('one that nobody uses for an hour is forgotten, and one that is used is not', async () => {
		const [key, iam] = [newKey(), new Iam()];
		await getToken(key, iam.fetch);
		expect(timers.map(({ after }) => after)).toEqual([HOUR]);
		await pass(HOUR / 2);
		await getToken(key, iam.fetch);
		await pass(HOUR / 2);
		timers.shift()?.ring();
		expect(await getToken(key, iam.fetch)).toBe('t1');
		expect(timers.map(({ after }) => after)).toEqual([HOUR / 2]);
		await pass(HOUR);
		timers.shift()?.ring();
		expect(timers).toEqual([]);
		expect(await getToken(key, iam.fetch)).toBe('t2');
	});
});

describe('of 1000 tokens', () => {
	it('that used longest ago goes when there is another, and comes back by a new login', async () => {
		const [cache, iam] = [new TokenCache<string>(), new Iam()];
		const keys = Array.from({ length: 1_001 }, newKey);
		const [first = '', second = '', last = ''] = [keys[0], keys[1], keys[1_000]];
		for (const key of keys.slice(0, 1_000)) await cache.get(key, iam.fetch);
		await cache.get(first, iam.fetch);
		await cache.get(last, iam.fetch);
		expect([first, second, last].map((key) => cache.peek(key))).toEqual(['t1', undefined, 't1001']);

		// The timer of the one that went does not forget the one that came back.
		expect(await cache.get(second, iam.fetch)).toBe('t1002');
		await pass(HOUR / 2);
		await cache.get(second, iam.fetch);
		await pass(HOUR / 2);
		timers[1]?.ring();
		expect(cache.peek(second)).toBe('t1002');
	});

	it('none goes that is being fetched', async () => {
		const [cache, slow, iam, key] = [new TokenCache<string>(), new Iam(), new Iam(), newKey()];
		slow.delay = 1_000;
		const waiting = cache.get(key, slow.fetch);
		for (let i = 0; i < 1_000; i++) await cache.get(newKey(), iam.fetch);
		await pass(1_000);
		expect([await waiting, cache.peek(key)]).toEqual(['t1', 't1']);
	});
});

describe('logins are two seconds apart', () => {
	it('after one that failed', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.error = new InputError('The proxy is odd', 'Correct it');
		for (let i = 0; i < 3; i++) {
			const call = said(getToken(key, iam.fetch));
			await pass(LOGIN_INTERVAL);
			expect(await call).toBe('The proxy is odd');
		}
		expect(iam.asked).toEqual([0, LOGIN_INTERVAL, 2 * LOGIN_INTERVAL]);
	});

	it('from the end of one that took its time', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.delay = 5_000;
		const first = getToken(key, iam.fetch);
		await pass(5_000);
		dropToken(key, await first);
		void getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL - 1);
		expect(iam.asked).toEqual([0]);
		await pass(1);
		expect(iam.asked).toEqual([0, 5_000 + LOGIN_INTERVAL]);
	});

	it('or as many as IAM asks for (Retry-After)', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.error = failure(503, MAX_LOGIN_WAIT);
		await said(getToken(key, iam.fetch));
		iam.error = undefined;
		const call = getToken(key, iam.fetch);
		await pass(MAX_LOGIN_WAIT - 1);
		expect(iam.asked).toEqual([0]);
		await pass(1);
		expect(await call).toBe('t2');
	});

	it('and where it asks for more than a minute, its refusal is passed on and nothing is sent', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.error = failure(429, MAX_LOGIN_WAIT + 1_000);
		await said(getToken(key, iam.fetch));
		iam.error = undefined;
		await pass(500);
		expect(await said(getToken(key, iam.fetch))).toBe('no: 429');
		expect(iam.asked).toEqual([0]);
		await pass(500);
		const call = getToken(key, iam.fetch);
		await pass(MAX_LOGIN_WAIT);
		expect(await call).toBe('t2');
	});

	it('after one that was given up', async () => {
		const [key, iam] = [newKey(), new Iam()];
		const stop = new AbortController();
		const first = said(getToken(key, hang, stop.signal));
		await pass(100);
		stop.abort();
		expect(await first).toMatch(/stopped|cancel/i);
		const next = getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL - 101);
		expect(iam.asked).toEqual([]);
		await pass(1);
		expect(await next).toBe('t1');
	});
});

describe('a fault that nobody foresaw', () => {
	const fault = new TypeError('odd');
	const notAnError = 'odd' as unknown as Error;

	it.each<[string, unknown, () => Promise<Token<string>>]>([
		['later', fault, async () => await Promise.reject(fault)],
		[
			'at once',
			fault,
			() => {
				throw fault;
			},
		],
		['with what is no error', notAnError, async () => await Promise.reject<Token<string>>(notAnError)],
	])(
		'reaches all who wait as it is, and the next login is not held up: thrown %s',
		async (_how, error, fetch) => {
			const [key, iam] = [newKey(), new Iam()];
			const seen: unknown[] = [];
			const notice = (reason: unknown) => seen.push(reason);
			const waiting = [1, 2].map(async () => await getToken(key, fetch).catch(notice));
			await Promise.all(waiting);
			expect(seen).toEqual([error, error]);
			expect(seen[0]).toBe(error);
			const next = getToken(key, iam.fetch);
			await pass(LOGIN_INTERVAL);
			expect(await next).toBe('t1');
			expect(iam.asked).toEqual([LOGIN_INTERVAL]);
		},
	);

	it('is told even while there is an old token: nobody knows whether that is still good', async () => {
		const [key, iam] = [newKey(), new Iam()];
		await getToken(key, iam.fetch);
		await pass(24 * HOUR - 4 * MINUTE);
		iam.error = fault;
		await expect(getToken(key, iam.fetch)).rejects.toBe(fault);
		iam.error = undefined;
		const next = getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL);
		expect(await next).toBe('t3');
	});

	it('leaves no wait behind that IAM had asked for before', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.error = failure(429, MAX_LOGIN_WAIT);
		await said(getToken(key, iam.fetch));
		iam.error = fault;
		const failing = said(getToken(key, iam.fetch));
		await pass(MAX_LOGIN_WAIT);
		expect(await failing).toBe('odd');
		iam.error = undefined;
		const next = getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL);
		expect(await next).toBe('t3');
	});
});

describe('a renewal that fails', () => {
	/** A token that is about to end. */
	async function aged() {
		const [key, iam] = [newKey(), new Iam()];
		await getToken(key, iam.fetch);
		await pass(24 * HOUR - 4 * MINUTE);
		return { key, iam };
	}

	it.each([500, 404, undefined])(
		'leaves the old token in use, and is tried again after a minute: HTTP status %s',
		async (httpStatus) => {
			const { key, iam } = await aged();
			iam.error = failure(httpStatus);
			expect(await getToken(key, iam.fetch)).toBe('t1');
			expect(iam.asked).toHaveLength(2);
			await pass(MINUTE - 1);
			expect(await getToken(key, iam.fetch)).toBe('t1');
			expect(iam.asked).toHaveLength(2);
			await pass(1);
			iam.error = undefined;
			expect(await getToken(key, iam.fetch)).toBe('t3');
		},
	);

	it('is tried again when IAM says (Retry-After), if that is later', async () => {
		const { key, iam } = await aged();
		iam.error = failure(429, 90_000);
		expect(await getToken(key, iam.fetch)).toBe('t1');
		await pass(90_000 - 1);
		expect(await getToken(key, iam.fetch)).toBe('t1');
		expect(iam.asked).toHaveLength(2);
		await pass(1);
		iam.error = undefined;
		expect(await getToken(key, iam.fetch)).toBe('t3');
	});

	it.each([401, 403])('since IAM refuses the login is told at once: HTTP status %d', async (httpStatus) => {
		const { key, iam } = await aged();
		iam.error = failure(httpStatus);
		expect(await said(getToken(key, iam.fetch))).toBe(`no: ${httpStatus}`);
	});
});

describe('a login that several wait for', () => {
	it('is one, and all get its token or its error', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.delay = 100;
		const good = [1, 2, 3].map(() => getToken(key, iam.fetch));
		await pass(100);
		expect(await Promise.all(good)).toEqual(['t1', 't1', 't1']);
		dropToken(key, 't1');
		iam.error = failure(500);
		const bad = [1, 2, 3].map(async () => await said(getToken(key, iam.fetch)));
		await pass(LOGIN_INTERVAL + 100);
		expect(await Promise.all(bad)).toEqual(['no: 500', 'no: 500', 'no: 500']);
		expect(iam.asked).toHaveLength(2);
	});

	it('goes on for the others when one of them is stopped', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.delay = 100;
		const stop = new AbortController();
		const stopped = said(getToken(key, iam.fetch, stop.signal));
		const others = [undefined, new AbortController().signal].map(
			async (signal) => await getToken(key, iam.fetch, signal),
		);
		await pass(50);
		stop.abort();
		expect(await stopped).toMatch(/cancel/);
		await pass(50);
		expect(await Promise.all(others)).toEqual(['t1', 't1']);
		expect(iam.asked).toEqual([0]);
	});

	it('that fails brings them one and the same error', async () => {
		const [key, iam] = [newKey(), new Iam()];
		iam.error = failure(500);
		const errors = [1, 2].map(async () => await getToken(key, iam.fetch).catch((error: unknown) => error));
		for (const error of await Promise.all(errors)) expect(error).toBe(iam.error);
	});

	it('is ended by the last of them who is stopped, and by none before', async () => {
		const key = newKey();
		let end: AbortSignal | undefined;
		const hang = async (signal: AbortSignal) => {
			end = signal;
			return await new Promise<Token<string>>(() => {});
		};
		const stops = [1, 2, 3].map(() => new AbortController());
		const calls = stops.map(async ({ signal }) => await said(getToken(key, hang, signal)));
		await pass(0);
		for (const [index, stop] of stops.entries()) {
			expect(end?.aborted).toBe(false);
			stop.abort();
			expect(await calls[index]).toMatch(/stopped|cancel/i);
		}
		expect(end?.aborted).toBe(true);
	});

	it('is not what becomes of one that was given up, nor ended by it', async () => {
		const [key, iam] = [newKey(), new Iam()];
		let fail: (error: Error) => void = () => {};
		const givenUp = async () => await new Promise<Token<string>>((_resolve, reject) => (fail = reject));
		const stop = new AbortController();
		const first = said(getToken(key, givenUp, stop.signal));
		await pass(0);
		stop.abort();
		await first;

		iam.delay = 100;
		const second = getToken(key, iam.fetch);
		await pass(LOGIN_INTERVAL);
		expect(iam.asked).toHaveLength(1);
		// It hears late that it should not have asked for an hour.
		fail(failure(429, HOUR));
		await pass(0);
		const third = getToken(key, iam.fetch);
		await pass(100);
		expect(await Promise.all([second, third])).toEqual(['t1', 't1']);
		expect(iam.asked).toHaveLength(1);
	});

	it('is not ended by those who leave the one before, whenever it begins', async () => {
		for (let moment = 0; moment < 12; moment++) {
			const [key, iam] = [newKey(), new Iam()];
			let fail: (error: Error) => void = () => {};
			const failing = async () => await new Promise<Token<string>>((_resolve, reject) => (fail = reject));
			const early = [
				said(getToken(key, failing)),
				said(getToken(key, failing, new AbortController().signal)),
			];
			await pass(0);
			fail(failure(500));
			for (let i = 0; i < moment; i++) await Promise.resolve();
			const next = said(getToken(key, iam.fetch));
			expect(await Promise.all(early)).toEqual(['no: 500', 'no: 500']);
			const last = said(getToken(key, iam.fetch));
			await pass(2 * LOGIN_INTERVAL);
			expect(iam.asked).toHaveLength(1);
			expect(['no: 500', 't1']).toContain(await next);
			expect(await last).toBe('t1');
		}
	});
});

describe('the token at hand', () => {
	it('is given to those who cannot wait, until it is to be renewed', async () => {
		const [key, iam] = [newKey(), new Iam()];
		expect(tokens.peek(key)).toBeUndefined();
		await getToken(key, iam.fetch);
		expect(tokens.peek(key)).toBe('t1');
		await pass(24 * HOUR - 5 * MINUTE - 1);
		expect(tokens.peek(key)).toBe('t1');
		await pass(1);
		expect(tokens.peek(key)).toBeUndefined();
	});

	it('is none after it was dropped', async () => {
		const [key, iam] = [newKey(), new Iam()];
		await getToken(key, iam.fetch);
		dropToken(key, 't1');
		expect(tokens.peek(key)).toBeUndefined();
	});

	it('of another cache is another', async () => {
		const [key, iam] = [newKey(), new Iam()];
		await getToken(key, iam.fetch);
		expect(new TokenCache<string>().peek(key)).toBeUndefined();
	});
});

it.each<[string, unknown, Record<string, string>, number]>([
	[
		'by the times that IAM gives',
		{ issued_at: '2001-01-01T00:00:00Z', expires_at: '2001-01-01T01:00:00.5Z' },
		{},
		HOUR + 500,
	],
	[
		"by the end and IAM's clock",
		{ expires_at: '2001-01-01T01:00:00Z' },
		{ date: 'Mon, 01 Jan 2001 00:00:00 GMT' },
		HOUR,
	],
	['without an end', { issued_at: '2001-01-01T00:00:00Z' }, {}, Infinity],
	['with an end that is no time', { expires_at: { year: 2001 } }, {}, Infinity],
	['with nothing', undefined, {}, Infinity],
	['with null', null, {}, Infinity],
])('how long a token is valid: %s', (_how, times, headers, lifetime) => {
	expect(lifetimeOf(times, headers)).toBe(lifetime);
});
