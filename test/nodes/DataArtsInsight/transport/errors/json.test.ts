import fc from 'fast-check';

import { cleanObject, readJson } from '../../../../../nodes/DataArtsInsight/transport/errors/json';
import { SecretMask } from '../../../../../nodes/DataArtsInsight/transport/errors/secrets';

describe('readJson', () => {
	it('reads what JSON.parse reads', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				// Long integers are what it reads otherwise.
				if (/\d{16}/.test(text)) return;
				expect(readJson(text)).toEqual(JSON.parse(text));
				expect(readJson(JSON.stringify(JSON.parse(text), null, 2))).toEqual(JSON.parse(text));
			}),
		);
	});

	it.each(['', ' ', '{', '{"a":1', '"a', '"a\\', '[1,]', 'nothing', '<html>', '{"a":1}}', '1 2', '-', '.'])(
		'makes nothing of %j',
		(text) => expect(readJson(text)).toBeUndefined(),
	);

	it.each([
		['9007199254740991', 9007199254740991],
		['-9007199254740991', -9007199254740991],
		['9007199254740992', '9007199254740992'],
		['-9007199254740993', '-9007199254740993'],
		['1000000000000000', 1000000000000000],
		['999999999999999', 999999999999999],
		['10000000000000000', '10000000000000000'],
		['10000000000000001', '10000000000000001'],
		['99999999999999999999', '99999999999999999999'],
		['98765432109876543210', '98765432109876543210'],
		['9'.repeat(400), '9'.repeat(400)],
		['0', 0],
		['-0', -0],
		['0.12345678901234567', Number('0.12345678901234567')],
		['1234567890123456.5', Number('1234567890123456.5')],
		['1234567890123456789e2', Number('1234567890123456789e2')],
		['1234567890123456789E+2', Number('1234567890123456789e2')],
		['123456789012345678e-2', Number('123456789012345678e-2')],
		['1.5e300', 1.5e300],
		['"12345678901234567890"', '12345678901234567890'],
		['"a\\"12345678901234567890"', 'a"12345678901234567890'],
		['"a\\\\"', 'a\\'],
		['"[{\\"a"', '[{"a'],
		['"-12345678901234567890 :12345678901234567890,"', '-12345678901234567890 :12345678901234567890,'],
	])('reads %s as %j wherever it stands', (json, value) => {
		expect(readJson(json)).toStrictEqual(value);
		expect(readJson(`[${json}]`)).toStrictEqual([value]);
		expect(readJson(` [ 1,${json} , ${json}\n,"12345678901234567890"]`)).toStrictEqual([
			...[1, value, value, '12345678901234567890'],
		]);
		expect(readJson(`{"a":${json},"b":{"c": ${json}},"12345678901234567890":-7}`)).toStrictEqual({
			a: value,
			b: { c: value },
			'12345678901234567890': -7,
		});
	});

	it.each([
		'01234567890123456789',
		'-01234567890123456789',
		'12345678901234567890a',
		'a12345678901234567890a',
		'--12345678901234567890',
		'+12345678901234567890',
		'12345678901234567890-12345678901234567890',
		'12345678901234567890"',
	])('does not make JSON of %s by putting a number in quotation marks', (text) => {
		expect(readJson(text)).toBeUndefined();
		expect(readJson(`[${text}]`)).toBeUndefined();
	});

	it.each([
		['[', ']', 100],
		['{"a":', '}', 100],
	])('reads %s a hundred deep and no deeper', (open, close, most) => {
		const nested = (depth: number) => `${open.repeat(depth - 1)}${open[0]}${close.repeat(depth)}`;
		expect(JSON.stringify(readJson(nested(most)))).toBe(nested(most));
		expect(readJson(nested(most + 1))).toBeUndefined();
		// What stands beside each other is not nested.
		const beside = `[${Array.from({ length: 300 }, () => nested(most - 1)).join()}]`;
		expect(JSON.stringify(readJson(beside))).toBe(beside);
		expect(readJson(JSON.stringify([open.repeat(200)]))).toEqual([open.repeat(200)]);
	});
});

describe('cleanObject', () => {
	const mask = new SecretMask(['MIIsecret']);

	it('masks a secret in texts and names at any depth, and keeps all else', () => {
		const kept = {
			text: 'a',
			number: 1.5,
			yes: true,
			no: false,
			nothing: null,
			list: [1, 'b', [null]],
			empty: {},
		};
		expect(
			cleanObject(
				{ ...kept, MIIsecret: 'x MIIsecret', deep: [{ 'a miisecret': ['MIIsecret', { b: 'MIIsecret' }] }] },
				mask,
			),
		).toStrictEqual({ ...kept, '***': 'x ***', deep: [{ 'a ***': ['***', { b: '***' }] }] });
	});

	it('leaves out __proto__ at any depth', () => {
		const object = cleanObject(
			JSON.parse('{"__proto__":{"a":1},"b":[{"__proto__":2,"c":3}],"proto":4}') as Record<string, never>,
			mask,
		);
		expect(JSON.stringify(object)).toBe('{"b":[{"c":3}],"proto":4}');
		expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
	});
});
