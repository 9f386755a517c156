import type { JsonObject } from 'n8n-workflow';

import type { ReceivedObject } from '../../../../../nodes/DataArtsInsight/transport/errors/answer';
import {
	InputError,
	type RequestContext,
	RequestError,
} from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	type LoginAuthentication,
	loginKey,
	loginSource,
} from '../../../../../nodes/DataArtsInsight/transport/identity/login';
import type { SendLogin } from '../../../../../nodes/DataArtsInsight/transport/identity/tokenSource';
import type { HttpRequest } from '../../../../../nodes/DataArtsInsight/transport/network/network';
import { Pace } from '../../../../../nodes/DataArtsInsight/transport/pace';
import {
	type RequestLimits,
	withLoginRetries,
	withRetries,
} from '../../../../../nodes/DataArtsInsight/transport/repeat';
import { fixBackOff } from '../../../../support/network/backOff';

let count = 0;
/** Another account each time, so that no test meets a token of another. */
const newAuthentication = (): LoginAuthentication => ({
	mode: 'password',
	iamOrigin: 'https://iam.example.com',
	login: { domainName: `account-${++count}`, username: 'user', password: 'MIIsecret', projectId: 'p' },
	allowUnauthorizedCerts: false,
	site: 'example.com',
});
const loginToken = async (authentication: LoginAuthentication, send: SendLogin, signal?: AbortSignal) =>
	await loginSource(authentication, send).get(signal);
const HOUR = 3_600_000;

beforeEach(() => {
	jest.useFakeTimers();
	// Time for a wait passes with that of the test; that after which a token is forgotten does not.
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((after) => {
		const timer = new AbortController();
		if (after <= 60_000) setTimeout(() => timer.abort(), after);
		return timer.signal;
	});
	fixBackOff(0.5);
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

/** Lets all waits pass; its result, or its error. */
async function ended(call: Promise<string>): Promise<unknown> {
	const end = call.catch((error: unknown) => error);
	await jest.advanceTimersByTimeAsync(4 * 60_000);
	return await end;
}

/** How long a token lives, seen by when the next one is fetched. */
async function fetchesWithin(milliseconds: number, answer: Partial<ReceivedObject>): Promise<number> {
	let fetches = 0;
	const send = async () => {
		const headers = { 'x-subject-token': `t${++fetches}`, ...answer.headers };
		return await Promise.resolve({ object: {}, ...answer, headers });
	};
	const authentication = newAuthentication();
	const now = performance.now();
	const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
	await loginToken(authentication, send);
	clock.mockReturnValue(now + milliseconds);
	await loginToken(authentication, send);
	clock.mockRestore();
	return fetches;
}

describe('a login', () => {
	it('asks IAM to the letter', async () => {
		let seen: [HttpRequest, RequestContext] | undefined;
		const authentication = newAuthentication();
		await loginToken(authentication, async (request, context) => {
			seen = [request, context];
			return await Promise.resolve({ object: {}, headers: { 'x-subject-token': 't' } });
		});
		expect(seen?.[0]).toMatchObject({
			method: 'POST',
			origin: 'https://iam.example.com',
			path: '/v3/auth/tokens?nocatalog=true',
			headers: { 'Content-Type': 'application/json' },
		});
		expect(JSON.parse(seen?.[0].body ?? '')).toEqual({
			auth: {
				identity: {
					methods: ['password'],
					password: {
						user: { name: 'user', password: 'MIIsecret', domain: { name: authentication.login.domainName } },
					},
				},
				scope: { project: { id: 'p' } },
			},
		});
	});

	it.each<[string, Partial<ReceivedObject>, number, number]>([
		[
			'by the times in the answer, whatever the clock of n8n says',
			{
				object: {
					token: { issued_at: '2001-01-01T00:00:00.000000Z', expires_at: '2001-01-02T00:00:00.000000Z' },
				},
			},
			23 * HOUR,
			24 * HOUR,
		],
		[
			"by IAM's own clock where it does not say when it began",
			{
				object: { token: { expires_at: '2001-01-02T00:00:00.000000Z' } },
				headers: { date: 'Mon, 01 Jan 2001 00:00:00 GMT' },
			},
			23 * HOUR,
			24 * HOUR,
		],
		[
			"by n8n's clock where IAM does not tell the time",
			{ object: { token: { expires_at: new Date(Date.now() + 24 * HOUR).toISOString() } } },
			23 * HOUR,
			24 * HOUR,
		],
	])('gives a token that is renewed in time: %s', async (_how, answer, before, after) => {
		expect(await fetchesWithin(before, answer)).toBe(1);
		expect(await fetchesWithin(after, answer)).toBe(2);
	});

	it('gives a token that is renewed five minutes before its end', async () => {
		const answer = {
			object: { token: { issued_at: '2001-01-01T00:00:00.000Z', expires_at: '2001-01-02T00:00:00.000Z' } },
		};
		expect(await fetchesWithin(24 * HOUR - 6 * 60_000, answer)).toBe(1);
		expect(await fetchesWithin(24 * HOUR - 4 * 60_000, answer)).toBe(2);
	});

	it.each<[string, (authentication: LoginAuthentication) => LoginAuthentication]>([
		[
			'project',
			(authentication) => ({ ...authentication, login: { ...authentication.login, projectId: 'q' } }),
		],
		['check of certificates', (authentication) => ({ ...authentication, allowUnauthorizedCerts: true })],
		[
			'user',
			(authentication) => ({ ...authentication, login: { ...authentication.login, username: 'other' } }),
		],
		['IAM', (authentication) => ({ ...authentication, iamOrigin: 'https://iam.example.org' })],
	])('gives a token that serves no other %s', async (_what, change) => {
		let fetches = 0;
		const send = async () =>
			await Promise.resolve({ object: {}, headers: { 'x-subject-token': `t${++fetches}` } });
		const authentication = newAuthentication();
		expect(await loginToken(authentication, send)).toBe('t1');
		expect(await loginToken(change(authentication), send)).toBe('t2');
		expect(await loginToken(authentication, send)).toBe('t1');
	});

	it('gives a token without an end that is used until it is refused', async () => {
		expect(await fetchesWithin(1000 * HOUR, { object: {} })).toBe(1);
	});

	it('without a token in its answer is no login', async () => {
		const call = loginToken(
			newAuthentication(),
			async () => await Promise.resolve({ object: {}, headers: {} }),
		);
		await expect(call).rejects.toThrow(
			"No token from IAM: The service answered without the header 'X-Subject-Token'",
		);
	});

	it.each([
		[401, 1],
		[403, 1],
		[400, 2],
		[undefined, 2],
	])(
		'that fails with HTTP status %s is made %d times when it is asked for twice',
		async (httpStatus, times) => {
			let calls = 0;
			const authentication = newAuthentication();
			const send = async () => {
				calls++;
				return await Promise.reject(
					new RequestError('no', 'Do', { code: 'A', httpStatus, outcomeUnknown: false }),
				);
			};
			for (let i = 0; i < 2; i++)
				expect(await ended(loginToken(authentication, send))).toMatchObject({
					message: 'No token from IAM: no',
				});
			expect(calls).toBe(times);
		},
	);
});

it('a login that cannot even be tried passes on why, each time', async () => {
	const authentication = newAuthentication();
	const send = async () => await Promise.reject(new InputError('The proxy is odd', 'Correct it'));
	for (let i = 0; i < 2; i++)
		expect(await ended(loginToken(authentication, send))).toBeInstanceOf(InputError);
});

const failed = (
	details: { code?: string; httpStatus?: number } = {},
	retry?: { throttled: boolean; after?: number },
) => new RequestError('no', 'Do', { code: 'A', outcomeUnknown: false, ...details }, { retry });

/** IAM as it answers one request after the other; the last answer stays. Nothing is sent again. */
function iamOf(...answers: Array<Error | Partial<ReceivedObject>>) {
	const begin = performance.now();
	const times: number[] = [];
	const seen: Array<Parameters<SendLogin>> = [];
	const send: SendLogin = async (...args) => {
		seen.push(args);
		times.push(performance.now() - begin);
		const answer = answers[Math.min(times.length, answers.length) - 1] ?? {};
		if (answer instanceof Error) return await Promise.reject(answer);
		return await Promise.resolve({ object: {}, headers: { 'x-subject-token': 't' }, ...answer });
	};
	return { send, times, seen };
}

describe('what IAM has refused', () => {
	it.each([401, 403])(
		'is the login, for any project and region of the site: HTTP status %d',
		async (httpStatus) => {
			const authentication = {
				...newAuthentication(),
				iamOrigin: 'https://iam.cn-north-4.myhuaweicloud.com',
			};
			const { send, times } = iamOf(failed({ httpStatus }));
			expect(await ended(loginToken(authentication, send))).toMatchObject({
				message: 'No token from IAM: no',
				advice: expect.stringContaining('The same login is not tried again for 15 minutes') as string,
			});
			for (const other of [
				{ ...authentication, login: { ...authentication.login, projectId: 'q' } },
				{ ...authentication, iamOrigin: 'https://iam.cn-east-3.myhuaweicloud.com' },
				{ ...authentication, allowUnauthorizedCerts: true },
			]) {
				expect(await ended(loginToken(other, send))).toMatchObject({
					advice: expect.stringContaining('Nothing was sent: the same login was refused') as string,
					details: { httpStatus },
				});
			}
			expect(times).toHaveLength(1);
		},
	);

	it.each<[string, Partial<LoginAuthentication['login']>]>([
		['account', { domainName: 'other' }],
		['user', { username: 'other' }],
		['password', { password: 'other' }],
	])('is no login with another %s', async (_what, change) => {
		const authentication = newAuthentication();
		const { send, times } = iamOf(failed({ httpStatus: 401 }));
		await ended(loginToken(authentication, send));
		await ended(loginToken({ ...authentication, login: { ...authentication.login, ...change } }, send));
		expect(times).toHaveLength(2);
	});

	it('is no login at another site', async () => {
		const authentication = newAuthentication();
		const { send, times } = iamOf(failed({ httpStatus: 401 }));
		await ended(loginToken(authentication, send));
		await ended(loginToken({ ...authentication, site: 'example.net' }, send));
		expect(times).toHaveLength(2);
	});
});

describe('a login with retries', () => {
	/** Logs in by way of what sends a login again, as the client does. */
	async function logInWithRetries(...answers: Parameters<typeof iamOf>) {
		const iam = iamOf(...answers);
		const limits: RequestLimits[] = [];
		const send: SendLogin = async (request, context, end) =>
			await withLoginRetries(end, async (loginLimits) => {
				limits.push(loginLimits);
				return await iam.send(request, context, end);
			});
		const end = await ended(loginToken(newAuthentication(), send));
		return { end, limits, times: iam.times };
	}

	it.each<[string, Error, number]>([
		['is sent again when IAM has a fault: 500', failed({ httpStatus: 500 }), 3],
		['is sent again when a gateway has one: 502', failed({ httpStatus: 502 }), 3],
		['is sent again when the connection is lost', failed({ code: 'CONNECTION_LOST' }), 3],
		[
			'is sent again when there is no connection',
			failed({ code: 'CONNECTION_FAILED' }, { throttled: false }),
			3,
		],
		['is sent again when IAM throttles: 429', failed({ httpStatus: 429 }, { throttled: true }), 3],
		['is not sent again when IAM said no: 499', failed({ httpStatus: 499 }), 1],
		['is not sent again when IAM did not answer in time', failed({ code: 'TIMEOUT' }), 1],
		[
			'is not sent again when IAM asks for more than a minute',
			failed({ httpStatus: 429 }, { throttled: true, after: 60_001 }),
			1,
		],
		['is not sent again when it cannot even be sent', new InputError('The proxy is odd', 'Correct it'), 1],
		['is not sent again after a fault that nobody foresaw', new TypeError('odd'), 1],
	])('%s', async (_when, error, times) => {
		const login = await logInWithRetries(error);
		expect(login.times).toHaveLength(times);
		expect((login.end as Error).message).toBe(
			error instanceof RequestError ? 'No token from IAM: no' : error.message,
		);
	});

	it('waits at random for up to a second or two after a fault', async () => {
		const { times } = await logInWithRetries(failed({ httpStatus: 500 }));
		expect(times.map(Math.round)).toEqual([0, 500, 1_500]);
	});

	it('waits as long as IAM says (Retry-After), with 503 as well', async () => {
		const { end, times } = await logInWithRetries(
			failed({ httpStatus: 503 }, { throttled: true, after: 5_000 }),
			{},
		);
		expect(end).toBe('t');
		expect(times[1]).toBeGreaterThanOrEqual(5_000);
	});

	it('has limits of its own, since runs share it', async () => {
		const { limits } = await logInWithRetries({});
		expect(limits).toEqual([
			{ timeout: 30_000, maxRetries: 2, signal: expect.any(AbortSignal) as AbortSignal },
		]);
	});

	const failures: Array<[string, RequestError, number]> = [
		['IAM has a fault', failed({ httpStatus: 500 }), 3],
		['IAM answers nothing', failed({ code: 'CONNECTION_LOST' }), 3],
		['IAM throttles', failed({ httpStatus: 429 }, { throttled: true }), 3],
		['IAM asks for more than a minute', failed({ httpStatus: 429 }, { throttled: true, after: 61_000 }), 1],
	];

	it.each(
		failures.flatMap(([why, ...rest]) => [
			{ why: `${why} before what may act`, repeatable: false, rest },
			{ why: `${why} before what only reads`, repeatable: true, rest },
		]),
	)(
		'that failed is not sent again by the request that needs it, nor holds back the run: $why',
		async ({ repeatable, rest: [error, times] }) => {
			const pace = new Pace<RequestError>();
			const slowDown = jest.spyOn(pace, 'slowDown');
			const iam = iamOf(error);
			const send: SendLogin = async (request, context, end) =>
				await withLoginRetries(end, async () => await iam.send(request, context, end));
			const authentication = newAuthentication();
			const request = withRetries(
				{ maxRetries: 5, repeatable },
				pace,
				async () => await loginToken(authentication, send),
			);
			expect(await ended(request)).toMatchObject({ message: 'No token from IAM: no' });
			expect(iam.times).toHaveLength(times);
			expect(slowDown).not.toHaveBeenCalled();
		},
	);
});

it('a login says what not to show, and what to do where IAM refuses it', async () => {
	const iam = iamOf({});
	await ended(loginToken(newAuthentication(), iam.send));
	const [, context, signal] = iam.seen[0] ?? [];
	expect(signal).toBeInstanceOf(AbortSignal);
	expect(context?.secrets).toEqual(['MIIsecret']);
	expect(context).not.toHaveProperty('doubt');
	expect(context?.unauthorized({})).toContain("Check 'Account Name', 'IAM User Name' and 'Password'");
	// IAM finds no such project (404).
	expect(context?.advice?.notFound).toContain(
		"'Project ID' in the credential, or in the options of the node",
	);
});

it.each([undefined, ['one', 'two']])('the token is one header, not %p', async (value) => {
	const end = await ended(
		loginToken(newAuthentication(), iamOf({ headers: { 'x-subject-token': value } }).send),
	);
	// A login creates nothing.
	expect(end).toMatchObject({
		message: "No token from IAM: The service answered without the header 'X-Subject-Token'",
		details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: false },
	});
});

it('all who waited for a login get one error, and none of them changes it', async () => {
	fixBackOff(0);
	const authentication = newAuthentication();
	const { send, times } = iamOf(failed({ httpStatus: 404 }));
	const seen: unknown[] = [];
	/** One who needs the login, after his request has failed as often. */
	const callAfter = async (failures: number) =>
		await withRetries({ maxRetries: failures }, new Pace(), async () => {
			if (failures-- > 0) throw failed({}, { throttled: false });
			return await loginToken(authentication, send).catch((error: unknown) => {
				seen.push(error);
				throw error;
			});
		}).catch((error: unknown) => error);
	const errors = await Promise.all([callAfter(0), callAfter(0)]);
	expect(times).toHaveLength(1);
	expect(seen[0]).toBe(seen[1]);
	expect(errors[0]).not.toBe(errors[1]);
	expect(errors[0]).toEqual(errors[1]);
	expect(seen[0]).toMatchObject({ message: 'No token from IAM: no', description: 'Do' });
});

it.each<[string, () => Promise<never>]>([
	['later', async () => await Promise.reject(new TypeError('odd'))],
	[
		'at once',
		() => {
			throw new TypeError('odd');
		},
	],
])(
	'a fault that nobody foresaw reaches the caller as it is, and the next login begins: thrown %s',
	async (_how, fail) => {
		const authentication = newAuthentication();
		const fault = await ended(loginToken(authentication, fail));
		expect(fault).toBeInstanceOf(TypeError);
		expect(fault).toMatchObject({ message: 'odd' });
		expect(await ended(loginToken(authentication, iamOf({}).send))).toBe('t');
	},
);

it('a login goes on for the second run when the first is stopped', async () => {
	const authentication = newAuthentication();
	let end: AbortSignal | undefined;
	const send: SendLogin = async (_request, _context, signal) => {
		end = signal;
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		return { object: {}, headers: { 'x-subject-token': 't' } };
	};
	const stop = new AbortController();
	const runs = [stop.signal, new AbortController().signal].map(
		async (signal) => await loginToken(authentication, send, signal).catch((error: unknown) => error),
	);
	await jest.advanceTimersByTimeAsync(500);
	stop.abort();
	expect(await runs[0]).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
	expect(end?.aborted).toBe(false);
	await jest.advanceTimersByTimeAsync(500);
	expect(await runs[1]).toBe('t');
});

it('a login that never ends is given up when the run is stopped, and the next login begins', async () => {
	const authentication = newAuthentication();
	let end: AbortSignal | undefined;
	const hang: SendLogin = async (_request, _context, signal) => {
		end = signal;
		return await new Promise(() => {});
	};
	const stop = new AbortController();
	const run = loginToken(authentication, hang, stop.signal).catch((error: unknown) => error);
	await jest.advanceTimersByTimeAsync(0);
	stop.abort();
	expect(await run).toMatchObject({ details: { code: 'CANCELLED' } });
	expect(end?.aborted).toBe(true);
	expect(await ended(loginToken(authentication, iamOf({}).send))).toBe('t');
});

it('an answer that has not even a token object is a login all the same', async () => {
	for (const object of [{}, { token: null }] as JsonObject[]) {
		expect(await ended(loginToken(newAuthentication(), iamOf({ object }).send))).toBe('t');
	}
});

it('a token belongs to all that it was fetched with', () => {
	const authentication = newAuthentication();
	const keys = [
		authentication,
		{ ...authentication, iamOrigin: 'https://iam.example.org' },
		{ ...authentication, allowUnauthorizedCerts: true },
		...['domainName', 'username', 'password', 'projectId'].map((field) => ({
			...authentication,
			login: { ...authentication.login, [field]: 'other' },
		})),
	].map(loginKey);
	expect(new Set(keys).size).toBe(7);
	expect(keys.join()).not.toContain('MIIsecret');
});
