import { createHash, randomUUID } from 'node:crypto';
import { callers, insightDomainId, type Caller } from './accounts';
import { Connections, type Connection, type ConnectionStatus } from './connections';
import { Refusal } from './faults';
import { projectId } from './projects';
import type { VpcEndpointServices } from './vpcEndpointService';

export { projectId, workspaceId } from './projects';

/** As long and as odd as those of IAM; the same seed gives the same token. */
export const makeToken = (seed: string) =>
	`MII${createHash('shake256', { outputLength: 300 }).update(seed).digest('base64').replaceAll('/', '-')}`;

export const validToken = makeToken('valid');
export const unknownToken = makeToken('unknown');
export const expiredToken = makeToken('expired');
export const otherRegionToken = makeToken('another region');
export const unauthorizedToken = makeToken('no permission');

/** Data sources as the service spells them: the API reference, section 1 (page VerifyAndCreateVpcEp). */
export const dataSourceTypes = [
	'MySQL',
	'DWS',
	'PostgreSQL',
	'OpenGauss',
	'Doris',
	'HIVE',
	'ClickHouse',
	'API',
] as const;

export interface VerifyRequest {
	ds_type: (typeof dataSourceTypes)[number];
	vpc_ep_server_name?: string;
	vpc_ep_server_id?: string;
}

/** The answer of a verified endpoint: the API reference, section 1 (page VerifyAndCreateVpcEp). */
export interface Endpoint {
	id: string;
	create_date: number;
	create_user: string;
	create_user_name: string;
	update_date: number;
	update_user: string;
	update_user_name: string;
	project_id: string;
	domain_id: string;
	ds_type: string;
	vpc_ep_client_id: string;
	vpc_ep_client_status: ConnectionStatus;
	vpc_ep_server_id: string;
	vpc_ep_server_name: string;
	scene: 'dii-app_to_data-source';
}

export interface EndpointService {
	id: string;
	name: string;
	/**
	 * What the first verify meets. Services whose owner has to approve are `pendingAcceptance`; so is the one that does
	 * not have DataArts Insight on its whitelist, once it has.
	 */
	firstAnswer: ConnectionStatus | 'not whitelisted';
}

export const service = (
	prefix: string,
	id: string,
	firstAnswer: EndpointService['firstAnswer'],
): EndpointService => ({ id, name: `${prefix}.${id}`, firstAnswer });

/** The endpoint services of this cloud; their names take each form that section 1 of the API reference lists. */
export const endpointServices = {
	salesWarehouse: service('cn-north-4.sales-warehouse', '4f1c8a2e-6b3d-4e57-9a10-d2c7b5e8f634', 'accepted'),
	webShop: service('cn-north-4.web-shop', 'a83e5b90-1f47-4c2d-8e6a-7b09c4d1f2e5', 'accepted'),
	nameless: service('cn-north-4', '6d2b9f14-c870-4a3e-b5d9-13e8f7a0c462', 'accepted'),
	cloudOwned: {
		id: 'e07a4c53-92bd-4f18-a6c1-5d3f80b9e271',
		name: 'com.myhuaweicloud.cn-north-4.iam',
		firstAnswer: 'accepted',
	},
	financeLedger: service(
		'cn-north-4.finance-ledger',
		'1b95d7e8-3a0c-4d62-8f7b-e4c6a92d0513',
		'pendingAcceptance',
	),
	customerRecords: service(
		'cn-north-4.customer-records',
		'c4e80f6a-7d21-4b9c-93e5-08a1f6b7d3e2',
		'pendingAcceptance',
	),
	oldBilling: service('cn-north-4.old-billing', '58a3f0c7-e46b-4912-b7d8-6c1e9f25a04d', 'rejected'),
	newReporting: service('cn-north-4.new-reporting', 'f26d81b4-05c9-4e7a-8a3f-b9d7e0c4165a', 'creating'),
	partnerArchive: service(
		'cn-north-4.partner-archive',
		'97c0e2d5-b81f-4a64-9c3e-2f5a7d6b0e18',
		'not whitelisted',
	),
} satisfies Record<string, EndpointService>;

/** Who verifies, and in which project. */
export interface Verifier {
	caller: Caller;
	projectId: string;
}

/** A freshly created endpoint with every field of the API reference, section 1. */
export function newEndpoint(
	ds_type: string,
	{ id, name }: { id: string; name: string },
	now = Date.now(),
	by: Verifier = { caller: callers.operator, projectId },
): Endpoint {
	const { account, id: user, name: userName } = by.caller;
	return {
		id: hexId(),
		create_date: now,
		create_user: user,
		create_user_name: userName,
		update_date: now,
		update_user: user,
		update_user_name: userName,
		project_id: by.projectId,
		domain_id: account.id,
		ds_type,
		vpc_ep_client_id: randomUUID(),
		vpc_ep_client_status: 'accepted',
		vpc_ep_server_id: id,
		vpc_ep_server_name: name,
		scene: 'dii-app_to_data-source',
	};
}

/** 32 hexadecimal digits, as the cloud writes IDs. */
export function hexId(): string {
	return randomUUID().replaceAll('-', '');
}

/** Refuses a token that IAM has not issued here, as the API gateway does: the API reference, section 2 (page of the gateway's error codes). */
export function checkToken(token: unknown): void {
	if (token === undefined || token === '') throw new Refusal('apigw-0301-no-token');
	if (token === expiredToken) throw new Refusal('apigw-0301-expired');
	if (token === otherRegionToken) throw new Refusal('apigw-0307');
	if (token === unauthorizedToken) throw new Refusal('apigw-0302');
	if (token !== validToken) throw new Refusal('apigw-0301-unknown-token');
}

/** DataArts Insight: what it remembers of the endpoints that it verified. */
export class Cloud {
	/** By project, data source and endpoint service: workspaces of a project share an endpoint [inferred]. */
	private readonly endpoints = new Map<string, { endpoint: Endpoint; connection: Connection }>();

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param quota how many endpoints a project may have
	 */
	constructor(
		private readonly now: () => number,
		private readonly services: VpcEndpointServices,
		private readonly connections: Connections,
		private readonly quota: number,
	) {}

	/** Verifies the service and creates its endpoint, or shows the one that exists: the API reference, section 1. */
	verify(request: VerifyRequest, by: Verifier): Endpoint {
		const found = this.find(request);
		const key = `${by.projectId} ${request.ds_type} ${found.id}`;
		const known = this.endpoints.get(key);
		if (!known) return this.create(key, request.ds_type, found, by);
		const { endpoint, connection } = known;
		const { status, acceptedAt } = this.connections.settle(connection);
		// One that no owner has to accept is ready when somebody looks again.
		if (status === 'creating' && acceptedAt === undefined) connection.status = 'accepted';
		// Two calls in the same millisecond still differ.
		endpoint.update_date = Math.max(this.now(), endpoint.update_date + 1);
		endpoint.update_user = by.caller.id;
		endpoint.update_user_name = by.caller.name;
		return this.show(known);
	}

	/** Those of a project. */
	list(project: string): Endpoint[] {
		return [...this.endpoints.values()]
			.filter(({ endpoint }) => endpoint.project_id === project)
			.map((one) => this.show(one));
	}

	/** Throws when nothing is pending: accepting too early would otherwise pass unnoticed. */
	accept(serverNameOrId: string): void {
		const pending = [...this.endpoints.values()].filter(
			({ endpoint, connection }) =>
				[endpoint.vpc_ep_server_name, endpoint.vpc_ep_server_id].includes(serverNameOrId) &&
				connection.status === 'pendingAcceptance',
		);
		if (pending.length === 0) throw new Error(`No endpoint of ${serverNameOrId} is pending acceptance`);
		for (const { connection } of pending) {
			connection.status = 'accepted';
			connection.updatedAt = this.now();
		}
	}

	reset(): void {
		this.endpoints.clear();
	}

	/**
	 * An endpoint that exists stays as it is when its service takes DataArts Insight off the whitelist [inferred], so
	 * only here the whitelist matters.
	 */
	private create(key: string, dsType: string, found: EndpointService, by: Verifier): Endpoint {
		if (!this.services.isOpenTo(found, insightDomainId)) throw new Refusal('endpoint-2012');
		const inProject = [...this.endpoints.values()].filter(
			({ endpoint }) => endpoint.project_id === by.projectId,
		);
		if (inProject.length >= this.quota) throw new Refusal('endpoint-1018');
		const { firstAnswer } = found;
		const status = firstAnswer === 'not whitelisted' ? 'pendingAcceptance' : firstAnswer;
		const connection = this.connections.add(found.id, status);
		const endpoint = {
			...newEndpoint(dsType, found, this.now(), by),
			vpc_ep_client_id: connection.id,
		};
		const made = { endpoint, connection };
		this.endpoints.set(key, made);
		return this.show(made);
	}

	private show({ endpoint, connection }: { endpoint: Endpoint; connection: Connection }): Endpoint {
		return { ...endpoint, vpc_ep_client_status: this.connections.settle(connection).status };
	}

	private find({ vpc_ep_server_name: name, vpc_ep_server_id: id }: VerifyRequest): EndpointService {
		const byName = this.services.all.find((candidate) => candidate.name === name);
		const byId = this.services.all.find((candidate) => candidate.id === id);
		if ((name !== undefined && !byName) || (id !== undefined && !byId)) throw new Refusal('insight-24010003');
		if (byName && byId && byName !== byId) {
			throw new Refusal(
				'apigw-0201-400',
				'vpc_ep_server_name and vpc_ep_server_id belong to different services.',
			);
		}
		const found = byName ?? byId;
		if (!found) throw new Refusal('insight-24010003');
		return found;
	}
}
