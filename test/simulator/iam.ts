import { randomBytes } from 'node:crypto';

import { projectId } from './cloud';
import { type Answer, documentedFaults, Refusal } from './faults';

const domainName = 'insight-account';
const password = 'Corr3ct-h0rse!';

/** Users of the simulated account, with what they log in with. */
export const iamUsers = {
	operator: { domainName, username: 'insight-operator', password },
	consoleOnly: { domainName, username: 'console-visitor', password },
	disabled: { domainName, username: 'former-operator', password },
};

/** A login: the API reference, section 4 (page iam_30_0001). */
export interface LoginRequest {
	auth: {
		identity: { password: { user: { name: string; password: string; domain: { name: string } } } };
		scope: { project: { id: string } };
	};
}

const MINUTE = 60_000;
const LOCK_AFTER = 5;
const LOCK_WINDOW = 15 * MINUTE;

const wrongLogin: Answer = {
	status: 401,
	body: { error: { code: 401, message: 'The username or password is wrong.', title: 'Unauthorized' } },
};

/** IAM: gives tokens for passwords, and remembers them. */
export class Iam {
	/** Logins that were tried since the start or the last reset. */
	logins = 0;

	private readonly expiries = new Map<string, number>();

	private readonly refusals = new Map<string, number[]>();

	/**
	 * @param now the simulated clock
	 * @param lifetime of a token, in milliseconds
	 */
	constructor(
		private readonly now: () => number,
		private readonly lifetime: number,
	) {}

	/** Answers a login with a new token, or refuses it: the API reference, sections 2 and 4. */
	login({ auth }: LoginRequest): Answer {
		this.logins++;
		const { name, password: given, domain } = auth.identity.password.user;
		const account = `${domain.name}/${name}`;
		const recent = (this.refusals.get(account) ?? []).filter((time) => time > this.now() - LOCK_WINDOW);
		if (recent.length >= LOCK_AFTER) return documentedFaults['iam-0061'];

		const user = Object.values(iamUsers).find(
			(candidate) => candidate.domainName === domain.name && candidate.username === name,
		);
		if (user?.password !== given) {
			this.refusals.set(account, [...recent, this.now()]);
			return wrongLogin;
		}
		if (user === iamUsers.consoleOnly) return documentedFaults['iam-0081'];
		if (user === iamUsers.disabled) return documentedFaults['iam-0082'];
		// The page does not say how IAM answers here; 403 is what it uses for what a user may not do.
		if (auth.scope.project.id !== projectId) return documentedFaults['iam-0002'];

		const token = `MII${randomBytes(300).toString('base64').replaceAll('/', '-')}`;
		const expiry = this.now() + this.lifetime;
		this.expiries.set(token, expiry);
		return {
			status: 201,
			headers: { 'x-subject-token': token },
			body: {
				token: {
					expires_at: iamTime(expiry),
					issued_at: iamTime(this.now()),
					methods: ['password'],
					project: { id: projectId, name: 'cn-north-4', domain: { name: domain.name } },
					user: { name, domain: { name: domain.name } },
				},
			},
		};
	}

	/** @returns whether the token is one of IAM's that still holds; throws if it is one that has ended */
	knows(token: string): boolean {
		const expiry = this.expiries.get(token);
		if (expiry === undefined) return false;
		if (expiry > this.now()) return true;
		const reason = `token expires, expires_at: ${iamTime(expiry)}`;
		throw new Refusal('apigw-0301-expired', `Incorrect IAM authentication information: ${reason}`);
	}

	/** All tokens given so far end, as after a change of the password. */
	revokeTokens() {
		this.expiries.clear();
	}

	/** Forgets logins and refusals, not tokens. */
	reset() {
		this.logins = 0;
		this.refusals.clear();
	}
}

/** IAM writes microseconds. */
function iamTime(milliseconds: number): string {
	return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
