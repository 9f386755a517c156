/*
 * Who there is in this cloud: accounts, their users, and what each user may do.
 */

export interface Account {
	id: string;
	name: string;
}

/** The account that most of this cloud belongs to. */
export const account: Account = { id: 'b6f09d2e81c74a53a4e70c9d5b1f8326', name: 'insight-account' };
/** The account that `partnerArchive` belongs to. */
export const owner: Account = { id: '3fa61c0e7d924b58906ec5b27a14d8f3', name: 'partner-account' };
/** The account in which DataArts Insight makes its endpoints: the API reference, sections 7 and 8. */
export const insightDomainId = '8d40e7b3c1f2495fa6d95e0b7c23a816';

/** What a user may do. Those of DataArts Insight are printed nowhere: the API reference, section 8. */
export type Right =
	| 'vpcep:epservices:list'
	| 'vpcep:epservices:get'
	| 'vpcep:connections:list'
	| 'vpcep:connections:update'
	| 'vpcep:permissions:list'
	| 'vpcep:permissions:update'
	| 'iam:agencies:assume'
	| 'verify endpoint services'
	| 'list data connections'
	| 'list workspaces';

/** Whoever calls: a user, or an agency that somebody acts through. */
export interface Caller {
	account: Account;
	id: string;
	name: string;
	rights: ReadonlySet<Right>;
}

/** All but to act for others, which takes the role Agent Operator: the API reference, section 10. */
const work: Right[] = [
	'vpcep:epservices:list',
	'vpcep:epservices:get',
	'vpcep:connections:list',
	'vpcep:connections:update',
	'vpcep:permissions:list',
	'vpcep:permissions:update',
	'verify endpoint services',
	'list data connections',
	'list workspaces',
];

const caller = (
	{ account: of = account, id, name }: { account?: Account; id: string; name: string },
	...rights: Right[]
): Caller => ({ account: of, id, name, rights: new Set(rights) });

export const operator = { id: '71e3b0d94c5f4a268f1dc9e6a20b7d85', name: 'insight-operator' };

/** The users who can call. */
export const callers = {
	operator: caller(operator, ...work, 'iam:agencies:assume'),
	/** May look at everything, and change nothing. */
	reader: caller(
		{ id: '5c0d9e17b2a84f36938fe1d64b70ca25', name: 'insight-reader' },
		'vpcep:epservices:list',
		'vpcep:epservices:get',
		'vpcep:connections:list',
		'vpcep:permissions:list',
		'list data connections',
		'list workspaces',
	),
	/** May verify in a workspace that somebody told the user of, and nothing else. */
	verifier: caller(
		{ id: 'e91b74f20c6d4d8aa35710f8be9c62d4', name: 'insight-verifier' },
		'verify endpoint services',
		'list data connections',
	),
	/** The user of the other account. */
	owner: caller(
		{ account: owner, id: 'a07f5be83d1c4269b84e96d2c30f17a5', name: 'partner-owner' },
		...work,
		'iam:agencies:assume',
	),
} satisfies Record<string, Caller>;

/** Lets an account act in the account that has the agency: the API reference, section 10. */
export interface Agency {
	name: string;
	trusts: Account;
	actsAs: Caller;
}

const agency = (name: string, trusts: Account, id: string): Agency => ({
	name,
	trusts,
	actsAs: caller({ account: owner, id, name }, ...work),
});

/** Those of the account `owner`. */
export const agencies = {
	acceptance: agency('endpoint-acceptance', account, '46d8a2f1e07b4c9395c8be310d7f64a2'),
	/** Trusts an account of which this cloud knows nothing else. */
	audit: agency(
		'yearly-audit',
		{ id: '0e5f38c6a94b4d71b2d70c1f86e3a95b', name: 'audit-account' },
		'c25b90e7143f4a6d8e01d9f7a36b58c4',
	),
} satisfies Record<string, Agency>;
