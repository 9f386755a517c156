import type { JsonObject } from 'n8n-workflow';

import { isObject, unexpectedResponse } from '../errors/answer';
import type { Advice } from '../errors/errors';
import type { HttpRequest } from '../network/network';
import { accessKeyKey, checkAccessKeyAdvice, signRequest } from './accessKey';
import { withAccessKey } from './accessKeyLimiter';
import type { Authentication } from './credential';
import { isHeaderValue } from './fields';
import { secretsIn } from './headers';
import { assertNotRefused, fingerprint, rememberRefusal } from './refusals';
import type { AccessKey } from './signature';
import { lifetimeOf, type Token, TokenCache } from './tokens';
import { createTokenSource, type SendLogin, type TokenSource } from './tokenSource';

/** The agency that is acted through, and the access key of the one who does. */
export type AgencyAuthentication = Extract<Authentication, { mode: 'agency' }>;

/** Temporary keys: IAM always gives a token with them. */
export type TemporaryKey = Required<AccessKey>;

/**
 * Seconds that temporary keys are valid; IAM gives 15 minutes to 24 hours. They are renewed before they end, so a long
 * life would save one request an hour. In a short one a permission that the agency loses is lost soon, and so are keys that
 * leaked.
 */
const DURATION = 60 * 60;

/**
 * The longest security token, in characters. IAM's has no fixed length, but no server reads a header of this size, and to
 * look for such a token in each response would keep n8n busy.
 */
const MAX_TOKEN = 64 * 1024;

const CHECK_NAMES = "Check 'Agency Account Name' and 'Agency Name' in the credential";

const ADVICE: Advice = {
	invalid: CHECK_NAMES,
	notFound: `${CHECK_NAMES}: IAM finds no such agency in that account`,
	forbidden:
		"Check 'Agency Name' in the credential. The agency has to trust the account of the access key, and the key's user needs the permission Agent Operator",
};

/** The temporary keys of all agencies of this process. They are for no project, so all projects share them. */
const keys = new TokenCache<TemporaryKey>();

/**
 * Where the temporary keys of an agency come from.
 *
 * Source: Huawei Cloud, IAM API Reference, "Obtaining Temporary Access Keys and Security Tokens of an Agency".
 *
 * @param send carries the request to IAM, for all who wait for it
 */
export function temporaryKeySource(
	authentication: AgencyAuthentication,
	send: SendLogin,
): TokenSource<TemporaryKey> {
	return createTokenSource(keys, {
		key: agencyKey(authentication),
		name: 'temporary keys',
		assertNotRefused: () => assertAgencyNotRefused(authentication),
		fetch: async (signal) => await fetchKeys(authentication, send, signal),
		// Side by side, the requests for five agencies would lock a wrong key where IAM takes long to refuse it.
		queue: accessKeyKey(authentication),
		// A refused signature (401) is remembered for the access key, which may serve other agencies.
		remember: (failure) =>
			failure.details.httpStatus === 403
				? rememberRefusal(refusalKey(authentication), 'agency', failure)
				: failure,
	});
}

/** @returns the temporary keys at hand, for those who cannot wait for others */
export function knownTemporaryKey(authentication: AgencyAuthentication): TemporaryKey | undefined {
	return keys.peek(agencyKey(authentication));
}

/** @throws {RequestError} if IAM has refused the access key, or the agency to it, in the last 15 minutes */
export function assertAgencyNotRefused(authentication: AgencyAuthentication): void {
	assertNotRefused(accessKeyKey(authentication));
	assertNotRefused(refusalKey(authentication));
}

function agencyKey(authentication: AgencyAuthentication): string {
	const { iamOrigin, allowUnauthorizedCerts } = authentication;
	return fingerprint(refusalKey(authentication), iamOrigin, allowUnauthorizedCerts);
}

/** What IAM refuses is the agency to this key, in whatever region. */
function refusalKey(authentication: AgencyAuthentication): string {
	const { account, name } = authentication.agency;
	return fingerprint(accessKeyKey(authentication), account, name);
}

async function fetchKeys(
	authentication: AgencyAuthentication,
	send: SendLogin,
	signal: AbortSignal,
): Promise<Token<TemporaryKey>> {
	const { accessKey } = authentication;
	const turn = { ready: async () => await Promise.resolve(), signal };
	const { object, headers } = await withAccessKey(accessKeyKey(authentication), turn, async () => {
		const request = keysRequest(authentication);
		const signed = { ...request, headers: signRequest(request, accessKey) };
		const secrets = [accessKey.secretAccessKey, ...secretsIn(signed.headers)];
		return await send(signed, { secrets, unauthorized: checkAccessKeyAdvice, advice: ADVICE }, signal);
	});
	const credential = isObject(object.credential) ? object.credential : {};
	return { value: temporaryKeyOf(credential), lifetime: lifetimeOf(credential, headers) };
}

function keysRequest({ iamOrigin, agency }: AgencyAuthentication): HttpRequest {
	return {
		method: 'POST',
		origin: iamOrigin,
		path: '/v3.0/OS-CREDENTIAL/securitytokens',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({
			auth: {
				identity: {
					methods: ['assume_role'],
					assume_role: {
						domain_name: agency.account,
						agency_name: agency.name,
						duration_seconds: DURATION,
					},
				},
			},
		}),
	};
}

function temporaryKeyOf({ access, secret, securitytoken }: JsonObject): TemporaryKey {
	return {
		accessKeyId: usable(access),
		secretAccessKey: usable(secret),
		securityToken: usable(securitytoken),
	};
}

/** @throws {RequestError} if a value is no text, or none that a header can carry */
function usable(value: unknown): string {
	if (typeof value === 'string' && value.length <= MAX_TOKEN && isHeaderValue(value)) return value;
	throw unexpectedResponse('temporary keys that can be used');
}
