import { layersOf, readLayer } from './layers';

/** What stands in place of a secret. */
const STARS = '***';

/** Shorter secrets are not looked for: three characters stand in almost any text by chance, and no service takes such a secret. */
const MIN_SECRET = 4;

/** Of a secret that is at least twice as long, a shared piece of this many bytes is enough. */
const PIECE = 16;

/** How much of the encoded forms of a long secret is looked for: their beginning gives them away. */
const ENCODED_HEAD = 64;

/** How many characters beyond the wanted ones are read, so that no secret is cut where they end. */
const OVERLAP = 1024;

/** A text that holds more secrets than this is nothing but secrets; to mask each would keep n8n busy. */
const MAX_FOUND = 1000;

/** For how many secrets the forms are kept. */
const KEPT_SECRETS = 32;

/** From where to where something stands in a text. */
type Range = [begin: number, end: number];

/** What a secret looks like in a layer. */
interface Forms {
	/** Short ones, which are looked for as a whole. */
	whole: string[];
	/** Pieces of long ones, with the form that they are of and where in it they stand. */
	pieces: Map<string, { form: string; at: number }>;
}

const kept = new Map<string, Forms>();

function formsOf(secret: string): Forms {
	const forms = kept.get(secret) ?? createForms(secret);
	// The one used last stands last, and the first one goes.
	kept.delete(secret);
	kept.set(secret, forms);
	for (const oldest of kept.keys()) {
		if (kept.size <= KEPT_SECRETS) break;
		kept.delete(oldest);
	}
	return forms;
}

function createForms(secret: string): Forms {
	const forms: Forms = { whole: [], pieces: new Map() };
	const add = (form: string, looked: number) => {
		if (form.length < MIN_SECRET) return;
		if (form.length < 2 * PIECE) return void forms.whole.push(form);
		const last = Math.min(form.length, looked) - PIECE;
		for (let at = 0; at <= last; at++) forms.pieces.set(form.slice(at, at + PIECE), { form, at });
	};
	const bytes = Buffer.from(secret);
	add(bytes.toString('hex'), ENCODED_HEAD);
	// In the middle of a longer text base64 looks different for each of the three places a byte can have.
	for (const [before, blurred] of [0, 2, 3].entries()) {
		const filled = Buffer.concat([Buffer.alloc(before), bytes]);
		const sure = Math.floor((filled.length * 8) / 6);
		for (const encoding of ['base64', 'base64url'] as const) {
			add(filled.toString(encoding).slice(blurred, sure).toLowerCase(), ENCODED_HEAD);
		}
	}
	for (const layer of layersOf(secret)) add(layer.text(), Infinity);
	if (secret.includes(' ')) add(readLayer(secret.replaceAll(' ', '+')).text(), Infinity);
	return forms;
}

/** Where secrets stand in the text of a layer; no more than one too many. */
function findIn(text: string, forms: readonly Forms[]): Range[] {
	const found: Range[] = [];
	for (const { whole, pieces } of forms) {
		for (const form of whole) {
			let at = text.indexOf(form);
			while (at >= 0) {
				if (found.length > MAX_FOUND) return found;
				found.push([at, at + form.length]);
				at = text.indexOf(form, at + form.length);
			}
		}
		if (pieces.size > 0) findPieces(text, pieces, found);
	}
	return found;
}

/** Every shared run of twice a piece's length holds a piece that begins at a multiple of that length. */
function findPieces(text: string, pieces: Forms['pieces'], found: Range[]) {
	let free = 0;
	for (let at = 0; at + PIECE <= text.length; at += PIECE) {
		if (found.length > MAX_FOUND) return;
		const piece = pieces.get(text.slice(at, at + PIECE));
		if (!piece) continue;
		const { form, at: place } = piece;
		let before = 0;
		while (at - before > free && text[at - before - 1] === form[place - before - 1]) before++;
		let after = PIECE;
		while (at + after < text.length && text[at + after] === form[place + after]) after++;
		free = at + after;
		found.push([at - before, free]);
		at = Math.floor((free - 1) / PIECE) * PIECE;
	}
}

/** What must not be shown, to be looked for in texts of the service, in any form that they may take there. */
export class SecretMask {
	private readonly forms: Forms[];

	constructor(secrets: readonly string[]) {
		this.forms = secrets.filter(({ length }) => length >= MIN_SECRET).map(formsOf);
	}

	/**
	 * Whether a text may hold a secret; cheap where it is neither escaped nor holds any.
	 *
	 * @param text as it came, before JSON was read
	 */
	suspects(text: string): boolean {
		if (text.includes('\\') || text.includes('%') || text.includes('&')) return true;
		const asciiOnly = Buffer.byteLength(text) === text.length;
		return findIn(asciiOnly ? text.toLowerCase() : readLayer(text).text(), this.forms).length > 0;
	}

	/**
	 * A text with stars in place of secrets: plain, in other case, and as addresses, JSON, HTML, base64 and hexadecimal
	 * digits write them. Of a secret of 32 bytes and more, pieces of that length are secret as well.
	 *
	 * @param limit how many characters of the text are wanted
	 */
	mask(text: string, limit = text.length): string {
		const wanted = Math.min(limit, text.length);
		const ranges: Range[] = [];
		for (const layer of layersOf(text.slice(0, wanted + OVERLAP))) {
			for (const [begin, end] of findIn(layer.text(), this.forms)) {
				ranges.push([layer.begin[begin] ?? 0, layer.end[end - 1] ?? 0]);
			}
		}
		if (ranges.length > MAX_FOUND) return STARS;
		let masked = '';
		let done = 0;
		for (const [begin, end] of ranges.sort(([a], [b]) => a - b)) {
			if (begin >= wanted) break;
			if (begin >= done) masked += text.slice(done, begin) + STARS;
			done = Math.max(done, end);
		}
		return masked + text.slice(done, wanted);
	}
}
