import { randomUUID } from 'node:crypto';
import { account, callers, operator, owner, type Caller } from './accounts';
import { checkToken, makeToken } from './cloud';
import { badCaller, Refusal } from './faults';
import type { DocumentedFaultName, GoodAnswer } from './faults';
import { Lockout } from './lockout';
import { projectId, type Project, type Projects } from './projects';

export interface IamUser {
	/** The account's name. */
	domainName: string;
	username: string;
	password: string;
}

const domainName = account.name;

/** Users of the simulated accounts, with what they log in with. */
export const iamUsers = {
	operator: { domainName, username: operator.name, password: 'Harbour-Lantern-4721' },
	/** Of the other account. */
	owner: { domainName: owner.name, username: callers.owner.name, password: 'Copper-Thistle-2604' },
	/** Its password is right, but it may only sign in to the console. */
	consoleOnly: { domainName, username: 'insight-console-viewer', password: 'Meadow-Compass-8350' },
	/** Its password is right, but the account's administrator has disabled it. */
	disabled: { domainName, username: 'insight-former-operator', password: 'Granite-Feather-1968' },
} satisfies Record<string, IamUser>;

const users: IamUser[] = Object.values(iamUsers);
const callersByUser = new Map<IamUser, Caller>([[iamUsers.owner, callers.owner]]);
const notAllowed = new Map<IamUser, DocumentedFaultName>([
	[iamUsers.consoleOnly, 'iam-0081'],
	[iamUsers.disabled, 'iam-0082'],
]);

/** The body of a login: the API reference, section 4 (page api-iam/iam_30_0001.html). */
export interface LoginRequest {
	auth: {
		identity: {
			methods: ['password'];
			password: { user: { name: string; password: string; domain: { name: string } } };
		};
		scope: { project: { id: string } };
	};
}

const QUARTER_OF_AN_HOUR = 15 * 60_000;

interface IssuedToken {
	expiry: number;
	caller: Caller;
	/** A token counts in one project only: the API reference, section 4. */
	projectId: string;
}

/** IAM: gives out tokens for passwords and says whether a token still counts. */
export class Iam {
	private readonly tokens = new Map<string, IssuedToken>();
	private readonly lockout: Lockout<IamUser>;

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param tokenLifetime milliseconds
	 */
	constructor(
		private readonly now: () => number,
		private readonly tokenLifetime: number,
		private readonly projects: Projects,
	) {
		// The API reference, section 4. A login that succeeds does not take earlier failures back [inferred].
		const rule = { failures: 5, within: QUARTER_OF_AN_HOUR, lockedFor: QUARTER_OF_AN_HOUR };
		this.lockout = new Lockout(rule, now);
	}

	/**
	 * Gives a new token for a password: the API reference, section 4 (page api-iam/iam_30_0001.html).
	 * @throws {Refusal} in IAM's words (page api-iam/iam_02_0006.html). A project that does not exist is a 404 there and
	 * in this call's list of status codes; OpenStack's IAM would answer 401 [inferred].
	 */
	login({ auth: { identity, scope } }: LoginRequest): GoodAnswer {
		const { name, password, domain } = identity.password.user;
		const user = users.find(
			(candidate) => candidate.username === name && candidate.domainName === domain.name,
		);
		if (!user) throw new Refusal('iam-error-wrong-login');
		if (this.lockout.isLocked(user)) throw new Refusal('iam-0061');
		const refusal = user.password === password ? notAllowed.get(user) : 'iam-error-wrong-login';
		if (refusal) {
			this.lockout.addFailure(user);
			throw new Refusal(refusal);
		}
		const { id } = scope.project;
		const caller = callersByUser.get(user) ?? callers.operator;
		const project = this.projects.of(caller.account).find((candidate) => candidate.id === id);
		if (!project) throw new Refusal('iam-0004', `Could not find project: ${id}.`);
		return this.issueToken(caller, project);
	}

	/** The answer of a successful login; tokens that were issued before stay valid. */
	issueToken(
		caller: Caller = callers.operator,
		project: Project = this.projects.of(caller.account)[0],
	): GoodAnswer {
		const token = makeToken(randomUUID());
		const now = this.now();
		const expiry = now + this.tokenLifetime;
		this.tokens.set(token, { expiry, caller, projectId: project.id });
		const body = {
			token: {
				catalog: [],
				expires_at: iamTime(expiry),
				issued_at: iamTime(now),
				methods: ['password'],
				project: { domain: caller.account, id: project.id, name: project.name },
				roles: [{ id: '0', name: 'te_admin' }],
				user: {
					domain: caller.account,
					id: caller.id,
					name: caller.name,
					password_expires_at: '',
				},
			},
		};
		return { status: 201, headers: { 'x-subject-token': token }, body };
	}

	/**
	 * Says whose token it is and where it counts, or refuses it as the API gateway does: the API reference, section 2
	 * (page of the gateway's error codes).
	 */
	checkToken(token: unknown): { caller: Caller; projectId: string } {
		const issued = this.tokens.get(String(token));
		if (!issued) {
			checkToken(token);
			return { caller: callers.operator, projectId };
		}
		refuseExpired(issued.expiry, this.now());
		return issued;
	}

	/** As a changed password or permission does, only at once. The fixed tokens stay as they are. */
	revokeTokens(): void {
		this.tokens.clear();
	}

	/** Forgets refused logins and opens what they locked; tokens stay valid. */
	reset(): void {
		this.lockout.reset();
	}
}

/** Refuses what has expired, a token or a temporary key, in the API gateway's words. */
export function refuseExpired(expiry: number, now: number): void {
	if (expiry > now) return;
	throw new Refusal('apigw-0301-expired', badCaller(`token expires, expires_at: ${iamTime(expiry)}`));
}

/** Six digits of fractions, as IAM writes times. */
export function iamTime(milliseconds: number): string {
	return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
