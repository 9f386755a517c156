import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	assertNotRefused,
	fingerprint,
	isRefused,
	REFUSAL_KEPT,
	rememberRefusal,
} from '../../../../../nodes/DataArtsInsight/transport/identity/refusals';

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
const refuse = (key: string) => rememberRefusal(key, 'login', new RequestError('no', 'Check it', details));

/** The refusal that is met, if there is one. */
function met(key: string): RequestError | undefined {
	try {
		assertNotRefused(key);
		return undefined;
	} catch (error) {
		return error as RequestError;
	}
}

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

it('each call gets an error of its own: it is told how often that call was tried', () => {
	const key = newKey();
	const first = refuse(key);
	first.attempts = 3;
	first.details.requestId = 'changed';
	const [second, third] = [met(key), met(key)];
	expect(second).not.toBe(third);
	expect(second?.details).not.toBe(third?.details);
	expect(second).toMatchObject({ attempts: 1, details });
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
