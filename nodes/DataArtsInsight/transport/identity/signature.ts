import { createHash, createHmac } from 'node:crypto';

/** A pair of keys, and the token that comes with a temporary pair. */
export interface AccessKey {
	accessKeyId: string;
	secretAccessKey: string;
	securityToken?: string;
}

/** A request as it will be sent. */
export interface SignableRequest {
	method: string;
	url: URL;
	/** All of them are signed. */
	headers: Record<string, string>;
	/** The very text that will be sent; '' if there is none. */
	body: string;
}

const ALGORITHM = 'SDK-HMAC-SHA256';

/**
 * Signs a request with an access key.
 *
 * @param date when it is sent; the service refuses one that is more than 15 minutes off its own clock
 * @returns the request's headers and those of the signature
 * Source: Huawei Cloud, API Gateway, "Signing API Requests" (SDK-HMAC-SHA256).
 */
export function signedHeaders(
	{ method, url, headers, body }: SignableRequest,
	{ accessKeyId, secretAccessKey, securityToken }: AccessKey,
	date: Date,
): Record<string, string> {
	const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
	const sent: Record<string, string> = { ...headers, 'X-Sdk-Date': time };
	if (securityToken) sent['X-Security-Token'] = securityToken;

	const signed = Object.entries({ ...sent, host: url.host })
		.map(([name, value]) => ({ name: name.toLowerCase(), value: value.trim() }))
		.sort(byName);
	const names = signed.map(({ name }) => name).join(';');
	const canonicalRequest = [
		method.toUpperCase(),
		canonicalPath(url),
		canonicalQuery(url),
		...signed.map(({ name, value }) => `${name}:${value}`),
		'',
		names,
		sha256(body),
	].join('\n');
	const signature = createHmac('sha256', secretAccessKey)
		.update([ALGORITHM, time, sha256(canonicalRequest)].join('\n'))
		.digest('hex');
	sent.Authorization = `${ALGORITHM} Access=${accessKeyId}, SignedHeaders=${names}, Signature=${signature}`;
	return sent;
}

/** Byte by byte, since a path may hold what is the encoding of no text, or no encoding at all, such as a bare `%`. */
function canonicalPath({ pathname }: URL): string {
	const path = pathname.replace(/%([\da-f]{2})|[^/]/gi, (character, hex?: string) => {
		const byte = hex ? parseInt(hex, 16) : character.charCodeAt(0);
		const plain = String.fromCharCode(byte);
		return /[\w.~-]/.test(plain) ? plain : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
	});
	return path.endsWith('/') ? path : `${path}/`;
}

function canonicalQuery({ searchParams }: URL): string {
	return [...searchParams]
		.map(([name, value]) => ({ name, value }))
		.sort((a, b) => byName(a, b) || (a.value < b.value ? -1 : 1))
		.map(({ name, value }) => `${encode(name)}=${encode(value)}`)
		.join('&');
}

function byName(a: { name: string }, b: { name: string }): number {
	if (a.name === b.name) return 0;
	return a.name < b.name ? -1 : 1;
}

/** Percent-encodes all but the unreserved characters, which are fewer than those JavaScript leaves alone. */
export function encode(text: string): string {
	return encodeURIComponent(text).replace(
		/[!'()*]/g,
		(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}
