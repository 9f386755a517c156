import type { JsonObject } from 'n8n-workflow';

import type { SecretMask } from './secrets';

/** How deep a response may be nested. The service's own are nested three deep; n8n fails on what is much deeper. */
const MAX_DEPTH = 100;

/** The fewest digits of an integer that a JavaScript number may not hold. */
const LONG = 16;

/**
 * Reads JSON of the service. An integer that a JavaScript number cannot hold becomes text with its digits, since it
 * may be an ID; other numbers are amounts, and stay what JSON.parse makes of them.
 *
 * @returns nothing if the text is no JSON, or is nested too deep
 */
export function readJson(text: string): unknown {
	let value: unknown;
	try {
		value = JSON.parse(quoteLongIntegers(text));
	} catch {
		// Then there is none.
	}
	return value;
}

/** @throws {Error} if the text is nested too deep */
function quoteLongIntegers(text: string): string {
	let quoted = '';
	let done = 0;
	let depth = 0;
	for (let i = 0; i < text.length; i++) {
		switch (text.charCodeAt(i)) {
			case 0x22: // "
				i = endOfString(text, i);
				break;
			case 0x5b: // [
			case 0x7b: // {
				if (++depth > MAX_DEPTH) throw new Error('Nested too deep');
				break;
			case 0x5d: // ]
			case 0x7d: // }
				depth--;
				break;
			default: {
				if (!isDigit(text, i)) break;
				const end = endOfNumber(text, i);
				const begin = text[i - 1] === '-' ? i - 1 : i;
				if (isLongInteger(text, i, end)) {
					quoted += `${text.slice(done, begin)}"${text.slice(begin, end)}"`;
					done = end;
				}
				i = end - 1;
			}
		}
	}
	return quoted + text.slice(done);
}

/** @returns where the string ends that begins at a quotation mark */
function endOfString(text: string, begin: number): number {
	let i = begin + 1;
	for (; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code === 0x22) break;
		if (code === 0x5c) i++;
	}
	return i;
}

function isDigit(text: string, at: number): boolean {
	const code = text.charCodeAt(at);
	return code >= 0x30 && code <= 0x39;
}

function endOfNumber(text: string, begin: number): number {
	let end = begin + 1;
	while (isDigit(text, end) || '+-.eE'.includes(text[end] ?? '?')) end++;
	return end;
}

function isLongInteger(text: string, begin: number, end: number): boolean {
	// Most are short.
	if (end - begin < LONG) return false;
	// No JSON number begins with a zero before another digit: quoted, it would become valid.
	if (text[begin] === '0') return false;
	for (let i = begin; i < end; i++) if (!isDigit(text, i)) return false;
	return !Number.isSafeInteger(Number(text.slice(begin, end)));
}

/**
 * An object of the service as it may be shown: no secret in its names and texts, and no name that would change what
 * an object is where somebody copies it.
 */
export function cleanObject(object: JsonObject, mask: SecretMask): JsonObject {
	const clean = (value: unknown): unknown => {
		if (typeof value === 'string') return mask.mask(value);
		if (Array.isArray(value)) return value.map(clean);
		if (typeof value !== 'object' || value === null) return value;
		return Object.fromEntries(
			Object.entries(value)
				.filter(([name]) => name !== '__proto__')
				.map(([name, member]) => [mask.mask(name), clean(member)]),
		);
	};
	return clean(object) as JsonObject;
}
