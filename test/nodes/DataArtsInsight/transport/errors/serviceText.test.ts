import { SecretMask } from '../../../../../nodes/DataArtsInsight/transport/errors/secrets';
import {
	codeOf,
	hostOf,
	retryAfter,
	textOf,
} from '../../../../../nodes/DataArtsInsight/transport/errors/serviceText';

const mask = new SecretMask(['MIIsecret']);

afterEach(() => jest.restoreAllMocks());

describe('textOf', () => {
	it.each([
		['No quota.', 'No quota'],
		['No quota', 'No quota'],
		['No quota...', 'No quota..'],
		['.5 of it', '.5 of it'],
		['  a \r\n\t b\u0000\u0007c\u200bd ', 'a b c d'],
		['bad (', 'bad ('],
		['{"a":', '{"a":'],
		['a MIIsecret.', 'a ***'],
		['', undefined],
		['.', undefined],
		[' \n ', undefined],
		[5, undefined],
		[null, undefined],
		[undefined, undefined],
		[{ a: 'b' }, undefined],
		[['a'], undefined],
	])('makes %j to %j', (value, text) => {
		expect(textOf(value, mask)).toBe(text);
	});

	it('passes 500 characters on, and the first 500 of a longer text', () => {
		expect(textOf('x'.repeat(500), mask)).toBe('x'.repeat(500));
		expect(textOf(`${'x'.repeat(500)}.`, mask)).toBe('x'.repeat(500));
		expect(textOf('x'.repeat(501), mask)).toBe(`${'x'.repeat(500)}…`);
	});

	it('looks at the first 4096 characters alone', () => {
		expect(textOf(`${' '.repeat(4_095)}ab`, mask)).toBe('a');
		expect(textOf(`${' '.repeat(4_096)}ab`, mask)).toBeUndefined();
	});

	it.each([
		...['canonicalRequest:POST', 'canonical_request POST', 'CanonicalRequest', 'SDK-HMAC-SHA256 Access=AK'],
		...[
			'X-Auth-Token: abc',
			'x-security-token=abc',
			'x-subject-token:abc',
			'X-Sdk-Date: 2026',
			'Authorization: abc',
		],
		...[
			'x-auth-token : abc',
			'x-auth-token\t=abc',
			'x-auth-token" :"abc"',
			"authorization':'abc'",
			'x-sdk-date"=1',
		],
	])('of the request that a gateway repeats shows nothing: %s', (repeated) => {
		expect(textOf(repeated, mask)).toBeUndefined();
		expect(textOf(`Bad signature, of all. ${repeated} x`, mask)).toBe('Bad signature, of all');
		for (const between of [', ', ' {"', " ('", ';\n', ': ', '.  ', ' ,;:("\'{ ']) {
			expect(textOf(`Bad signature, (of) all${between}${repeated} x`, mask)).toBe('Bad signature, (of) all');
		}
	});

	it('leaves what stands before it but for the signs next to it', () => {
		expect(textOf(`a ${'{'.repeat(25)}canonicalRequest`, mask)).toBe(`a ${'{'.repeat(5)}`);
		expect(textOf('a [x] canonicalRequest', mask)).toBe('a [x]');
	});

	it.each([
		...[
			'x-auth-token not found',
			'Authorization is missing',
			'x-sdk-date, x-security-token',
			'canonical request',
		],
		...['x-auth-token"" : abc', 'x-auth-token x: abc', 'canonical-request', 'auth-token: a'],
	])('shows a reason that only names a header: %s', (reason) => {
		expect(textOf(reason, mask)).toBe(reason);
	});
});

describe('codeOf', () => {
	it.each([
		['APIGW.0301', 'APIGW.0301'],
		['a', 'a'],
		['a_b-c.1', 'a_b-c.1'],
		[40, '40'],
		[0, '0'],
		['x'.repeat(64), 'x'.repeat(64)],
		['x'.repeat(65), undefined],
		['', undefined],
		['a b', undefined],
		[' a', undefined],
		['a!', undefined],
		['a\n', undefined],
		['<b>', undefined],
		['MIIsecret', undefined],
		['a.miisecret', undefined],
		[-1, '-1'],
		[1e21, undefined],
		[true, undefined],
		[null, undefined],
		[undefined, undefined],
		[['a'], undefined],
		[{ length: 1 }, undefined],
	])('reads %j as %j', (value, code) => {
		expect(codeOf(value, mask)).toBe(code);
	});
});

describe('hostOf', () => {
	const long = (length: number) => 'https://a.example.com/'.padEnd(length, 'x');

	it.each([
		['https://a.example.com/login?token=abc', 'a.example.com'],
		['https://user:abc@a.example.com:8443/x', 'a.example.com:8443'],
		['http://A.example.com', 'a.example.com'],
		[long(2_048), 'a.example.com'],
		[long(2_049), undefined],
		['/login', undefined],
		['a.example.com', undefined],
		['mailto:a@example.com', undefined],
		['https://', undefined],
		['https://miisecret.example.com/', undefined],
		[undefined, undefined],
		[[], undefined],
		[['https://a.example.com/'], 'a.example.com'],
	])('reads %.60s as %s', (location, host) => {
		expect(hostOf(location, mask)).toBe(host);
	});
});

describe('retryAfter', () => {
	const at = (header: string | string[] | undefined, date?: string) =>
		retryAfter({ 'retry-after': header, date });

	it.each([
		['7', 7_000],
		['0', 0],
		['00', 0],
		['1234567890', 1_234_567_890_000],
		['12345678901', undefined],
		['1.5', 1_500],
		['1.25', 1_250],
		['1.125', 1_125],
		['1.1255', undefined],
		['.5', undefined],
		['1.', undefined],
		['1.x', undefined],
		['1x5', undefined],
		[' 7 ', 7_000],
		['5, 7 ,6', 7_000],
		['5, x', undefined],
		['5,', undefined],
		['-5', undefined],
		['+5', undefined],
		['5s', undefined],
		['s5', undefined],
		['soon', undefined],
		['', undefined],
		[undefined, undefined],
		[[], undefined],
		[['5', '8'], 8_000],
		[['soon', '8', ''], 8_000],
		[['5', 'Wed, 21 Oct 2015 07:28:00 GMT'], 5_000],
		// Of many headers the first ten count.
		[[...Array.from({ length: 9 }, () => '1'), '3', '5'], 3_000],
		// Of 64 characters, and of one more.
		[`${'1, '.repeat(21)}9`, 9_000],
		[`${'1, '.repeat(21)}10`, undefined],
	])('of %j is %s ms', (header, after) => {
		expect(at(header)).toBe(after);
	});

	it.each([
		'Wed, 21 Oct 2026 07:28:00 GMT',
		'Wednesday, 21-Oct-26 07:28:00 GMT',
		'Wed 21 Oct 2026 07:28:00 GMT',
		' wed, 21 oct 2026 07:28:00 gmt ',
		'2026-10-21T07:28:00Z',
		'2026-10-21T09:28:00+02:00',
	])('reads the date %s', (date) => {
		expect(at(date, 'Wed, 21 Oct 2026 07:27:30 GMT')).toBe(30_000);
		// What is over is over.
		expect(at(date, 'Wed, 21 Oct 2026 07:28:30 GMT')).toBe(0);
	});

	it.each([
		'x Wed, 21 Oct 2026 07:28:00 GMT',
		'21 Oct 2026 07:28:00 GMT',
		'W, 21 Oct 2026 07:28:00 GMT',
		'Wed, 21 Oct 2026 07:28:00 GMT+0100',
		'Wed, 21 Oct 2026 07:28:00',
		'Wed, 99 Foo 2026 07:28:00 GMT',
		'2026-10-21',
		'2026-10-21 07:28:00Z',
		'+002026-10-21T07:28:00Z',
		'2026-10-99T07:28:00Z',
		`Wed, 21 Oct 2026 07:28:00${' '.repeat(40)}GMT`,
	])('takes no date from %s', (date) => {
		expect(at(date, 'Wed, 21 Oct 2026 07:27:30 GMT')).toBeUndefined();
	});

	it('goes by the clock of this machine where the service names no time', () => {
		jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-10-21T07:27:00Z'));
		for (const date of [undefined, '', 'today']) {
			expect(at('Wed, 21 Oct 2026 07:28:00 GMT', date)).toBe(60_000);
		}
		// Of a date no more than its first 64 characters are read.
		const padded = 'Wed, 21 Oct 2026 07:27:30 GMT'.padEnd(64);
		expect(at('Wed, 21 Oct 2026 07:28:00 GMT', `${padded}garbage`)).toBe(30_000);
		expect(at('Wed, 21 Oct 2026 07:28:00 GMT', `${padded.slice(1)}garbage`)).toBe(60_000);
	});
});
