import { randomBytes } from 'node:crypto';
import { agencies, type Agency, type Caller } from './accounts';
import { makeToken } from './cloud';
import { Refusal, type GoodAnswer } from './faults';
import { iamTime, refuseExpired } from './iam';
import type { AccessKey } from './signature';

/** The body of the call for temporary keys: the API reference, section 10 (page api-iam/iam_04_0101.html). */
export interface AgencyRequest {
	auth: {
		identity: {
			methods: ['assume_role'];
			assume_role: {
				domain_name?: string;
				domain_id?: string;
				agency_name: string;
				duration_seconds?: number;
			};
		};
	};
}

/** Seconds that a temporary key counts when nobody asks for more: the least that can be asked for [inferred]. */
const DEFAULT_SECONDS = 900;

const known: Agency[] = Object.values(agencies);

/** IAM's side of agencies: gives out temporary keys and says whose they are. */
export class TemporaryKeys {
	private readonly keys = new Map<string, { key: AccessKey; expiry: number; actsAs: Caller }>();

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param lifetime milliseconds that keys count, whatever a call asks for
	 */
	constructor(
		private readonly now: () => number,
		private readonly lifetime?: number,
	) {}

	/**
	 * Gives keys with which the caller acts as an agency: the API reference, section 10.
	 * @throws {Refusal} in IAM's words (page api-iam/iam_02_0006.html); which of its errors it takes is inferred
	 */
	assume(caller: Caller, { auth: { identity } }: AgencyRequest): GoodAnswer {
		const { domain_name, domain_id, agency_name, duration_seconds = DEFAULT_SECONDS } = identity.assume_role;
		if (!caller.rights.has('iam:agencies:assume')) {
			throw new Refusal('iam-0003', "Policy doesn't allow iam:agencies:assume to be performed.");
		}
		const inAccount = known.filter(({ actsAs: { account } }) =>
			[domain_name, domain_id].some((wanted) => [account.name, account.id].includes(wanted ?? '')),
		);
		if (inAccount.length === 0) {
			throw new Refusal('iam-0004', `Could not find domain: ${domain_name ?? domain_id}.`);
		}
		const agency = inAccount.find(({ name }) => name === agency_name);
		if (!agency) throw new Refusal('iam-0004', `Could not find agency: ${agency_name}.`);
		if (agency.trusts.id !== caller.account.id) throw new Refusal('iam-0002');
		return this.issue(agency, duration_seconds * 1000);
	}

	/** The answer of a call that succeeded; keys that were given before stay valid. */
	issue({ actsAs }: Agency = agencies.acceptance, asked = DEFAULT_SECONDS * 1000): GoodAnswer {
		const expiry = this.now() + (this.lifetime ?? asked);
		const accessKeyId = `TEMPORARY${randomBytes(6).toString('hex').toUpperCase()}`;
		const secretAccessKey = randomBytes(20).toString('hex');
		const securityToken = makeToken(accessKeyId);
		this.keys.set(accessKeyId, { key: { accessKeyId, secretAccessKey, securityToken }, expiry, actsAs });
		const credential = {
			access: accessKeyId,
			secret: secretAccessKey,
			securitytoken: securityToken,
			expires_at: iamTime(expiry),
		};
		return { status: 201, body: { credential } };
	}

	/** A key that counts; throws the API gateway's refusal for one that has expired. */
	find(accessKeyId: string): AccessKey | undefined {
		const found = this.keys.get(accessKeyId);
		if (found) refuseExpired(found.expiry, this.now());
		return found?.key;
	}

	callerOf({ accessKeyId }: AccessKey): Caller | undefined {
		return this.keys.get(accessKeyId)?.actsAs;
	}

	/** Ends all keys that were given so far, as if they had never been. */
	revoke(): void {
		this.keys.clear();
	}
}
