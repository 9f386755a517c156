import {
	InputError,
	type RequestContext,
	RequestError,
	type RequestErrorDetails,
	type Retry,
} from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	ExchangeError,
	type Interruption,
	type StopReason,
	UnusableProxy,
} from '../../../../nodes/DataArtsInsight/transport/network/failure';
import { ProxyRefusal } from '../../../../nodes/DataArtsInsight/transport/network/undici/connector';
import { MAX_WAIT, Pace } from '../../../../nodes/DataArtsInsight/transport/pace';
import {
	interrupted,
	LOGIN_LIMITS,
	mayBeRepeated,
	receive,
	withLoginRetries,
	withRetries,
} from '../../../../nodes/DataArtsInsight/transport/repeat';
import { fixBackOff } from '../../../support/network/backOff';

afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

const DOUBT = 'Something may exist';
const context: RequestContext = {
	doubt: DOUBT,
	secrets: ['MIIsecret'],
	unauthorized: () => 'Log in again',
};

/** What is thrown at once, or what a promise is rejected with. */
const failureOf = async (act: () => unknown) => {
	try {
		await act();
	} catch (error) {
		return error;
	}
	return undefined;
};

/** Lets all waits pass, and all that follows from them. */
const pass = async (milliseconds: number) => await jest.advanceTimersByTimeAsync(milliseconds);

describe('whether a request may have acted, and may be sent again', () => {
	type Outcome = (given: RequestContext) => RequestError;

	/** What comes of a request that gets this response. */
	const response =
		(status: number, body?: object | string, headers = {}): Outcome =>
		(given) => {
			const text = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
			const missing = ({ id }: { id?: unknown }) => (id ? undefined : 'an ID');
			try {
				receive({ status, headers, text }, given, missing);
			} catch (error) {
				if (error instanceof RequestError) return error;
			}
			throw new Error('The response is a success');
		};

	/** What comes of a request that gets none. */
	const none =
		(
			sent: boolean,
			code?: string,
			stopped?: StopReason,
			cause: Interruption['cause'] = new Error('x'),
		): Outcome =>
		(given) =>
			interrupted(
				new ExchangeError(Object.assign(cause, code && { code }), sent, stopped),
				{ host: 'insight.example.com' },
				given,
			) as RequestError;
	const location = 'https://other.example.com/';
	const throttled = (after?: number) => ({ throttled: true, after });
	const unconnected = { throttled: false };

	it.each<[outcome: string, act: Outcome, code: string, mayHaveActed: boolean, retry: Retry | undefined]>([
		// No connection: nothing was sent.
		['connection refused', none(false, 'ECONNREFUSED'), 'CONNECTION_FAILED', false, unconnected],
		['host not found', none(false, 'ENOTFOUND'), 'CONNECTION_FAILED', false, unconnected],
		['reset before sending', none(false, 'ECONNRESET'), 'CONNECTION_FAILED', false, unconnected],
		['broken off, no code', none(false), 'CONNECTION_FAILED', false, unconnected],
		[
			'service beyond the proxy not reached',
			none(false, undefined, undefined, new ProxyRefusal('HTTP status 502', true)),
			'CONNECTION_FAILED',
			false,
			unconnected,
		],
		// Trying again cannot help.
		['certificate expired', none(false, 'CERT_HAS_EXPIRED'), 'CONNECTION_FAILED', false, undefined],
		[
			'certificate self-signed',
			none(false, 'DEPTH_ZERO_SELF_SIGNED_CERT'),
			'CONNECTION_FAILED',
			false,
			undefined,
		],
		['forbidden by the egress policy', none(false, 'EGRESS_BLOCKED'), 'BLOCKED', false, undefined],
		[
			'refused by the proxy',
			none(false, undefined, undefined, new ProxyRefusal('HTTP status 407', false)),
			'CONNECTION_FAILED',
			false,
			undefined,
		],
		// Ended from this side before it was sent.
		['cancelled before sending', none(false, 'ECONNREFUSED', 'cancelled'), 'CANCELLED', false, undefined],
		['out of time before sending', none(false, 'ECONNREFUSED', 'timeout'), 'TIMEOUT', false, undefined],
		// Sent, and no whole response.
		['connection reset after sending', none(true, 'ECONNRESET'), 'CONNECTION_LOST', true, undefined],
		['refused, but sent', none(true, 'ECONNREFUSED'), 'CONNECTION_LOST', true, undefined],
		['certificate expired, but sent', none(true, 'CERT_HAS_EXPIRED'), 'CONNECTION_LOST', true, undefined],
		['forbidden, but sent', none(true, 'EGRESS_BLOCKED'), 'CONNECTION_LOST', true, undefined],
		['lost, no code', none(true), 'CONNECTION_LOST', true, undefined],
		['timeout', none(true, undefined, 'timeout'), 'TIMEOUT', true, undefined],
		['response too large', none(true, undefined, 'tooLarge'), 'ANSWER_TOO_LARGE', true, undefined],
		['headers too large', none(true, undefined, 'headersTooLarge'), 'ANSWER_TOO_LARGE', true, undefined],
		['cancelled in flight', none(true, undefined, 'cancelled'), 'CANCELLED', true, undefined],
		// Throttled.
		['429', response(429, { error_code: 'APIGW.0308' }), 'APIGW.0308', false, throttled()],
		['429, whoever says so', response(429, 'Slow down'), 'HTTP_429', false, throttled()],
		['429 with Retry-After', response(429, {}, { 'retry-after': '7' }), 'HTTP_429', false, throttled(7_000)],
		['429, Retry-After 0', response(429, {}, { 'retry-after': '0' }), 'HTTP_429', false, throttled(0)],
		[
			'429, Retry-After unknown',
			response(429, {}, { 'retry-after': 'soon' }),
			'HTTP_429',
			false,
			throttled(),
		],
		['503 of APIGW', response(503, { error_code: 'APIGW.0613' }), 'APIGW.0613', false, throttled()],
		['503 of APIG', response(503, { error_code: 'APIG.0613' }), 'APIG.0613', false, throttled()],
		[
			'503 of APIGW with Retry-After',
			response(503, { error_code: 'APIGW.0613' }, { 'retry-after': '0' }),
			'APIGW.0613',
			false,
			throttled(0),
		],
		// Refused.
		[
			'400',
			response(400, { error_code: 'DataArtsInsight.24150005' }),
			'DataArtsInsight.24150005',
			false,
			undefined,
		],
		['400 with Retry-After', response(400, {}, { 'retry-after': '7' }), 'HTTP_400', false, undefined],
		['401', response(401, { error_code: 'APIGW.0301' }), 'APIGW.0301', false, undefined],
		['404', response(404, 'no JSON'), 'HTTP_404', false, undefined],
		['408', response(408), 'HTTP_408', false, undefined],
		['499', response(499), 'HTTP_499', false, undefined],
		['success false', response(200, { is_success: false }), 'HTTP_200', false, undefined],
		[
			'success false, an ID',
			response(299, { is_success: false, error_code: 'DLI.0999', id: 1 }),
			'DLI.0999',
			false,
			undefined,
		],
		// Redirected.
		['300 to somewhere', response(300, '', { location }), 'REDIRECT_REFUSED', false, undefined],
		['301', response(301, '', { location }), 'REDIRECT_REFUSED', false, undefined],
		['302', response(302, '', { location }), 'REDIRECT_REFUSED', false, undefined],
		['307', response(307), 'REDIRECT_REFUSED', false, undefined],
		['308', response(308, '', { location }), 'REDIRECT_REFUSED', false, undefined],
		['303', response(303, '', { location }), 'REDIRECT_REFUSED', true, undefined],
		['303 to nowhere', response(303), 'REDIRECT_REFUSED', true, undefined],
		// A status that is no answer.
		['300', response(300, { id: 1 }), 'HTTP_300', true, undefined],
		['304', response(304), 'HTTP_304', true, undefined],
		['305', response(305), 'HTTP_305', true, undefined],
		['306', response(306), 'HTTP_306', true, undefined],
		['399', response(399), 'HTTP_399', true, undefined],
		['300, success false', response(300, { is_success: false }), 'HTTP_300', true, undefined],
		// Faults of the service.
		['500', response(500, { error_code: 'APIGW.0601' }), 'APIGW.0601', true, undefined],
		['500 with Retry-After', response(500, {}, { 'retry-after': '7' }), 'HTTP_500', true, undefined],
		['502', response(502), 'HTTP_502', true, undefined],
		['503', response(503), 'HTTP_503', true, undefined],
		[
			'503 of the service',
			response(503, { error_code: 'DataArtsInsight.1' }),
			'DataArtsInsight.1',
			true,
			undefined,
		],
		['503 of NoAPIGW', response(503, { error_code: 'NoAPIGW.0613' }), 'NoAPIGW.0613', true, undefined],
		['503 of APIGWX', response(503, { error_code: 'APIGWX.0613' }), 'APIGWX.0613', true, undefined],
		['504', response(504, { error_code: 'APIGW.0201' }), 'APIGW.0201', true, undefined],
		// A success without what was asked for.
		['199 with an ID', response(199, { id: 1 }), 'UNEXPECTED_ANSWER', true, undefined],
		['a list', response(200, '[]'), 'UNEXPECTED_ANSWER', true, undefined],
		['null', response(200, 'null'), 'UNEXPECTED_ANSWER', true, undefined],
		['nothing', response(204), 'UNEXPECTED_ANSWER', true, undefined],
		['no JSON', response(200, '<html>'), 'UNEXPECTED_ANSWER', true, undefined],
		['no ID', response(200, {}), 'UNEXPECTED_ANSWER', true, undefined],
		['no ID, success true', response(200, { is_success: true }), 'UNEXPECTED_ANSWER', true, undefined],
	])('%s', (_outcome, act, code, mayHaveActed, retry) => {
		const error = act(context);
		expect(error.details).toMatchObject({ code, outcomeUnknown: mayHaveActed });
		expect(error.retry).toEqual(retry);
		expect(error.description.includes(DOUBT)).toBe(mayHaveActed);
		// The same request, if it creates nothing.
		const harmless = act({ ...context, doubt: undefined });
		expect(harmless.details).toMatchObject({ code, outcomeUnknown: false });
		expect(harmless.retry).toEqual(retry);
		expect(harmless.description).not.toMatch(/may exist|undefined/);
	});
});

describe('receive', () => {
	const read = (status: number, text: string, headers = {}) => receive({ status, headers, text }, context);

	it.each([200, 201, 299])('takes an object with the status %d for a success, with its headers', (status) => {
		const headers = { 'x-request-id': '7' };
		expect(read(status, '{"id":"1"}', headers)).toEqual({ object: { id: '1' }, headers });
	});

	it.each([
		[300, '{"id":"1"}', 'HTTP_300'],
		[404, '{"error_code":"EPS.0001"}', 'EPS.0001'],
		[500, 'no JSON', 'HTTP_500'],
		[200, '{"is_success":false,"error_code":"DLI.0999"}', 'DLI.0999'],
		[199, '{"id":"1"}', 'UNEXPECTED_ANSWER'],
		[200, '[]', 'UNEXPECTED_ANSWER'],
		[200, '', 'UNEXPECTED_ANSWER'],
	])('takes the status %d with %s for the error %s', async (status, text, code) => {
		const error = await failureOf(() => read(status, text));
		expect(error).toBeInstanceOf(RequestError);
		expect(error).toMatchObject({ details: { code, httpStatus: status } });
	});

	it('says what the response should have held', async () => {
		expect(await failureOf(() => read(200, '[]'))).toMatchObject({
			message: 'The service answered without a JSON object',
		});
		const missing = jest.fn(() => 'an ID');
		const error = await failureOf(() =>
			receive({ status: 201, headers: {}, text: '{"a":1}' }, context, missing),
		);
		expect(error).toMatchObject({
			message: 'The service answered without an ID',
			details: { code: 'UNEXPECTED_ANSWER', httpStatus: 201, outcomeUnknown: true },
		});
		expect(missing.mock.calls).toEqual([[{ a: 1 }]]);
	});

	it('takes an object that lacks nothing for a success', () => {
		const response = { status: 200, headers: {}, text: '{"a":1}' };
		expect(receive(response, context, () => undefined).object).toEqual({ a: 1 });
	});

	it('takes a request that is said to have been carried out for a success', () => {
		expect(read(200, '{"is_success":true}').object).toEqual({ is_success: true });
	});

	it('has the advice of the caller, and what to do if it is not accepted', async () => {
		const advice = { notFound: 'Own notFound' };
		const refused = async (status: number) =>
			await failureOf(() => receive({ status, headers: {}, text: '' }, { ...context, advice }));
		expect(await refused(404)).toMatchObject({ advice: 'Own notFound' });
		expect(await refused(401)).toMatchObject({ advice: 'Log in again' });
	});

	it('passes on no secret that the service repeats, in a success or an error', async () => {
		expect(read(200, '{"a":"token MIIsecret","b":1}').object).toEqual({ a: 'token ***', b: 1 });
		expect(await failureOf(() => read(400, '{"error_msg":"token MIIsecret"}'))).toMatchObject({
			message: 'token ***',
		});
	});

	it('passes on no __proto__, which would change the object that it is copied to', () => {
		const { object } = read(200, '{"__proto__":{"admin":true},"a":1}');
		expect(Object.keys(object)).toEqual(['a']);
	});

	it('does not look through what cannot hold a secret', () => {
		const entries = jest.spyOn(Object, 'entries');
		read(200, '{"a":"b"}');
		expect(entries).not.toHaveBeenCalled();
	});
});

describe('interrupted', () => {
	it('names the host and the proxy, and has the advice of the caller', () => {
		const target = { host: 'insight.example.com', proxyHost: 'proxy.example.com' };
		const advice = { timeout: 'Own timeout' };
		const error = interrupted(new ExchangeError(new Error('x'), false), target, { advice });
		expect(error.message).toContain('insight.example.com through the proxy proxy.example.com');
		const late = interrupted(new ExchangeError(new Error('x'), true, 'timeout'), target, { advice });
		expect(late.description).toBe('Own timeout');
	});

	it('is an input error where the proxy cannot be used', () => {
		const error = interrupted(new UnusableProxy('notAnAddress'), { host: 'insight.example.com' }, {});
		expect(error).toBeInstanceOf(InputError);
		expect(error.message).toContain('not a web address');
	});

	it.each([new TypeError('odd'), 'odd', undefined])('may have acted where nobody foresaw %p', (thrown) => {
		const error = interrupted(thrown, { host: 'insight.example.com' }, { doubt: 'It may exist' });
		expect(error).toMatchObject({
			message: 'The connection to insight.example.com was lost before the whole response had come',
			details: { code: 'CONNECTION_LOST', outcomeUnknown: true },
			retry: undefined,
		});
	});
});

const details = { code: 'APIGW.0308', httpStatus: 429, outcomeUnknown: false };
const throttled = (after?: number) =>
	new RequestError('Too many', 'Wait a minute', details, { retry: { throttled: true, after } });
const unconnected = () =>
	new RequestError(
		'No connection',
		'Check it',
		{ code: 'X', outcomeUnknown: false },
		{ retry: { throttled: false } },
	);
const failed = (httpStatus?: number, code = 'X') =>
	new RequestError('No', 'Check it', { code, httpStatus, outcomeUnknown: false });

describe('withRetries', () => {
	beforeEach(() => jest.useFakeTimers());

	const sent = (
		pace: Pace<RequestError>,
		attempt: () => Promise<unknown>,
		maxRetries = 3,
		signal?: AbortSignal,
	) => withRetries({ maxRetries, signal }, pace, attempt).catch((error: unknown) => error);

	it('gives the result of the first attempt that succeeds', async () => {
		const attempt = jest.fn().mockRejectedValueOnce(unconnected()).mockResolvedValue('done');
		const outcome = sent(new Pace(), attempt as () => Promise<unknown>);
		await pass(60_000);
		expect(await outcome).toBe('done');
		expect(attempt).toHaveBeenCalledTimes(2);
	});

	it.each<[string, (after?: number) => RequestError]>([
		['is throttled', throttled],
		['finds no connection', unconnected],
	])('waits longer each time for what %s', async (_what, error) => {
		fixBackOff(0.5);
		const times: number[] = [];
		const begin = performance.now();
		const outcome = sent(new Pace(), async () => {
			times.push(performance.now() - begin);
			return await Promise.reject(error());
		});
		await pass(60_000);
		expect(((await outcome) as RequestError).description).toContain('Tried 4 times');
		const waits = times.slice(1).map((time, i) => Math.round(time - (times[i] ?? 0)));
		// A throttled request comes back at random within as long again.
		expect(waits).toEqual([500, 1_000, 2_000].map((span) => (error === throttled ? span * 1.5 : span)));
	});

	it.each([0, 1, 2])(
		'sends %d times again at most, and says how often the request was sent',
		async (maxRetries) => {
			fixBackOff(0);
			const error = unconnected();
			const attempt = jest.fn(async () => await Promise.reject(error));
			const outcome = sent(new Pace(), attempt, maxRetries);
			await pass(60_000);
			expect(attempt).toHaveBeenCalledTimes(1 + maxRetries);
			const { description } = (await outcome) as RequestError;
			expect(description).toBe(maxRetries > 0 ? `Check it. Tried ${1 + maxRetries} times` : 'Check it');
			// The error of an attempt is not changed.
			expect(error.description).toBe('Check it');
		},
	);

	it.each<[string, RequestError]>([
		['a refusal', failed(400)],
		['a fault', failed(500)],
		['no response', failed(undefined, 'CONNECTION_LOST')],
	])('sends nothing again after %s', async (_what, error) => {
		const attempt = jest.fn(async () => await Promise.reject(error));
		expect(await sent(new Pace(), attempt)).toMatchObject({ message: 'No', details: error.details });
		expect(attempt).toHaveBeenCalledTimes(1);
	});

	it.each([
		[0, 500],
		[-1_000, 500],
		[200, 500],
		[700, 700],
		[31_000, 31_000],
		[60_000, 60_000],
	])('that is asked to wait for %d ms waits for at least %d', async (after, least) => {
		fixBackOff(0.5);
		let requests = 0;
		const outcome = sent(new Pace(), async () =>
			++requests > 1 ? await Promise.resolve('done') : await Promise.reject(throttled(after)),
		);
		await pass(least - 1);
		expect(requests).toBe(1);
		await pass(least + 1);
		expect(await outcome).toBe('done');
	});

	it('a failed connection holds nobody else back', async () => {
		fixBackOff(1);
		const pace = new Pace<RequestError>();
		void sent(pace, async () => await Promise.reject(unconnected()));
		await pass(10);
		const other = sent(pace, async () => await Promise.resolve('done'));
		await pass(0);
		expect(await other).toBe('done');
		await pass(60_000);
	});

	it('sends nothing once the execution was stopped, and nothing is unknown then', async () => {
		const attempt = jest.fn(async () => await Promise.resolve('done'));
		const error = await sent(new Pace(), attempt, 0, AbortSignal.abort());
		expect(error).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		expect(attempt).not.toHaveBeenCalled();
	});

	it.each<[string, () => RequestError]>([
		['is throttled', () => throttled(30_000)],
		['finds no connection', unconnected],
	])('what %s is not sent again once the execution was stopped meanwhile', async (_what, error) => {
		const stop = new AbortController();
		const attempt = jest.fn(async () => {
			stop.abort();
			return await Promise.reject(error());
		});
		expect(await sent(new Pace(), attempt, 3, stop.signal)).toMatchObject({ message: error().message });
		expect(attempt).toHaveBeenCalledTimes(1);
	});

	it.each<[string, () => RequestError]>([
		['is throttled', () => throttled(30_000)],
		['finds no connection', unconnected],
	])('what %s waits no longer once the execution is stopped', async (_what, error) => {
		fixBackOff(1);
		const stop = new AbortController();
		const attempt = jest.fn(async () => await Promise.reject(error()));
		const outcome = sent(new Pace(), attempt, 3, stop.signal);
		await pass(500);
		stop.abort();
		await pass(100);
		expect(await outcome).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		expect(attempt).toHaveBeenCalledTimes(1);
	});

	it('asks a service that takes no requests for more than a minute no more until then', async () => {
		const pace = new Pace<RequestError>();
		let requests = 0;
		const attempt = async () => {
			requests++;
			return requests > 1
				? await Promise.resolve('done')
				: await Promise.reject(throttled(MAX_WAIT + 30_000));
		};
		const first = (await sent(pace, attempt)) as RequestError;
		expect([first.message, first.description]).toEqual(['Too many', 'Wait a minute']);
		await pass(20_000);
		expect(await sent(pace, attempt)).toMatchObject({
			message: 'Not sent: the service asked for no requests for another 70 seconds',
			details,
			description: 'Wait a minute',
		});
		expect(requests).toBe(1);
		await pass(70_000);
		expect(await sent(pace, attempt)).toBe('done');
		expect(requests).toBe(2);
	});

	it.each([
		[MAX_WAIT, 2],
		[MAX_WAIT + 1, 1],
	])('that is asked to wait for %d ms sends %d times', async (after, times) => {
		fixBackOff(0);
		const retry = { throttled: false, after };
		const attempt = jest.fn(async () => await Promise.reject(unconnected().with({ retry })));
		const outcome = sent(new Pace(), attempt, 1);
		await pass(2 * MAX_WAIT);
		expect(await outcome).toMatchObject({ message: 'No connection' });
		expect(attempt).toHaveBeenCalledTimes(times);
	});

	it('gives a run up whose every request was throttled for five minutes, and says so', async () => {
		fixBackOff(0.5);
		const pace = new Pace<RequestError>();
		let requests = 0;
		const begin = performance.now();
		const outcomes: unknown[] = [];
		// A thousand items, ten requests in flight.
		const worker = async () => {
			for (let i = 0; i < 100; i++) {
				outcomes.push(
					await sent(pace, async () => {
						requests++;
						return await Promise.reject(throttled(60_000));
					}),
				);
			}
		};
		const run = Promise.all(Array.from({ length: 10 }, worker)).then(() => performance.now() - begin);
		await pass(20 * 60_000);
		expect(outcomes).toHaveLength(1_000);
		expect(await run).toBeLessThan(10 * 60_000);
		expect(requests).toBeLessThan(100);
		expect(outcomes.at(-1)).toMatchObject({
			message: 'Not sent: the service has throttled every request for 5 minutes',
			details,
			description: 'Wait a minute',
		});
		// Who waits for longer than a run does asks again.
		expect(await sent(pace, async () => await Promise.resolve('done'))).toBe('done');
	});

	it('goes on as long as the service takes a request now and then', async () => {
		fixBackOff(0.5);
		const pace = new Pace<RequestError>();
		let requests = 0;
		let done = 0;
		const worker = async () => {
			for (let i = 0; i < 40; i++) {
				const outcome = await sent(pace, async () =>
					++requests % 2 > 0 ? await Promise.reject(throttled(30_000)) : await Promise.resolve('done'),
				);
				if (outcome === 'done') done++;
			}
		};
		void worker();
		await pass(60 * 60_000);
		expect(done).toBe(40);
	});

	it.each<[string, unknown, boolean]>([
		['the status 404', failed(404), true],
		['the status 499', failed(499), true],
		['the status 500', failed(500), false],
		['no status', failed(), false],
		['an unknown error', new TypeError('odd'), false],
	])('a request that ends with %s: the service has taken it is %j', async (_how, error, taken) => {
		const pace = new Pace<RequestError>();
		pace.slowDown(0, failed(429));
		await pass(5 * 60_000);
		const attempt = () => {
			throw error;
		};
		expect(await sent(pace, attempt, 0)).toMatchObject({ message: (error as Error).message });
		// Only a run whose every request is throttled for five minutes is given up.
		pace.slowDown(0, failed(429));
		expect(pace.closed() === undefined).toBe(taken);
	});

	it.each<unknown>([new TypeError('odd'), 'text', undefined, null, 0])(
		'passes an unknown thrown value on as it is, at once: %p',
		async (odd) => {
			const attempt = jest.fn(() => {
				throw odd;
			});
			const outcome = await withRetries({ maxRetries: 3 }, new Pace(), attempt).then(
				() => ['succeeded'],
				(error: unknown) => ['failed', error],
			);
			expect(outcome).toEqual(['failed', odd]);
			expect(outcome[1]).toBe(odd);
			expect(attempt).toHaveBeenCalledTimes(1);
		},
	);
});

describe('withLoginRetries', () => {
	beforeEach(() => {
		jest.useFakeTimers();
		fixBackOff(0.5);
	});

	/** Logs in at an IAM that always ends like this. */
	async function logIn(error: Error) {
		const times: number[] = [];
		const begin = performance.now();
		const outcome = withLoginRetries(new AbortController().signal, async () => {
			times.push(performance.now() - begin);
			return await Promise.reject(error);
		}).catch((failure: unknown) => failure);
		await pass(5 * 60_000);
		return { outcome: await outcome, times };
	}

	it.each<[string, Error, number]>([
		['when IAM has a fault: 500', failed(500), 3],
		['when a gateway has one: 502', failed(502), 3],
		['when the connection is lost', failed(undefined, 'CONNECTION_LOST'), 3],
		['when there is no connection', unconnected(), 3],
		['when IAM throttles: 429', throttled(), 3],
		['but not when IAM said no: 401', failed(401), 1],
		['but not when IAM said no: 499', failed(499), 1],
		['but not when the response lacked the token', failed(201, 'UNEXPECTED_ANSWER'), 1],
		['but not when it was too slow', failed(undefined, 'TIMEOUT'), 1],
		['but not when trying cannot help', failed(undefined, 'CONNECTION_FAILED'), 1],
		['but not when it asks for more than a minute', throttled(60_001), 1],
		['but not after an unknown error', new TypeError('odd'), 1],
	])('sends a login again %s', async (_when, error, times) => {
		const login = await logIn(error);
		expect(login.times).toHaveLength(times);
		expect(login.outcome).toMatchObject({ message: error.message });
	});

	it('passes an unknown error on as it is', async () => {
		const error = new TypeError('odd');
		expect((await logIn(error)).outcome).toBe(error);
	});

	it('waits at random within a second or two after a fault, and does not call that throttled', async () => {
		const { times, outcome } = await logIn(failed(500));
		expect(times.map(Math.round)).toEqual([0, 500, 1_500]);
		expect(outcome).toMatchObject({ retry: { throttled: false } });
		expect((outcome as RequestError).description).toBe('Check it. Tried 3 times');
	});

	it('waits as long as IAM says (Retry-After)', async () => {
		const { times } = await logIn(throttled(5_000));
		expect(times[1]).toBeGreaterThanOrEqual(5_000);
	});

	it('has limits of its own, since runs share a login, and passes them on', async () => {
		const { signal } = new AbortController();
		const attempt = jest.fn(async () => await Promise.resolve('token'));
		expect(await withLoginRetries(signal, attempt)).toBe('token');
		expect(LOGIN_LIMITS).toEqual({ timeout: 30_000, maxRetries: 2 });
		expect(attempt.mock.calls).toEqual([[{ ...LOGIN_LIMITS, signal }]]);
	});

	it('sends nothing once nobody waits any more', async () => {
		const attempt = jest.fn(async () => await Promise.resolve('token'));
		const outcome = withLoginRetries(AbortSignal.abort(), attempt);
		await expect(outcome).rejects.toMatchObject({ details: { code: 'CANCELLED' } });
		expect(attempt).not.toHaveBeenCalled();
	});
});

describe('a request whose repeat does no harm', () => {
	const LOST = { code: 'CONNECTION_LOST', outcomeUnknown: true };
	const failing = (...details: Array<RequestErrorDetails | undefined>) => {
		let attempts = 0;
		return async () => {
			const one = details[attempts++];
			if (one) throw new RequestError('It went wrong', 'Look', one);
			return await Promise.resolve(attempts);
		};
	};
	const send = async (attempt: () => Promise<number>, doubt?: string) =>
		await withRetries({ maxRetries: 2, repeatable: true, doubt }, new Pace(), attempt);
	beforeEach(() => fixBackOff(0));
	afterEach(() => jest.restoreAllMocks());

	it('is one that only reads, or that brings something to a stated end', () => {
		expect(mayBeRepeated('GET')).toBe(true);
		expect(mayBeRepeated('POST')).toBe(false);
		expect(mayBeRepeated('POST', true)).toBe(true);
	});

	it.each<[string, RequestErrorDetails]>([
		['a lost response', LOST],
		['a 500', { code: 'HTTP_500', httpStatus: 500, outcomeUnknown: true }],
		['a 504', { code: 'APIGW.0201', httpStatus: 504, outcomeUnknown: true }],
	])('is sent again after %s', async (_what, details) => {
		expect(await send(failing(details))).toBe(2);
	});

	it.each<[string, RequestErrorDetails]>([
		['a timeout', { code: 'TIMEOUT', outcomeUnknown: true }],
		['a 400', { code: 'EndPoint.0002', httpStatus: 400, outcomeUnknown: false }],
		['a page that is no JSON', { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: true }],
		['the stop of the execution', { code: 'CANCELLED', outcomeUnknown: true }],
	])('is not sent again after %s', async (_what, details) => {
		await expect(send(failing(details))).rejects.toMatchObject({ details });
	});

	it('may have acted although its last attempt was refused', async () => {
		const refused = { code: 'EndPoint.0002', httpStatus: 400, outcomeUnknown: false };
		const failure = send(failing(LOST, refused), 'It may have acted');
		await expect(failure).rejects.toMatchObject({
			details: { ...refused, outcomeUnknown: true },
			description: 'Look. It may have acted. Tried 2 times',
		});
		await expect(send(failing(LOST, refused))).rejects.toMatchObject({ details: refused });
		await expect(send(failing(refused), 'It may have acted')).rejects.toMatchObject({ details: refused });
	});
});

it('EndPoint.0022 is throttling, although it is a 400', () => {
	const body = JSON.stringify({ error_code: 'EndPoint.0022', error_msg: 'Too many requests.' });
	const response = { status: 400, headers: { 'retry-after': '3' }, text: body };
	expect(() => receive(response, { secrets: [], unauthorized: () => '', doubt: 'd' })).toThrow(
		expect.objectContaining({
			retry: { throttled: true, after: 3000 },
			details: { code: 'EndPoint.0022', httpStatus: 400, outcomeUnknown: false },
		}) as Error,
	);
});
