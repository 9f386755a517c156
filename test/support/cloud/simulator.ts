import { agencies, owner } from './accounts';
import { validToken } from './cloud';
import type { FaultName } from './faults';
import { iamUsers } from './iam';
import { ownerProjectId, ownerWorkspaceId, projectId, workspaceId } from './projects';
import { accessKey, ownerAccessKey, readerAccessKey, verifierAccessKey } from './signature';
import type { VpcEndpointServices } from './vpcEndpointService';

export interface SimulatorOptions {
	/** 0, the default, takes a free port. */
	port?: number;
	tls?: { key: string; cert: string };
	/** Milliseconds of service time before each answer; 0 by default. */
	latency?: number;
	/** Milliseconds that an idle connection stays open. */
	keepAliveTimeout?: number;
	/** Milliseconds that a token of IAM is valid; 24 hours by default. */
	tokenLifetime?: number;
	/** Milliseconds that the simulated clock is ahead of this machine's; 0 by default. */
	clockOffset?: number;
	/** Milliseconds that temporary keys of an agency count; what the call asks for by default. */
	temporaryKeyLifetime?: number;
	/** How many endpoint services the account has beside `endpointServices`; none by default. */
	moreServices?: number;
	/**
	 * How many connections `financeLedger` has from the start; none by default. They are accepted, pending and rejected in
	 * turn, older than all others, and DataArts Insight knows nothing of them.
	 */
	moreConnections?: number;
	/** How many workspaces the first project has beside the first; none by default. */
	moreWorkspaces?: number;
	/** How many projects the account has beside the first, each with one workspace of its own; none by default. */
	moreProjects?: number;
	/** Milliseconds from an owner's accept to `accepted`, in which an endpoint is `creating`; 0 by default. */
	acceptTime?: number;
	/** How many endpoints DataArts Insight makes for a project; 50 by default. */
	endpointQuota?: number;
	/** How many permissions the whitelist of an endpoint service may hold; 100 by default. */
	whitelistLimit?: number;
}

export interface ReceivedRequest {
	method: string;
	/** With its query. */
	path: string;
	headers: Record<string, string | string[] | undefined>;
	/** As received; empty without one. */
	body: string;
	/** Milliseconds since 1970. */
	at: number;
}

export interface Simulator extends Credentials {
	url: string;
	/** The account's projects; the first is `projectId`. */
	readonly projectIds: string[];
	/**
	 * The account's workspaces that are in order; the first is `workspaceId`. Those of the first project come first, then
	 * those of the others, project by project.
	 */
	readonly workspaceIds: string[];
	/** Those of one project. */
	workspacesOf(projectId: string): string[];
	/** Every well-formed request since the start or the last reset, in order of arrival. */
	readonly requests: ReceivedRequest[];
	/** TCP connections accepted since the start. */
	readonly connections: number;
	/** Calls of IAM's login since the start or the last reset, however they were answered. */
	readonly logins: number;
	/** Those of them that were answered with a status from 400 to 499. */
	readonly refusedLogins: number;
	/** Calls for temporary keys since the start or the last reset, however they were answered. */
	readonly agencyCalls: number;
	/** Those of them that were answered with a status from 400 to 499. */
	readonly refusedAgencyCalls: number;
	/** Signed requests whose signature was refused since the start or the last reset. */
	readonly refusedSignatures: number;
	/**
	 * Milliseconds that the simulated clock is ahead of this machine's. Set it, and time has passed: tokens expire, locks
	 * open, dates are off. `at` of a request stays true.
	 */
	clockOffset: number;
	/** Gives another valid token for one of the account's projects, as a login does; the first when left out. */
	issueToken(projectId?: string): string;
	/** All tokens that IAM has given so far end; the fixed one stays valid. */
	revokeTokens(): void;
	/** All temporary keys that IAM has given for an agency so far end; the fixed one stays valid. */
	revokeTemporaryKeys(): void;
	/**
	 * The owner of the endpoint service accepts what DataArts Insight has pending there, and it is accepted at once;
	 * throws when nothing is pending.
	 */
	accept(serverNameOrId: string): void;
	/** The connections of an endpoint service as they are now, the oldest first. */
	connectionsOf(serverNameOrId: string): ReturnType<VpcEndpointServices['connectionsOf']>;
	/** The whitelist of an endpoint service as it is now, the oldest first. */
	permissionsOf(serverNameOrId: string): ReturnType<VpcEndpointServices['permissionsOf']>;
	/** Puts a permission on the whitelist of an endpoint service; throws when it has another form. */
	whitelist(serverNameOrId: string, permission: string): void;
	/** The next requests, whatever they ask for, fail in the named way. */
	failNext(name: FaultName, times?: number): void;
	/**
	 * Forgets requests, endpoints, connections, whitelists, planned faults, counts and locks, and sets the clock back;
	 * issued tokens and temporary keys stay.
	 */
	reset(): void;
	close(): Promise<void>;
}

/** Ready to use as the node's credential. */
export type Credentials = ReturnType<typeof credentialsFor>;

/** Credentials of this cloud, by what they prove the caller's identity with, and by who calls. */
export function credentialsFor(url: string) {
	const custom = { region: 'custom' as const, baseUrl: url, vpcepUrl: url };
	const address = { ...custom, projectId, workspaceId };
	const signed = { ...address, authentication: 'accessKey' as const };
	return {
		credentials: { ...address, token: validToken },
		passwordCredentials: {
			...address,
			authentication: 'password' as const,
			iamUrl: url,
			...iamUsers.operator,
		},
		accessKeyCredentials: { ...signed, ...accessKey },
		/** A user of the same account who may look at everything and change nothing. */
		readerCredentials: { ...signed, ...readerAccessKey },
		/** A user of the same account who may verify, and see nothing of the owner's side and no list of workspaces. */
		verifierCredentials: { ...signed, ...verifierAccessKey },
		/** The account that `partnerArchive` belongs to. */
		ownerCredentials: {
			...custom,
			authentication: 'accessKey' as const,
			...ownerAccessKey,
			projectId: ownerProjectId,
			workspaceId: '',
		},
		/** A user of the first account who acts for that one. */
		agencyCredentials: {
			...custom,
			authentication: 'agency' as const,
			...accessKey,
			agencyAccount: owner.name,
			agencyName: agencies.acceptance.name,
			iamUrl: url,
			projectId: ownerProjectId,
			workspaceId: ownerWorkspaceId,
		},
	};
}
