/** The text as it stands, unescaped once, and unescaped twice (JSON in a query). The JSON of the response itself is read before. */
const MAX_LAYERS = 3;

/** A longer text, in characters, is unescaped once: to do more would keep n8n busy for too long. */
const LONG = 128 * 1024;

/** The small letters of Latin, Greek and Cyrillic, by their capitals; those of others take another number of bytes. */
const LOWER_CASE = Array.from({ length: 0x530 }, (_, code) => {
	const small = String.fromCharCode(code).toLowerCase();
	return small.length === 1 ? small.charCodeAt(0) : code;
});

/** A text as UTF-8 in small letters, a character for each byte, and where in the text each byte comes from. */
export class Layer {
	size = 0;

	private readonly bytes: Buffer;

	readonly begin: Int32Array;

	readonly end: Int32Array;

	constructor(capacity: number) {
		this.bytes = Buffer.allocUnsafe(capacity);
		this.begin = new Int32Array(capacity);
		this.end = new Int32Array(capacity);
	}

	byte(at: number): number {
		return at < this.size ? (this.bytes[at] ?? 0) : 0;
	}

	push(byte: number, begin: number, end: number) {
		this.bytes[this.size] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
		this.begin[this.size] = begin;
		this.end[this.size++] = end;
	}

	pushCharacter(character: number, begin: number, end: number) {
		const code = LOWER_CASE[character] ?? character;
		if (code < 0x80) return this.push(code, begin, end);
		if (code < 0x800) this.push(0xc0 | (code >> 6), begin, end);
		else if (code < 0x10000) this.push(0xe0 | (code >> 12), begin, end);
		else {
			this.push(0xf0 | (code >> 18), begin, end);
			this.push(0x80 | ((code >> 12) & 0x3f), begin, end);
		}
		if (code >= 0x800) this.push(0x80 | ((code >> 6) & 0x3f), begin, end);
		this.push(0x80 | (code & 0x3f), begin, end);
	}

	/** A byte of an address. Two that make up a letter become its small one together. */
	pushByte(byte: number, begin: number, end: number) {
		const lead = this.bytes[this.size - 1] ?? 0;
		if (lead >> 5 !== 0b110 || byte >> 6 !== 0b10) return this.push(byte, begin, end);
		const code = ((lead & 0x1f) << 6) | (byte & 0x3f);
		this.pushCharacter(code, this.begin[--this.size] ?? 0, end);
	}

	text(): string {
		return this.bytes.toString('latin1', 0, this.size);
	}
}

/** The text as it stands. */
export function readLayer(text: string): Layer {
	const layer = new Layer(text.length * 3);
	for (let i = 0; i < text.length; i++) {
		const code = text.codePointAt(i) ?? 0;
		const length = code > 0xffff ? 2 : 1;
		layer.pushCharacter(code, i, i + length);
		i += length - 1;
	}
	return layer;
}

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const NUMBER_SIGN = 0x23;
const LETTER_X = 0x78;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
/** HTML's names, as the numbers that their letters make up: that is quicker than text. */
const ENTITIES = new Map(
	Object.entries({ amp: 0x26, lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27 }).map(([name, code]) => [
		[...Buffer.from(name)].reduce((sum, byte) => sum * 256 + byte, 0),
		code,
	]),
);
const ESCAPES = new Map(
	[...'"\\/\'bfnrt'].map((name, i) => [name.charCodeAt(0), '"\\/\'\b\f\n\r\t'.charCodeAt(i)]),
);

/** @returns the number that some hexadecimal digits stand for; -1 if there are none */
function hexAt(layer: Layer, at: number, digits: number): number {
	let number = 0;
	for (let i = at; i < at + digits; i++) {
		const byte = layer.byte(i);
		if (byte >= 0x30 && byte <= 0x39) number = number * 16 + byte - 0x30;
		else if (byte >= 0x61 && byte <= 0x66) number = number * 16 + byte - 0x57;
		else return -1;
	}
	return number;
}

/** Takes one step of escaping away: that of addresses, of JSON and of HTML. */
function unescapeLayer(layer: Layer): Layer | undefined {
	const plain = new Layer(layer.size);
	let changed = false;
	for (let at = 0; at < layer.size;) {
		const byte = layer.byte(at);
		const begin = layer.begin[at] ?? 0;
		const escaped =
			byte === PERCENT || byte === BACKSLASH || byte === AMPERSAND ? readEscape(layer, at, byte) : undefined;
		if (escaped) {
			const [code, length] = escaped;
			const end = layer.end[at + length - 1] ?? 0;
			if (byte === PERCENT) plain.pushByte(code, begin, end);
			else plain.pushCharacter(code, begin, end);
			at += length;
			changed = true;
		} else {
			plain.push(byte, begin, layer.end[at] ?? 0);
			at++;
		}
	}
	return changed ? plain : undefined;
}

type Escape = [code: number, length: number];

/** @returns what an escape stands for and how many bytes it takes; nothing if there is none */
function readEscape(layer: Layer, at: number, byte: number): Escape | undefined {
	if (byte === PERCENT) {
		const code = hexAt(layer, at + 1, 2);
		return code < 0 ? undefined : [code, 3];
	}
	if (byte === AMPERSAND) return readEntity(layer, at);
	const name = layer.byte(at + 1);
	const short = ESCAPES.get(name);
	if (short !== undefined) return [short, 2];
	const digits = name === 0x75 ? 4 : name === 0x78 ? 2 : 0;
	const code = digits > 0 ? hexAt(layer, at + 2, digits) : -1;
	if (code < 0) return undefined;
	const isHigh = code >= 0xd800 && code < 0xdc00;
	const low = isHigh && layer.byte(at + 6) === BACKSLASH ? hexAt(layer, at + 8, 4) : 0;
	if (low >= 0xdc00 && low < 0xe000) return [((code & 0x3ff) << 10) + (low & 0x3ff) + 0x10000, 12];
	return [code, digits + 2];
}

function readEntity(layer: Layer, at: number): Escape | undefined {
	const isNumber = layer.byte(at + 1) === NUMBER_SIGN;
	const isHex = isNumber && layer.byte(at + 2) === LETTER_X;
	const base = isHex ? 16 : isNumber ? 10 : 256;
	let sum = 0;
	for (let i = at + 1 + Number(isNumber) + Number(isHex); i < at + 10; i++) {
		const byte = layer.byte(i);
		if (byte === AMPERSAND) break;
		if (byte === SEMICOLON) {
			const code = isNumber ? sum : (ENTITIES.get(sum) ?? Infinity);
			return code <= 0x10ffff ? [code, i + 1 - at] : undefined;
		}
		const digit = isNumber ? hexAt(layer, i, 1) : byte;
		if (digit < 0 || digit >= base) break;
		sum = sum * base + digit;
	}
	return undefined;
}

/** A text at each step of unescaping it. */
export function layersOf(text: string): Layer[] {
	const layers: Layer[] = [];
	let layer: Layer | undefined = readLayer(text);
	const most = text.length > LONG ? 2 : MAX_LAYERS;
	while (layer && layers.length < most) {
		layers.push(layer);
		layer = unescapeLayer(layer);
	}
	return layers;
}
