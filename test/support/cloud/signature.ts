import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { callers, type Caller } from './accounts';
import { badCaller, Refusal } from './faults';
import { Lockout } from './lockout';

export interface AccessKey {
	accessKeyId: string;
	secretAccessKey: string;
	/** Only a temporary key has one. */
	securityToken?: string;
}

/** Access keys that the simulated IAM has given out for good. */
export const accessKey = {
	accessKeyId: 'SIMULATEDACCESSKEY01',
	secretAccessKey: 'simulated-secret-access-key-0000000001',
};
export const temporaryKey = {
	accessKeyId: 'SIMULATEDTEMPORARY01',
	secretAccessKey: 'simulated-secret-access-key-0000000002',
	securityToken: 'simulated-security-token-0000000000000',
};
export const readerAccessKey = {
	accessKeyId: 'SIMULATEDACCESSKEY03',
	secretAccessKey: 'simulated-secret-access-key-0000000003',
};
export const verifierAccessKey = {
	accessKeyId: 'SIMULATEDACCESSKEY04',
	secretAccessKey: 'simulated-secret-access-key-0000000004',
};
export const ownerAccessKey = {
	accessKeyId: 'SIMULATEDACCESSKEY05',
	secretAccessKey: 'simulated-secret-access-key-0000000005',
};

/** Whose keys they are. */
export const keyHolders = new Map<AccessKey, Caller>([
	[accessKey, callers.operator],
	[temporaryKey, callers.operator],
	[readerAccessKey, callers.reader],
	[verifierAccessKey, callers.verifier],
	[ownerAccessKey, callers.owner],
]);

/** A request as it came over the wire. */
export interface SignedRequest {
	method: string;
	/** Path and query. */
	url: string;
	headers: IncomingHttpHeaders;
	body: Buffer;
}

const MINUTE = 60_000;
const algorithm = 'SDK-HMAC-SHA256';
const authorizationForm = new RegExp(
	`^${algorithm} Access=([^ ,]+), SignedHeaders=([^ ,]+), Signature=([0-9a-f]{64})$`,
);

/** Checks signed requests as the API gateway does: the API reference, section 5 (guide devg-apisign). */
export class SignatureCheck {
	/** Signed requests that were refused, for whatever reason. */
	refused = 0;
	private readonly lockout: Lockout<AccessKey>;

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param findTemporaryKey a key of `agency.ts`; throws for one that has expired
	 */
	constructor(
		private readonly now: () => number,
		private readonly findTemporaryKey: (accessKeyId: string) => AccessKey | undefined = () => undefined,
	) {
		// "More than five" in a row: the API reference, section 5 (page ocr_faq/ocr_01_0063.html).
		this.lockout = new Lockout({ failures: 6, within: Infinity, lockedFor: 5 * MINUTE }, now);
	}

	/**
	 * Gives the key that signed the request.
	 * @throws {Refusal} in the gateway's words: the API reference, section 2 (page devg-apisign/api-sign-0001.html).
	 * The words after the comma of a bad signature are inferred, but for the canonical request.
	 */
	verify(request: SignedRequest): AccessKey {
		try {
			return this.verifyOrThrow(request);
		} catch (error) {
			this.refused++;
			throw error;
		}
	}

	/** Forgets refused signatures and unlocks what they locked. */
	reset(): void {
		this.refused = 0;
		this.lockout.reset();
	}

	private verifyOrThrow(request: SignedRequest): AccessKey {
		const { authorization = '', 'x-sdk-date': date } = request.headers;
		const [, accessKeyId, signedHeaders, signature] = authorizationForm.exec(authorization) ?? [];
		if (accessKeyId === undefined || signedHeaders === undefined) {
			throw badSignature('the Authorization header is malformed');
		}
		const key =
			[...keyHolders.keys()].find((candidate) => candidate.accessKeyId === accessKeyId) ??
			this.findTemporaryKey(accessKeyId);
		if (!key) throw new Refusal('apigw-0301-unknown-key', badCaller(`ak ${accessKeyId} not exist`));
		if (this.lockout.isLocked(key)) throw new Refusal('apigw-0301-locked-key');
		if (isTime(date)) this.checkClock(date);
		const mistake = mistakeIn(request, key, signedHeaders, signature);
		if (mistake !== undefined) {
			this.lockout.addFailure(key);
			throw badSignature(mistake);
		}
		this.lockout.forgive(key);
		return key;
	}

	private checkClock(date: string): void {
		const now = this.now();
		if (Math.abs(milliseconds(date) - now) <= 15 * MINUTE) return;
		const serverTime = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
		throw new Refusal(
			'apigw-0301-skewed-clock',
			badCaller(
				`calc aksk signature fail:signature expired, signature time:${date},server time:${serverTime}`,
			),
		);
	}
}

const badSignature = (detail: string) =>
	new Refusal('apigw-0301-bad-signature', badCaller(`verify aksk signature fail, ${detail}`));

/** What is wrong with a signature of a known key, if anything is. */
function mistakeIn(
	request: SignedRequest,
	{ secretAccessKey, securityToken }: AccessKey,
	signedHeaders: string,
	signature: string | undefined,
): string | undefined {
	const { headers } = request;
	const date = headers['x-sdk-date'];
	if (!isTime(date)) return 'X-Sdk-Date is missing or not of the form YYYYMMDDTHHMMSSZ';
	if (headers['x-security-token'] !== securityToken) return 'X-Security-Token does not belong to the ak';

	const names = signedHeaders.split(';');
	if (signedHeaders !== [...new Set(names)].sort().join(';').toLowerCase()) {
		return 'SignedHeaders are not in lower case and sorted';
	}
	const missing = ['host', 'x-sdk-date'].find((name) => !names.includes(name));
	if (missing) return `${missing} is not signed`;
	const absent = names.find((name) => headers[name] === undefined);
	if (absent) return `the signed header ${absent} is missing`;

	const canonical = canonicalRequest(request, names);
	const toSign = `${algorithm}\n${date}\n${sha256(Buffer.from(canonical, 'latin1'))}`;
	const expected = createHmac('sha256', secretAccessKey).update(toSign).digest('hex');
	// The gateway shows what it has computed, with `|` for each line end.
	return signature === expected ? undefined : `canonicalRequest:${canonical.replaceAll('\n', '|')}`;
}

/** The API reference, section 5, step 2. Node.js hands headers over as latin1, one character a byte. */
function canonicalRequest({ method, url, headers, body }: SignedRequest, names: string[]): string {
	const [path = '', ...rest] = url.split('?');
	const canonicalPath = path.split('/').map(reencode).join('/');
	return [
		method,
		canonicalPath.endsWith('/') ? canonicalPath : `${canonicalPath}/`,
		canonicalQuery(rest.join('?')),
		...names.map((name) => `${name}:${String(headers[name]).trim()}`),
		'',
		names.join(';'),
		sha256(body),
	].join('\n');
}

/** Sorted by encoded name, then by value. A plus stands for a space, as in a form [inferred]. */
function canonicalQuery(query: string): string {
	return query
		.split('&')
		.filter((pair) => pair !== '')
		.map((pair) => {
			const [name = '', ...value] = pair.replaceAll('+', '%20').split('=');
			return [reencode(name), reencode(value.join('='))] as const;
		})
		.sort(([name, value], [otherName, otherValue]) =>
			name === otherName ? compare(value, otherValue) : compare(name, otherName),
		)
		.map((pair) => pair.join('='))
		.join('&');
}

const compare = (left: string, right: string) => (left < right ? -1 : Number(left > right));

/** Percent-encodes all but `A-Za-z0-9-._~`, whatever was encoded before. */
function reencode(part: string): string {
	return encodeURIComponent(decode(part)).replace(
		/[!'()*]/g,
		(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}

function decode(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function milliseconds(date: string): number {
	return Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
}

/** Whether it is a time in the form YYYYMMDDTHHMMSSZ. */
function isTime(date: string | string[] | undefined): date is string {
	return typeof date === 'string' && /^\d{8}T\d{6}Z$/.test(date) && !Number.isNaN(milliseconds(date));
}
