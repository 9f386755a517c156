import { createHash } from 'node:crypto';

import fc from 'fast-check';

import { SecretMask } from '../../../../../nodes/DataArtsInsight/transport/errors/secrets';

/** As many hexadecimal digits, with no piece in them twice. */
const digits = (seed: string, length: number) =>
	createHash('shake256', { outputLength: length }).update(seed).digest('hex').slice(0, length);

/** Forms are kept, so a test that is about making them has a secret of its own. */
const mask = (text: string, secrets: string[], limit?: number) => new SecretMask(secrets).mask(text, limit);

describe('a short secret', () => {
	it.each([
		['lion', '***'],
		['a LION.', 'a ***.'],
		['lionlion', '******'],
		['lion, lion', '***, ***'],
		['li on', 'li on'],
		['lio', 'lio'],
		['100%6cion', '100***'],
		['%', '%'],
		['ä lion', 'ä ***'],
	])('%s becomes %s', (text, masked) => {
		expect(mask(text, ['lion'])).toBe(masked);
	});

	it('of three characters is not looked for in any form', () => {
		const secret = 'cat';
		for (const encoding of ['utf8', 'hex', 'base64'] as const) {
			const text = Buffer.from(secret).toString(encoding);
			expect(mask(text, [secret])).toBe(text);
		}
	});

	it('is not looked for in a form that is too short', () => {
		expect(mask('lion abc', ['%6cio', '%41bc'])).toBe('lion abc');
		expect(mask('lion abcd', ['%6cion', '%41bcd'])).toBe('*** ***');
	});

	it('of 31 bytes counts as a whole, one of 32 also in part', () => {
		const secret = digits('whole', 32);
		expect(mask(secret.slice(0, 30), [secret.slice(0, 31)])).toBe(secret.slice(0, 30));
		expect(mask(secret.slice(0, 31), [secret.slice(0, 31)])).toBe('***');
		expect(mask(secret.slice(0, 31), [secret])).toBe('***');
		expect(mask(`${secret.slice(0, 16)} ${secret.slice(16)}`, [secret])).toMatch(/^\*\*\* /);
	});

	it.each([
		['PÄSSwörd', 'pässWÖRD'],
		['Паролъ', 'пАРОЛЪ'],
		['p€ss😀word', 'P€SS😀WORD'],
	])('%s is masked with its letters in an address, whatever their case', (secret, other) => {
		for (const form of [secret, other]) {
			const once = encodeURIComponent(form);
			for (const text of [form, once, once.toLowerCase(), encodeURIComponent(once)]) {
				expect(mask(`https://h/?a=${text}&b`, [secret])).toBe('https://h/?a=***&b');
				expect(new SecretMask([secret]).suspects(text)).toBe(true);
			}
		}
	});

	it('with blanks is masked as a form writes it', () => {
		expect(mask('a=my+pass+word&b', ['my pass word'])).toBe('a=***&b');
		expect(mask('my pass word', ['my pass word'])).toBe('***');
		expect(mask('my pass+word', ['my pass+word'])).toBe('***');
		expect(mask('my+pass word', ['my+pass word'])).toBe('***');
	});
});

describe('base64', () => {
	// In these are letters of both cases, and the digits that base64 and base64url write in their own ways.
	const secrets = ['>>>???~~~', '>>>???~~~x', 'n?>o?~w~~yz', 'Pa55', 'Passw', 'Passwo', 'Passwor'];

	it.each(secrets)('of %s is masked wherever it stands in a longer text', (secret) => {
		for (const encoding of ['base64', 'base64url'] as const) {
			for (const before of ['', 'u', 'us', 'use', 'user:']) {
				for (const after of ['', '!', '!!', '!!!']) {
					const text = Buffer.from(before + secret + after).toString(encoding);
					const masked = mask(`Basic ${text}`, [secret]);
					// The characters that hold bits of what stands beside it may stay.
					expect(masked).toMatch(/^Basic [\w+/-]{0,8}\*\*\*[\w+/-]{0,6}={0,2}$/);
					const rest = Buffer.from(masked.slice(6).replace('***', ''), encoding).toString();
					expect(rest).not.toContain(secret.slice(0, 4));
					// Nothing more than that goes.
					expect(masked.length).toBeGreaterThanOrEqual(
						'Basic ***'.length + Math.floor((before.length * 4) / 3) + Math.floor((after.length * 4) / 3),
					);
				}
			}
		}
	});

	it('is masked to its last character that the secret alone makes up', () => {
		expect(mask(Buffer.from('Passwo').toString('base64'), ['Passwo'])).toBe('***');
		expect(mask(Buffer.from('userPassword').toString('base64'), ['Password'])).toBe('dXNlcl***');
		expect(mask(Buffer.from('user:Password').toString('base64'), ['Password'])).toBe('dXNlcjp***A==');
	});
});

describe('a long secret', () => {
	const secret = `${digits('a', 40)}-${digits('b', 39)}-${digits('c', 50)}`;

	it('is masked with any piece of 31 bytes, wherever it stands', () => {
		const piece = fc
			.nat(secret.length - 31)
			.chain((begin) =>
				fc.integer({ min: begin + 31, max: secret.length }).map((end) => secret.slice(begin, end)),
			);
		const parts = fc.array(fc.tuple(fc.stringMatching(/^[x-z ]{0,40}$/), piece), {
			minLength: 1,
			maxLength: 6,
		});
		fc.assert(
			fc.property(parts, fc.stringMatching(/^[x-z ]{0,40}$/), (list, rest) => {
				const text = list.map(([filler, one]) => filler + one).join('') + rest;
				const masked = mask(text, [secret]);
				expect(masked.replaceAll('***', '')).toBe(list.map(([filler]) => filler).join('') + rest);
				expect(new SecretMask([secret]).suspects(text.toUpperCase())).toBe(true);
			}),
			{ numRuns: 200 },
		);
	});

	it('is masked from its first to its last piece', () => {
		expect(mask(secret.slice(0, 16), [secret])).toBe('***');
		expect(mask(secret.slice(-16), [secret])).toBe('***');
		expect(mask(`${' '.repeat(16)}${secret.slice(-16)}`, [secret])).toBe(`${' '.repeat(16)}***`);
		expect(mask(secret.slice(0, 15), [secret])).toBe(secret.slice(0, 15));
	});

	it('is masked with all that belongs to it and nothing else', () => {
		expect(mask(`x${secret}x`, [secret])).toBe('x***x');
		expect(mask(secret, [secret])).toBe('***');
		expect(mask(`${secret}\n${secret}`, [secret])).toBe('***\n***');
		// What stands before the secret in the text is not what stands before the piece in it.
		expect(mask(`${secret.slice(0, 3)}x${secret.slice(4)}`, [secret])).toBe(`${secret.slice(0, 3)}x***`);
	});

	it('has stars for each of two pieces that touch', () => {
		const repeated = 'abcdefghijklmnopQRSTUVWXYZ0123456789p+-*/!$,;:._<>()[]{}';
		// The second piece follows a `p` in the secret as it does here.
		const text = repeated.slice(0, 16) + repeated.slice(37);
		expect(mask(text, [repeated])).toBe('******');
		// Here too, but not at a multiple of 16.
		const first = 'abcdefghijklmnop0123';
		const second = 'qrst456789*+/=<>[]{}|~^$#@ab';
		expect(mask(first + second, [`${first}uvwxyz-_.,;:!?()3${second}`])).toBe('******');
		expect(mask(secret.slice(0, 16) + secret.slice(64, 80), [secret])).toBe('******');
		expect(mask(secret.slice(0, 20) + secret.slice(64, 95), [secret])).toBe('******');
	});

	it('is looked for at the beginning of its encoded forms alone, which gives it away', () => {
		const other = digits('encoded', 100);
		const hex = Buffer.from(other).toString('hex');
		expect(mask(hex.slice(0, 64), [other])).toBe('***');
		expect(mask(hex.slice(48, 64), [other])).toBe('***');
		expect(mask(hex.slice(64), [other])).toBe(hex.slice(64));
		expect(mask(hex.slice(49, 65), [other])).toBe(hex.slice(49, 65));
		expect(mask(`x ${hex}`, [other])).toBe('x ***');
	});
});

describe('several secrets', () => {
	it.each([
		['tiger lion', '*** ***'],
		['lion tiger', '*** ***'],
		['tigerlion', '******'],
		['a tiger, no cat, a lion', 'a ***, no cat, a ***'],
		// One begins in another, or is a part of it.
		['lionelephant', '***'],
		['an elephantiger', 'an ***'],
		['abcdefghij', '***'],
		['abcdefghijk', '***k'],
	])('%s becomes %s', (text, masked) => {
		expect(mask(text, ['lion', 'tiger', 'lionel', 'elephant', 'phanti', 'cdef', 'abcdefghij', 'efgh'])).toBe(
			masked,
		);
	});

	it('none of them changes nothing', () => {
		expect(mask('a lion %41', [])).toBe('a lion %41');
		expect(new SecretMask([]).suspects('a lion')).toBe(false);
	});
});

describe('the limit', () => {
	it.each([
		[0, ''],
		[2, 'a '],
		[3, 'a ***'],
		[5, 'a ***'],
		[6, 'a ***'],
		[7, 'a ***,'],
		[9, 'a ***, b'],
		[99, 'a ***, b'],
	])('of %d characters is kept to, and cuts no secret', (limit, masked) => {
		expect(mask('a lion, b', ['lion'], limit)).toBe(masked);
	});

	it('does not let what stands far behind it matter', () => {
		expect(mask(`ok${' '.repeat(2_000)}${'lion '.repeat(2_000)}`, ['lion'], 10)).toBe('ok        ');
	});

	it('lets a secret of up to 1024 characters be seen that begins before it', () => {
		const long = 'ab-'.repeat(300);
		expect(mask(`x ${long}`, [long], 5)).toBe('x ***');
	});
});

describe('a text that is full of secrets', () => {
	const pieces = digits('pieces', 64);
	const cases: Array<[string, string, string]> = [
		['short', 'puma', 'puma'],
		['long', pieces, pieces.slice(0, 40)],
	];

	it.each(cases)(
		'is masked one by one up to a thousand, and as a whole beyond: %s',
		(_how, secret, found) => {
			const text = (count: number) => `${found}\n`.repeat(count);
			expect(mask(text(1_000), [secret])).toBe('***\n'.repeat(1_000));
			for (const count of [1_001, 1_002, 3_000]) expect(mask(text(count), [secret])).toBe('***');
			expect(new SecretMask([secret]).suspects(text(3_000))).toBe(true);
		},
	);

	it('counts those of all secrets', () => {
		expect(mask('hare,horse,'.repeat(500), ['hare', 'horse'])).toBe('***,'.repeat(1_000));
		expect(mask(`${'hare,horse,'.repeat(500)}hare`, ['hare', 'horse'])).toBe('***');
	});
});

describe('a text is suspect', () => {
	const suspects = (text: string, ...secrets: string[]) => new SecretMask(secrets).suspects(text);

	it.each(['a\\b', '100%', 'a & b'])('where it may be escaped: %s', (text) => {
		expect(suspects(text, 'lion')).toBe(true);
	});

	it('where it holds a secret, in any case of its letters', () => {
		for (const text of ['lion', 'a LION', 'ä LION', 'bGlvbg==', '6C696F6E']) {
			expect(suspects(text, 'lion')).toBe(true);
		}
		expect(suspects('PÄSSWORD', 'pässword')).toBe(true);
	});

	it.each(['', 'a dog', 'lio n', 'ein Löwe 😀'])('not where it holds none: %s', (text) => {
		expect(suspects(text, 'lion', digits('x', 64))).toBe(false);
	});
});

describe('the forms of secrets', () => {
	/** Whether the forms of a secret have to be made. */
	const makes = (secret: string) => {
		const from = jest.spyOn(Buffer, 'from');
		new SecretMask([secret]);
		const made = from.mock.calls.some(([text]) => (text as unknown) === secret);
		from.mockRestore();
		return made;
	};
	const name = (number: number) => `secret number ${number}`;

	it('are kept for the 32 secrets that were used last, no more', () => {
		for (let i = 0; i < 32; i++) expect(makes(name(i))).toBe(true);
		for (let i = 0; i < 32; i++) expect(makes(name(i))).toBe(false);
		// The first one is used again, so the second one is the oldest.
		expect(makes(name(0))).toBe(false);
		expect(makes(name(32))).toBe(true);
		expect(makes(name(0))).toBe(false);
		expect(makes(name(2))).toBe(false);
		expect(makes(name(1))).toBe(true);
	});

	it('mask the same when they are made anew', () => {
		expect(mask(`a ${name(5)} b`, [name(5)])).toBe('a *** b');
		for (let i = 100; i < 140; i++) expect(mask(`a ${name(i)} b`, [name(i)])).toBe('a *** b');
		expect(mask(`a ${name(5)} b`, [name(5)])).toBe('a *** b');
	});
});
