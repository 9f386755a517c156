import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { projectId } from './cloud';
import { Refusal } from './faults';

/** Access keys that the simulated IAM has given out. */
export const accessKey = {
	accessKeyId: 'SIMULATEDACCESSKEY01',
	secretAccessKey: 'simulated-secret-access-key-0000000001',
};
export const temporaryKey = {
	accessKeyId: 'SIMULATEDTEMPORARY01',
	secretAccessKey: 'simulated-secret-access-key-0000000002',
	securityToken: 'simulated-security-token-0000000000000',
};
const keys: Array<{ accessKeyId: string; secretAccessKey: string; securityToken?: string }> = [
	accessKey,
	temporaryKey,
];

const MAX_SKEW = 15 * 60_000;
const LOCK_AFTER = 5;
const LOCK_TIME = 5 * 60_000;

/** A request as it was received. */
export interface SignedRequest {
	method: string;
	/** Path and query. */
	url: string;
	headers: IncomingHttpHeaders;
	body: string;
}

/** Checks signatures and locks keys: the API reference, section 5 (page dataartsinsight_api_0011). */
export class SignatureCheck {
	/** When each key was refused. */
	private readonly refusals = new Map<string, number[]>();

	/** @param now the simulated clock */
	constructor(private readonly now: () => number) {}

	/** Throws a Refusal unless the request was signed with a key that is known, not locked and not out of time. */
	verify({ method, url, headers, body }: SignedRequest): void {
		const form = /^SDK-HMAC-SHA256 Access=([^,]+), *SignedHeaders=([^,]+), *Signature=([\da-f]{64})$/;
		const [, id = '', names = '', signature] = form.exec(headers.authorization ?? '') ?? [];
		const key = keys.find(({ accessKeyId }) => accessKeyId === id);
		if (!key) throw unauthorized(`ak ${id} not exist`);

		const recent = (this.refusals.get(id) ?? []).filter((time) => time > this.now() - LOCK_TIME);
		// How a locked key is answered is not documented.
		if (recent.length > LOCK_AFTER) throw unauthorized(`ak ${id} is locked`);
		const refuse = (reason: string) => {
			this.refusals.set(id, [...recent, this.now()]);
			return unauthorized(reason);
		};

		const date = String(headers['x-sdk-date']);
		const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
		const [year = NaN, month = 1, day, hour, minute, second] = parts.map(Number);
		const skew = Date.UTC(year, month - 1, day, hour, minute, second) - this.now();
		if (!(Math.abs(skew) <= MAX_SKEW)) throw refuse('verify aksk signature fail, x-sdk-date is out of time');

		const signed = names.split(';');
		for (const name of ['host', 'x-sdk-date']) {
			if (!signed.includes(name)) throw refuse(`verify aksk signature fail, ${name} is not signed`);
		}
		if (headers['x-security-token'] !== key.securityToken) throw refuse('verify aksk signature fail');
		if (headers['x-project-id'] !== undefined && headers['x-project-id'] !== projectId) {
			throw new Refusal('apigw-0310');
		}

		const canonical = [
			method,
			canonicalUri(url),
			canonicalQuery(url),
			...signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}`),
			'',
			names,
			hash(body),
		].join('\n');
		const expected = createHmac('sha256', key.secretAccessKey)
			.update(`SDK-HMAC-SHA256\n${date}\n${hash(canonical)}`)
			.digest('hex');
		if (signature !== expected) throw refuse('verify aksk signature fail');
	}

	reset() {
		this.refusals.clear();
	}
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function unauthorized(reason: string): Refusal {
	return new Refusal('apigw-0301-bad-signature', `Incorrect IAM authentication information: ${reason}`);
}

/** Every byte of a text but the unreserved characters, percent-encoded. */
function percentEncode(text: string): string {
	return [...Buffer.from(text)]
		.map((byte) => {
			const character = String.fromCharCode(byte);
			return /[\w.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
		})
		.join('');
}

function canonicalUri(url: string): string {
	const segments = (url.split('?')[0] ?? '')
		.split('/')
		.map((part) => percentEncode(decodeURIComponent(part)));
	const uri = segments.join('/');
	return uri.endsWith('/') ? uri : `${uri}/`;
}

function canonicalQuery(url: string): string {
	const pairs = (url.split('?')[1] ?? '').split('&').filter(Boolean);
	return pairs
		.map((pair) => {
			const [name = '', value = ''] = pair.split('=').map((part) => decodeURIComponent(part));
			return `${percentEncode(name)}=${percentEncode(value)}`;
		})
		.sort()
		.join('&');
}
