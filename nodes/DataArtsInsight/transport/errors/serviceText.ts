import type { HttpResponse } from '../network/network';
import type { SecretMask } from './secrets';

/** The longest text of the service that is passed on, in characters. */
const MAX_TEXT = 500;

/** How much of a text is looked at, in characters: whoever sends a megabyte must not keep n8n busy. */
const MAX_READ = 4096;

/** The longest host name, code or time that is read, in characters. */
const MAX_ADDRESS = 2048;
const MAX_CODE = 64;
const MAX_TIME = 64;

/** How a repeated request begins. A header's name alone, as in `x-auth-token not found`, is a reason. */
const REPEATED_REQUEST =
	/canonical_?request|SDK-HMAC-SHA256|(?:x-auth-token|x-security-token|x-subject-token|x-sdk-date|authorization)["']?\s?[:=]/i;

/** The service's text on one line, without its full stop, of a bearable length and without secrets. */
export function textOf(value: unknown, mask: SecretMask): string | undefined {
	if (typeof value !== 'string') return undefined;
	let text = mask.mask(value, MAX_READ);
	// After a bad signature the gateway repeats the whole request that it checked.
	const repeated = text.search(REPEATED_REQUEST);
	if (repeated >= 0) text = text.slice(0, repeated);
	text = text.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
	if (repeated >= 0) text = text.replace(/[ ,;:("'{]{1,20}$/, '');
	if (text.endsWith('.')) text = text.slice(0, -1);
	return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text || undefined;
}

/** A code or ID of the service; anything that does not look like one, or holds a secret, is left out. */
export function codeOf(value: unknown, mask: SecretMask): string | undefined {
	const text = typeof value === 'number' ? String(value) : value;
	if (typeof text !== 'string' || text.length > MAX_CODE || !/^[\w.-]+$/.test(text)) return undefined;
	return mask.mask(text) === text ? text : undefined;
}

/** The host of an address, without the path and the values it may carry. */
export function hostOf(location: string | string[] | undefined, mask: SecretMask): string | undefined {
	const address = String(location);
	if (address.length > MAX_ADDRESS || !URL.canParse(address)) return undefined;
	const { host } = new URL(address);
	return host && mask.mask(host) === host ? host : undefined;
}

/**
 * Milliseconds until the time that `Retry-After` names, in seconds or as a date. Where it names several, the last of
 * them counts. A date is read by the clock of who wrote it.
 *
 * @returns nothing if it names none
 */
export function retryAfter({ 'retry-after': header, date }: HttpResponse['headers']): number | undefined {
	const times = [header ?? '']
		.flat()
		.slice(0, 10)
		.flatMap((text) => delaysIn(text, date));
	return times.length > 0 ? Math.max(0, ...times) : undefined;
}

function delaysIn(text: string, date: HttpResponse['headers'][string]): number[] {
	if (text.length > MAX_TIME) return [];
	const seconds = text.split(',').map((part) => part.trim());
	if (seconds.every((part) => /^\d{1,10}(\.\d{1,3})?$/.test(part))) {
		return seconds.map((part) => Number(part) * 1000);
	}
	// Date.parse takes almost anything for a date, such as -5.
	if (!/^[a-z]{3,9},? .*GMT$|^\d{4}-\d\d-\d\dT/i.test(text.trim())) return [];
	const now = Date.parse(String(date).slice(0, MAX_TIME));
	const delay = Date.parse(text) - (Number.isNaN(now) ? Date.now() : now);
	return Number.isNaN(delay) ? [] : [delay];
}
