import type { JsonObject } from 'n8n-workflow';

import {
	InputError,
	type RefusalContext,
	RequestError,
} from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	copyOf,
	isFinal,
	loginKey,
	type LoginProof,
	loginToken,
	type SendLogin,
} from '../../../../../nodes/DataArtsInsight/transport/identity/login';
import type {
	OutgoingRequest,
	ReceivedObject,
	RequestLimits,
} from '../../../../../nodes/DataArtsInsight/transport/repeat';

let count = 0;
/** Another account each time, so that no test meets a token of another. */
const newProof = (): LoginProof => ({
	mode: 'password',
	iamOrigin: 'https://iam.example.com',
	login: { domainName: `account-${++count}`, username: 'user', password: 'MIIsecret', projectId: 'p' },
	allowUnauthorizedCerts: false,
});
const HOUR = 3_600_000;

beforeEach(() => {
	jest.useFakeTimers();
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

/** Lets all waits of a call pass; its result, or its error. */
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
	const proof = newProof();
	const now = performance.now();
	const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
	await loginToken(proof, send);
	clock.mockReturnValue(now + milliseconds);
	await loginToken(proof, send);
	clock.mockRestore();
	return fetches;
}

describe('a login', () => {
	it('asks IAM to the letter', async () => {
		let seen: [OutgoingRequest, RefusalContext] | undefined;
		const proof = newProof();
		await loginToken(proof, async (request, context) => {
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
						user: { name: 'user', password: 'MIIsecret', domain: { name: proof.login.domainName } },
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

	it.each<[string, (proof: LoginProof) => LoginProof]>([
		['project', (proof) => ({ ...proof, login: { ...proof.login, projectId: 'q' } })],
		['check of certificates', (proof) => ({ ...proof, allowUnauthorizedCerts: true })],
		['user', (proof) => ({ ...proof, login: { ...proof.login, username: 'other' } })],
		['IAM', (proof) => ({ ...proof, iamOrigin: 'https://iam.example.org' })],
	])('gives a token that serves no other %s', async (_what, change) => {
		let fetches = 0;
		const send = async () =>
			await Promise.resolve({ object: {}, headers: { 'x-subject-token': `t${++fetches}` } });
		const proof = newProof();
		expect(await loginToken(proof, send)).toBe('t1');
		expect(await loginToken(change(proof), send)).toBe('t2');
		expect(await loginToken(proof, send)).toBe('t1');
	});

	it('gives a token without an end that is used until it is refused', async () => {
		expect(await fetchesWithin(1000 * HOUR, { object: {} })).toBe(1);
	});

	it('without a token in its answer is no login', async () => {
		const call = loginToken(newProof(), async () => await Promise.resolve({ object: {}, headers: {} }));
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
			const proof = newProof();
			const send = async () => {
				calls++;
				return await Promise.reject(
					new RequestError('no', 'Do', { code: 'A', httpStatus, outcomeUnknown: false }),
				);
			};
			for (let i = 0; i < 2; i++)
				expect(await ended(loginToken(proof, send))).toMatchObject({ message: 'No token from IAM: no' });
			expect(calls).toBe(times);
		},
	);
});

it('a login that cannot even be tried passes on why, each time', async () => {
	const proof = newProof();
	const send = async () => await Promise.reject(new InputError('The proxy is odd', 'Correct it'));
	for (let i = 0; i < 2; i++) expect(await ended(loginToken(proof, send))).toBeInstanceOf(InputError);
});

const failed = (
	details: { code?: string; httpStatus?: number } = {},
	repetition?: { throttled: boolean; after?: number },
) => new RequestError('no', 'Do', { code: 'A', outcomeUnknown: false, ...details }, repetition);

/** IAM as it answers one request after the other; the last answer stays. */
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
			const proof = { ...newProof(), iamOrigin: 'https://iam.cn-north-4.myhuaweicloud.com' };
			const { send, times } = iamOf(failed({ httpStatus }));
			expect(await ended(loginToken(proof, send))).toMatchObject({
				message: 'No token from IAM: no',
				advice: expect.stringContaining('The same login is not tried again for 15 minutes') as string,
			});
			for (const other of [
				{ ...proof, login: { ...proof.login, projectId: 'q' } },
				{ ...proof, iamOrigin: 'https://iam.cn-east-3.myhuaweicloud.com' },
				{ ...proof, allowUnauthorizedCerts: true },
			]) {
				expect(await ended(loginToken(other, send))).toMatchObject({
					advice: expect.stringContaining('Nothing was sent: the same login was refused') as string,
					details: { httpStatus },
				});
			}
			expect(times).toHaveLength(1);
		},
	);

	it.each<[string, Partial<LoginProof['login']>]>([
		['account', { domainName: 'other' }],
		['user', { username: 'other' }],
		['password', { password: 'other' }],
	])('is no login with another %s', async (_what, change) => {
		const proof = newProof();
		const { send, times } = iamOf(failed({ httpStatus: 401 }));
		await ended(loginToken(proof, send));
		await ended(loginToken({ ...proof, login: { ...proof.login, ...change } }, send));
		expect(times).toHaveLength(2);
	});

	it('is no login at another site', async () => {
		const proof = newProof();
		const { send, times } = iamOf(failed({ httpStatus: 401 }));
		await ended(loginToken(proof, send));
		await ended(loginToken({ ...proof, iamOrigin: 'https://iam.example.net' }, send));
		expect(times).toHaveLength(2);
	});
});

describe('a login is repeated', () => {
	it.each<[string, Error, number]>([
		['when IAM has a fault: 500', failed({ httpStatus: 500 }), 3],
		['when a gateway has one: 502', failed({ httpStatus: 502 }), 3],
		['when the connection is lost', failed({ code: 'CONNECTION_LOST' }), 3],
		['when there is no connection', failed({ code: 'CONNECTION_FAILED' }, { throttled: false }), 3],
		['when IAM throttles: 429', failed({ httpStatus: 429 }, { throttled: true }), 3],
		['but not when IAM said no: 499', failed({ httpStatus: 499 }), 1],
		['but not when it did not speak in time', failed({ code: 'TIMEOUT' }), 1],
		[
			'but not when it asks for more than a minute',
			failed({ httpStatus: 429 }, { throttled: true, after: 60_001 }),
			1,
		],
		['but not when it cannot even be tried', new InputError('The proxy is odd', 'Correct it'), 1],
	])('%s', async (_when, error, times) => {
		const iam = iamOf(error);
		const end = await ended(loginToken(newProof(), iam.send));
		expect(iam.times).toHaveLength(times);
		expect((end as Error).message).toBe(
			error instanceof RequestError ? 'No token from IAM: no' : error.message,
		);
	});

	it('at random within a second or two after a fault', async () => {
		const iam = iamOf(failed({ httpStatus: 500 }));
		await ended(loginToken(newProof(), iam.send));
		expect(iam.times.map(Math.round)).toEqual([0, 500, 1_500]);
	});

	it('not before IAM says (Retry-After), with 503 as well', async () => {
		const iam = iamOf(failed({ httpStatus: 503 }, { throttled: true, after: 5_000 }), {});
		expect(await ended(loginToken(newProof(), iam.send))).toBe('t');
		expect(iam.times[1]).toBeGreaterThanOrEqual(5_000);
	});

	it('with limits of its own, since runs share it', async () => {
		const iam = iamOf({});
		await ended(loginToken(newProof(), iam.send));
		const [, context, limits] = iam.seen[0] as [OutgoingRequest, RefusalContext, RequestLimits];
		expect(limits).toMatchObject({
			timeout: 30_000,
			maxRetries: 2,
			signal: expect.any(AbortSignal) as AbortSignal,
		});
		expect(context).toMatchObject({ creates: false, secrets: ['MIIsecret'] });
		expect(context.unauthorized({})).toContain("Check 'Account Name', 'IAM User Name' and 'Password'");
	});
});

it.each([undefined, ['one', 'two']])('the token is one header, not %p', async (value) => {
	const end = await ended(loginToken(newProof(), iamOf({ headers: { 'x-subject-token': value } }).send));
	// A login creates nothing.
	expect(end).toMatchObject({
		message: "No token from IAM: The service answered without the header 'X-Subject-Token'",
		details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: false },
	});
});

it('each who waited for a login gets an error of its own', async () => {
	const proof = newProof();
	const { send, times } = iamOf(failed({ httpStatus: 404 }));
	const [one, other] = await Promise.all([ended(loginToken(proof, send)), ended(loginToken(proof, send))]);
	expect(times).toHaveLength(1);
	expect(one).toEqual(other);
	expect(one).not.toBe(other);
});

it('an answer that has not even a token object is a login all the same', async () => {
	for (const object of [{}, { token: null }] as JsonObject[]) {
		expect(await ended(loginToken(newProof(), iamOf({ object }).send))).toBe('t');
	}
});

it('a token belongs to all that it was fetched with', () => {
	const proof = newProof();
	const keys = [
		proof,
		{ ...proof, iamOrigin: 'https://iam.example.org' },
		{ ...proof, allowUnauthorizedCerts: true },
		...['domainName', 'username', 'password', 'projectId'].map((field) => ({
			...proof,
			login: { ...proof.login, [field]: 'other' },
		})),
	].map(loginKey);
	expect(new Set(keys).size).toBe(7);
	expect(keys.join()).not.toContain('MIIsecret');
});

it.each<[string, number | undefined, boolean]>([
	['BLOCKED', undefined, true],
	['A', undefined, false],
	...[400, 402, 404, 499].map((status): [string, number, boolean] => ['A', status, true]),
	...[200, 302, 399, 401, 403, 408, 429, 500, 503].map((status): [string, number, boolean] => [
		'A',
		status,
		false,
	]),
])(
	'whether the same login would end like this once more: %s, HTTP status %s: %s',
	(code, httpStatus, final) => {
		expect(isFinal(failed({ code, httpStatus }))).toBe(final);
	},
);

it('a copy of an error says the same and knows nothing of the tries of the first', () => {
	const error = failed({ httpStatus: 500 }, { throttled: false });
	error.attempts = 3;
	const copy = copyOf(error);
	expect(copy).toMatchObject({ message: 'no', advice: 'Do', details: error.details, attempts: 1 });
	expect(copy.details).not.toBe(error.details);
});
