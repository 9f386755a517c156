import { InputError, RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	assertNotRefused,
	callerVerdict,
	fingerprint,
	isLoginRefused,
	isRefused,
	isUnauthorized,
	REFUSAL_KEPT,
	rememberRefusal,
} from '../../../../../nodes/DataArtsInsight/transport/identity/refusals';
import { Pace } from '../../../../../nodes/DataArtsInsight/transport/pace';
import { withRetries } from '../../../../../nodes/DataArtsInsight/transport/repeat';
import { fixBackOff } from '../../../../support/network/backOff';

const MINUTE = 60_000;

/** The two clocks of the machine: the one that only goes on, and the one that can be set. */
let now = 1_000_000;
let date = Date.now();
const pass = (milliseconds: number) => {
	now += milliseconds;
	date += milliseconds;
};
const setClock = (milliseconds: number) => (date += milliseconds);
beforeEach(() => {
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	jest.spyOn(Date, 'now').mockImplementation(() => date);
});
afterEach(() => jest.restoreAllMocks());

let count = 0;
const newKey = () => `key-${++count}`;

const details = { code: 'APIGW.0301', httpStatus: 401, requestId: 'r-1', outcomeUnknown: false };
const refuse = (key: string, what = 'login') =>
	rememberRefusal(key, what, new RequestError('no', 'Check it', details));

/** The refusal that is met, if there is one. */
function met(key: string): RequestError | undefined {
	try {
		assertNotRefused(key);
		return undefined;
	} catch (error) {
		return error as RequestError;
	}
}

const failed = (httpStatus?: number, code = 'A') =>
	new RequestError('no', 'Do', { code, httpStatus, outcomeUnknown: false });

describe('what an error tells of who called', () => {
	it.each<[string, unknown, string]>([
		['a refusal', failed(401), 'refused'],
		['a refusal with any code', failed(401, 'APIGW.0101'), 'refused'],
		['no error of a request', new InputError('no', 'Do'), 'nothing'],
		['no error at all', undefined, 'nothing'],
		['no response', failed(), 'nothing'],
		['a page that is no response', failed(200, 'UNEXPECTED_ANSWER'), 'nothing'],
		['a gateway without such an API', failed(404, 'APIGW.0101'), 'nothing'],
		['a gateway without such an API, by its older name', failed(404, 'APIG.0101'), 'nothing'],
		['another code of the gateway', failed(403, 'APIGW.0302'), 'accepted'],
		['a code that only holds that of a gateway', failed(404, 'MY-APIG.0101'), 'accepted'],
		...[200, 299, 400, 403, 404, 409, 499].map((status): [string, unknown, string] => [
			`status ${status}`,
			failed(status),
			'accepted',
		]),
		...[100, 199, 300, 399, 407, 408, 429, 500, 503].map((status): [string, unknown, string] => [
			`status ${status}`,
			failed(status),
			'nothing',
		]),
	])('%s', (_what, error, verdict) => {
		expect(callerVerdict(error)).toBe(verdict);
		expect(isUnauthorized(error)).toBe(verdict === 'refused');
	});
});

it.each([
	[401, true],
	[403, true],
	[undefined, false],
	[400, false],
	[402, false],
	[404, false],
	[500, false],
])('whether IAM has refused the login itself: HTTP status %s: %s', (httpStatus, refused) => {
	expect(isLoginRefused(failed(httpStatus))).toBe(refused);
});

it('what was never refused is not refused', () => {
	const key = newKey();
	expect(isRefused(key)).toBe(false);
	expect(met(key)).toBeUndefined();
});

it('a refusal says that the same is not tried again, and the next time that nothing was sent', () => {
	const key = newKey();
	const again =
		'The same login is not tried again for 15 minutes after a refusal, unless the credential changes';
	expect(refuse(key)).toMatchObject({ message: 'no', advice: `Check it. ${again}`, details });
	expect(isRefused(key)).toBe(true);
	const error = met(key);
	expect(error).toBeInstanceOf(RequestError);
	expect(error).toMatchObject({
		message: 'no',
		advice: `Nothing was sent: the same login was refused. Check it. ${again}`,
		details,
	});
});

it('a refusal leaves no doubt about the outcome, whatever was thought before', () => {
	const doubtful = new RequestError('no', 'Check it', { ...details, outcomeUnknown: true });
	expect(rememberRefusal(newKey(), 'login', doubtful).details.outcomeUnknown).toBe(false);
});

it('a refusal is one error for all callers, and none of them changes it', async () => {
	const key = newKey();
	refuse(key);
	const refusal = met(key);
	const { description } = refusal as RequestError;
	fixBackOff(0);
	/** A caller whose request fails as often before it meets the refusal. */
	const callAfter = async (failures: number) => {
		const again = new RequestError('later', 'Wait', failed(500).details, { retry: { throttled: false } });
		return await withRetries({ maxRetries: failures }, new Pace(), async () => {
			if (failures-- > 0) return await Promise.reject(again);
			assertNotRefused(key);
		}).catch((error: unknown) => error);
	};
	expect(await Promise.all([2, 0].map(callAfter))).toMatchObject([
		{ message: 'no', description: `${description.replace('. Request', '. Tried 3 times. Request')}` },
		{ message: 'no', description },
	]);
	expect(met(key)).toBe(refusal);
	expect(refusal).toMatchObject({ description, details });
});

it('a refusal stands for 15 minutes, and not for a millisecond more', () => {
	const [key, other] = [newKey(), newKey()];
	refuse(key);
	refuse(other);
	pass(REFUSAL_KEPT - 1);
	expect(isRefused(key)).toBe(true);
	expect(met(key)).toBeDefined();
	pass(1);
	expect(isRefused(key)).toBe(false);
	expect(met(key)).toBeUndefined();
	expect(met(other)).toBeUndefined();
});

it('a refusal that comes again stands from then on', () => {
	const key = newKey();
	refuse(key);
	pass(10 * MINUTE);
	refuse(key);
	pass(10 * MINUTE);
	expect(isRefused(key)).toBe(true);
});

it.each([1, -1])('a clock that was set by a minute may have been the reason: %d', (sign) => {
	const [key, other] = [newKey(), newKey()];
	refuse(key);
	refuse(other);
	setClock(sign * (MINUTE - 1));
	expect(isRefused(key)).toBe(true);
	expect(met(key)).toBeDefined();
	setClock(sign);
	expect(isRefused(key)).toBe(false);
	expect(met(key)).toBeUndefined();
	// Once it does not stand, it is forgotten for good.
	setClock(-sign * MINUTE);
	expect(isRefused(key)).toBe(false);
	expect(isRefused(other)).toBe(true);
});

it('a refusal that does not stand goes when another comes, and does not come back with the clock', () => {
	pass(60 * MINUTE);
	const [key, next] = [newKey(), newKey()];
	refuse(key);
	setClock(20 * MINUTE);
	refuse(next);
	setClock(-20 * MINUTE);
	expect(isRefused(key)).toBe(false);
});

it('refusals of another kind take the place of none: what locks nobody must not hide what does', () => {
	const key = newKey();
	refuse(key, 'access key');
	for (let i = 0; i < 1_001; i++) refuse(newKey(), 'agency');
	expect(isRefused(key)).toBe(true);
});

it('of 1000 refusals the oldest goes when there is another, counted from when it came last', () => {
	pass(60 * MINUTE);
	const keys = Array.from({ length: 1_000 }, newKey);
	for (const key of keys) refuse(key);
	const [first = '', second = '', third = ''] = keys;
	expect(isRefused(first)).toBe(true);
	refuse(newKey());
	expect([first, second, third].map(isRefused)).toEqual([false, true, true]);
	refuse(second);
	refuse(newKey());
	refuse(newKey());
	expect([second, third].map(isRefused)).toEqual([true, false]);
});

it('a fingerprint tells values apart by their places and kinds, and shows none of them', () => {
	const prints = [
		fingerprint('ab', 'c'),
		fingerprint('a', 'bc'),
		fingerprint('c', 'ab'),
		fingerprint('ab', 'c', ''),
		fingerprint('ab', 'c', true),
		fingerprint('ab', 'c', false),
		fingerprint('ab', 'c', 'true'),
		fingerprint('ab","c'),
	];
	expect(new Set(prints).size).toBe(prints.length);
	for (const print of prints) expect(print).toMatch(/^[\da-f]{64}$/);
	expect(fingerprint('ab', 'c')).toBe(fingerprint('ab', 'c'));
});
