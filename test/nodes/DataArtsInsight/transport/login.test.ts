import {
	InputError,
	type RefusalContext,
	RequestError,
} from '../../../../nodes/DataArtsInsight/transport/errors';
import { type LoginProof, loginToken } from '../../../../nodes/DataArtsInsight/transport/login';
import type { OutgoingRequest, ReceivedObject } from '../../../../nodes/DataArtsInsight/transport/request';
import { dropToken, getToken } from '../../../../nodes/DataArtsInsight/transport/tokens';

let count = 0;
/** Another account each time, so that no test meets a token of another. */
const newProof = (): LoginProof => ({
	mode: 'password',
	iamOrigin: 'https://iam.example.com',
	login: { domainName: `account-${++count}`, username: 'user', password: 'MIIsecret', projectId: 'p' },
	allowUnauthorizedCerts: false,
});
const HOUR = 3_600_000;

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
				await expect(loginToken(proof, send)).rejects.toThrow('No token from IAM: no');
			expect(calls).toBe(times);
		},
	);
});

it('a login that cannot even be tried passes on why, each time', async () => {
	const proof = newProof();
	const send = async () => await Promise.reject(new InputError('The proxy is odd', 'Correct it'));
	for (let i = 0; i < 2; i++) await expect(loginToken(proof, send)).rejects.toThrow('The proxy is odd');
});

describe('a token', () => {
	const forever = (value: string) => async () => await Promise.resolve({ value, lifetime: Infinity });

	it('is dropped only if it is the one at hand', async () => {
		await getToken('drop', forever('one'));
		expect(dropToken('drop', 'other')).toBe(false);
		expect(dropToken('drop', 'one')).toBe(true);
		expect(dropToken('drop', 'one')).toBe(false);
		expect(await getToken('drop', forever('two'))).toBe('two');
	});

	it('vanishes when nobody uses it for an hour', async () => {
		// An hour cannot be waited for: the timers are rung by hand, and the clock is set.
		const timers: AbortController[] = [];
		const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
			timers.push(new AbortController());
			return (timers.at(-1) as AbortController).signal;
		});
		const clock = jest.spyOn(performance, 'now');
		const ring = () => timers.shift()?.abort();

		clock.mockReturnValue(0);
		await getToken('idle', forever('one'));
		clock.mockReturnValue(HOUR / 2);
		await getToken('idle', forever('two'));
		clock.mockReturnValue(HOUR);
		ring();
		expect(await getToken('idle', forever('two'))).toBe('one');
		clock.mockReturnValue(2 * HOUR);
		ring();
		expect(await getToken('idle', forever('two'))).toBe('two');
		timeout.mockRestore();
		clock.mockRestore();
	});
});
