import {
	type Layer,
	layersOf,
	readLayer,
} from '../../../../../nodes/DataArtsInsight/transport/errors/layers';

/** The text that a layer's bytes stand for. */
const textOf = (layer: Layer | undefined) => Buffer.from(layer?.text() ?? '', 'latin1').toString();

/** What a text is at each step of unescaping it. */
const steps = (text: string) => layersOf(text).map(textOf);

/** The part of the text that a layer's byte says it comes from. */
const origins = (layer: Layer | undefined, text: string) =>
	Array.from({ length: layer?.size ?? 0 }, (_, at) => text.slice(layer?.begin[at], layer?.end[at]));

afterEach(() => jest.restoreAllMocks());

describe('the text as it stands', () => {
	it.each([
		['@AZ[`az{', '40 61 7a 5b 60 61 7a 7b'],
		['\u007f\u0080\u07ff\u0800\uffff', '7f c280 dfbf e0a080 efbfbf'],
		['\u{10000}\u{12345}\u{10ffff}', 'f0908080 f0928d85 f48fbfbf'],
		['äÄ ßẞ', 'c3a4 c3a4 20 c39f e1ba9e'],
		['ЖжΩω', 'd0b6 d0b6 cf89 cf89'],
		// The last letters that are looked at, and the first ones that are not.
		['\u052e\u052f\u0531\u0561', 'd4af d4af d4b1 d5a1'],
		// In small letters it is two characters.
		['\u0130', 'c4b0'],
		['', ''],
	])('%j is UTF-8 in small letters', (text, bytes) => {
		const layer = readLayer(text);
		expect(Buffer.from(layer.text(), 'latin1').toString('hex')).toBe(bytes.replaceAll(' ', ''));
	});

	it.each(['plain', 'aäb', 'ab€c', 'a😀b\ud83dc', '\uffffa'])(
		'each byte of %j knows its character',
		(text) => {
			const bytesOf = (one: string) => Buffer.byteLength(one);
			expect(origins(readLayer(text), text)).toEqual(
				[...text].flatMap((one) => Array.from({ length: bytesOf(one) }, () => one)),
			);
		},
	);

	it('has no bytes before its beginning and behind its end, whatever the memory held before', () => {
		jest.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, '41'));
		expect([0, 1, 2, 3, -1].map((at) => readLayer('xy').byte(at))).toEqual([0x78, 0x79, 0, 0, 0]);
		for (const text of ['%', '%4', '\\', '\\u', '\\u004', '\\x4', '&#x41', '&lt']) {
			expect(steps(text)).toEqual([text]);
		}
	});
});

describe('an escape of addresses, JSON or HTML', () => {
	it.each([
		['%00', '\0'],
		['%09', '\t'],
		['%2f', '/'],
		['%3A', ':'],
		['%40%41%5A%5b', '@az['],
		['%90', '\ufffd'],
		['%7e%7F', '~\x7f'],
		['%C3%A4%e2%82%ac%F0%9F%98%80', 'ä€😀'],
		['%41%c3', 'a\ufffd'],
		['a%20b%20c', 'a b c'],
		['\\"\\\\\\/\\\'', '"\\/\''],
		['\\b\\f\\n\\r\\t', '\b\f\n\r\t'],
		['\\u0000\\x00', '\0\0'],
		['\\u0041\\u00C4\\u20ac\\x41\\xe4', 'aä€aä'],
		['\\uD83D\\ude00', '😀'],
		['\\ud800\\udc00\\ud800\\udfff', '\u{10000}\u{103ff}'],
		['\\udbff\\udc00\\udbff\\udfff', '\u{10fc00}\u{10ffff}'],
		['&amp;&lt;&gt;&quot;&apos;', '&<>"\''],
		['&#0;&#9;&#65;&#228;&#8364;&#128512;&#1114111;', '\0\taä€😀\u{10ffff}'],
		['&#x0;&#x41;&#XE4;&#x20AC;&#x1f600;&#x10ffff;', '\0aä€😀\u{10ffff}'],
		['&#x00e4;&#0228;', 'ää'],
	])('%s stands for %j', (text, plain) => {
		expect(steps(`a ${text}`)[1]).toBe(`a ${plain}`);
		expect(steps(`${text} b`)[1]).toBe(`${plain} b`);
		expect(steps(text)[1]).toBe(plain);
	});

	it.each([
		'plain text',
		'an 41, u0041 and #65;',
		'100% of 4',
		...['%', '%4', '%/0', '%:0', '%`0', '%g0', '%0/', '%0:', '%0`', '%0g', '%zz'],
		...['\\', '\\a', '\\u', '\\u004', '\\u004g', '\\x4', '\\xg0', '\\q41', '\\q0041', '\\0041'],
		...['&', '&;', '&lt', '&foo;', '&l;', '&lt &', '&#', '&#a;', '&#1a;', '&#1 ;', '&#xg;', '&#x1 ;'],
		...['&amp lt;', '&#x110000;', '&#1114112;', '&#x010ffff;', '&am\u0001;'],
	])('%s is none', (text) => {
		expect(steps(text)).toEqual([text]);
	});

	it.each([
		['\\ud7ff\\udc00', 'ed9fbf edb080'],
		['\\udc00\\udc00', 'edb080 edb080'],
		['\\ud800\\udbff', 'eda080 edafbf'],
		['\\ud800\\ue000', 'eda080 ee8080'],
		['\\u0041\\udc00', '61 edb080'],
		['\\ud800/udc00', 'eda080 2f7564633030'],
		['\\ud800', 'eda080'],
		['\\ud800\\udc0', 'eda080 5c75646330'],
	])('%s is no pair of surrogates', (text, bytes) => {
		const plain = layersOf(text)[1]?.text() ?? '';
		expect(Buffer.from(plain, 'latin1').toString('hex')).toBe(bytes.replaceAll(' ', ''));
	});

	it.each(['&amp;', '&lt;', '%26', '\\u0026', '\\/', '&#38;'])('%s is found between others', (escape) => {
		const plain = steps(escape)[1] ?? '';
		expect(steps(`&${escape}&x;${escape}%${escape}\\${escape}`)[1]).toContain(
			`&${plain}&x;${plain}%${plain}`,
		);
	});

	it('is in small letters afterwards, however a letter is written', () => {
		for (const text of ['%C3%84', '%D0%96', '\\u00C4', '&#xC4;', '&#196;', 'Ä%41']) {
			expect(steps(text)[1]).toBe(steps(text)[1]?.toLowerCase());
		}
		expect(steps('%C3%84%C3%A4%D0%9F%d0%bf')[1]).toBe('ääпп');
		expect(steps('%25C3%2584')[2]).toBe('ä');
		// Letters that take another number of bytes when they are small.
		expect(steps('%C8%BA\u023a')[1]).toBe('\u2c65\u2c65');
	});

	it('of UTF-8 that is cut or mixed up stays byte for byte', () => {
		const bytes = (text: string) => Buffer.from(layersOf(text)[1]?.text() ?? '', 'latin1').toString('hex');
		expect(bytes('%84')).toBe('84');
		expect(bytes('%C3')).toBe('c3');
		expect(bytes('%C3%C3%84')).toBe('c3c3a4');
		expect(bytes('%C3%41%84')).toBe('c36184');
		expect(bytes('%C3%7F')).toBe('c37f');
		expect(bytes('%C3%C0')).toBe('c3c0');
		expect(bytes('%E3%84%84')).toBe('e38484');
		expect(bytes('%BF%84')).toBe('bf84');
		expect(bytes('%C3x%84')).toBe('c37884');
	});

	it('knows where in the text it stood', () => {
		const text = 'ab%41 \\u00e4;&lt;\\n%C3%84%e2%82%ac\\ud83d\\ude00 z';
		const [, layer] = layersOf(text);
		expect(origins(layer, text)).toEqual([
			...['a', 'b', '%41', ' ', '\\u00e4', '\\u00e4', ';', '&lt;', '\\n', '%C3%84', '%C3%84'],
			...['%e2', '%82', '%ac', ...Array.from({ length: 4 }, () => '\\ud83d\\ude00'), ' ', 'z'],
		]);
	});

	it('in another escape knows it, too', () => {
		const text = 'x%2541y&amp;lt;%C3%2584\\\\u0041';
		const [, , layer] = layersOf(text);
		expect(textOf(layer)).toBe('xay<äa');
		expect(origins(layer, text)).toEqual([
			...['x', '%2541', 'y', '&amp;lt;', '%C3%2584', '%C3%2584', '\\\\u0041'],
		]);
	});
});

describe('the steps', () => {
	it('are no more than two', () => {
		expect(steps('%25252541')).toEqual(['%25252541', '%252541', '%2541']);
		expect(steps('%2541')).toEqual(['%2541', '%41', 'a']);
		expect(steps('%41')).toEqual(['%41', 'a']);
		expect(steps('a')).toEqual(['a']);
		expect(steps('')).toEqual(['']);
	});

	it.each([
		[128 * 1024, 3],
		[128 * 1024 + 1, 2],
	])('of a text of %d characters are %d with the text itself', (length, count) => {
		const text = '%2541'.padEnd(length, 'x');
		expect(steps(text).map((step) => step.slice(0, 4))).toEqual(['%254', '%41x', 'axxx'].slice(0, count));
	});
});
