import type { HttpRequest, HttpResponse } from '../network/network';
import { fingerprint } from './refusals';
import { type AccessKey, signedHeaders } from './signature';

/** An access key, and the site that knows it. */
export interface SiteKey {
	site: string;
	accessKey: AccessKey;
}

/** What a refused key is known by. */
export function accessKeyKey({ site, accessKey }: SiteKey): string {
	return fingerprint(site, accessKey.accessKeyId, accessKey.secretAccessKey, accessKey.securityToken ?? '');
}

/** Signs a request as it is about to be sent. */
export function signRequest(
	{ method, origin, path, headers, body = '' }: HttpRequest,
	accessKey: AccessKey,
): Record<string, string> {
	return signedHeaders({ method, url: new URL(path, origin), headers, body }, accessKey, new Date());
}

/** How far apart two clocks may be, in milliseconds. */
const MAX_SKEW = 15 * 60_000;

/** What to do about a refused signature, as a sentence without its full stop. */
export function checkAccessKeyAdvice({ date }: HttpResponse['headers']): string {
	const skew = Date.parse(String(date)) - Date.now();
	if (Math.abs(skew) < MAX_SKEW || Number.isNaN(skew)) {
		return "Check 'Access Key ID' and 'Secret Access Key' in the credential: five refusals lock the key";
	}
	const minutes = Math.round(Math.abs(skew) / 60_000);
	return `The clock of the machine that runs n8n is ${minutes} minutes ${skew > 0 ? 'slow' : 'fast'}. Set it right: a signature is good for 15 minutes`;
}
