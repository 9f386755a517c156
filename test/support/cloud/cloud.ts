import { createHash, randomUUID } from 'node:crypto';
import { Refusal } from './faults';

export const projectId = '0f5c2a7be1d84963a7c0d41b86e9f352';
export const workspaceId = '9b1e6d0c47fa4c2588d3e7a615b0fc94';
/** A workspace that exists but is not in order. */
export const abnormalWorkspaceId = '2d74c8f1a03e4b9d9156ee0b7ac82d63';

/** As long and as odd as those of IAM; the same seed gives the same token. */
export const makeToken = (seed: string) =>
	`MII${createHash('shake256', { outputLength: 300 }).update(seed).digest('base64').replaceAll('/', '-')}`;

export const validToken = makeToken('valid');
export const unknownToken = makeToken('unknown');
export const expiredToken = makeToken('expired');
export const otherRegionToken = makeToken('another region');
export const unauthorizedToken = makeToken('no permission');

/** The account that everything belongs to, its project's region, and the user who acts in it. */
export const account = { id: 'b6f09d2e81c74a53a4e70c9d5b1f8326', name: 'insight-account' };
export const projectName = 'cn-north-4';
export const operator = { id: '71e3b0d94c5f4a268f1dc9e6a20b7d85', name: 'insight-operator' };

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

type Status = 'accepted' | 'pendingAcceptance' | 'rejected' | 'creating';

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
	vpc_ep_client_status: Status;
	vpc_ep_server_id: string;
	vpc_ep_server_name: string;
	scene: 'dii-app_to_data-source';
}

export interface EndpointService {
	id: string;
	name: string;
	/** What the first verify meets. Only services whose owner has to approve are `pendingAcceptance`. */
	firstAnswer: Status | 'not whitelisted';
}

const service = (
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

const services: EndpointService[] = Object.values(endpointServices);

/** A freshly created endpoint with every field of the API reference, section 1. */
export function newEndpoint(
	ds_type: string,
	{ id, name }: { id: string; name: string },
	now = Date.now(),
): Endpoint {
	return {
		id: hexId(),
		create_date: now,
		create_user: operator.id,
		create_user_name: operator.name,
		update_date: now,
		update_user: operator.id,
		update_user_name: operator.name,
		project_id: projectId,
		domain_id: account.id,
		ds_type,
		vpc_ep_client_id: randomUUID(),
		vpc_ep_client_status: 'accepted',
		vpc_ep_server_id: id,
		vpc_ep_server_name: name,
		scene: 'dii-app_to_data-source',
	};
}

/** What the VPC Endpoint service tells of one of the account's own services: the API reference, section 6. */
function listedService({ id, name, firstAnswer }: EndpointService) {
	return {
		id,
		port_id: '7b3f9e02-61d8-4c5a-9f27-e0a4d8c16b35',
		vpc_id: 'd8a1c6f4-2e97-4b03-8c5d-6f10b7e9a24c',
		project_id: projectId,
		service_name: name,
		service_type: 'interface',
		server_type: 'LB',
		approval_enabled: firstAnswer === 'pendingAcceptance',
		status: 'available',
		created_at: '2024-04-02T07:14:51Z',
		updated_at: '2024-05-06T02:21:12Z',
		ports: [{ client_port: 8000, server_port: 8000, protocol: 'TCP' }],
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

/** Refuses a workspace as the service does: the API reference, section 2 (page ErrorCode). */
export function checkWorkspace(id: unknown): void {
	if (id === abnormalWorkspaceId) throw new Refusal('insight-24150004');
	if (id !== workspaceId) throw new Refusal('insight-24150005');
}

/** What the cloud remembers between calls. There is one project and one healthy workspace, so only these matter. */
export class Cloud {
	private readonly endpoints = new Map<string, Endpoint>();

	/** Those of the account itself. */
	private readonly own: EndpointService[];

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param moreServices how many endpoint services the account has beside `endpointServices`
	 */
	constructor(
		private readonly now: () => number,
		moreServices: number,
	) {
		const others: EndpointService[] = [endpointServices.cloudOwned, endpointServices.partnerArchive];
		const more = Array.from({ length: moreServices }, (_, index) =>
			service(`cn-north-4.branch-${index + 1}`, randomUUID(), 'accepted'),
		);
		this.own = [...services.filter((one) => !others.includes(one)), ...more];
	}

	/** Verifies the service and creates its endpoint, or shows the one that exists: the API reference, section 1. */
	verify(request: VerifyRequest): Endpoint {
		const found = this.find(request);
		if (found.firstAnswer === 'not whitelisted') throw new Refusal('endpoint-2012');
		const key = `${request.ds_type} ${found.id}`;
		const known = this.endpoints.get(key);
		const endpoint: Endpoint = known
			? {
					...known,
					// Two calls in the same millisecond still differ.
					update_date: Math.max(this.now(), known.update_date + 1),
					vpc_ep_client_status:
						known.vpc_ep_client_status === 'creating' ? 'accepted' : known.vpc_ep_client_status,
				}
			: {
					...newEndpoint(request.ds_type, found, this.now()),
					vpc_ep_client_status: found.firstAnswer,
				};
		this.endpoints.set(key, endpoint);
		return endpoint;
	}

	/** The account's own endpoint services. A name is searched for without regard to case, an ID as a whole. */
	listServices(name = '', id = '') {
		return this.own
			.filter((one) => one.name.toLowerCase().includes(name.toLowerCase()) && [one.id, ''].includes(id))
			.map(listedService);
	}

	list(): Endpoint[] {
		return [...this.endpoints.values()];
	}

	/** Throws when nothing is pending: accepting too early would otherwise pass unnoticed. */
	accept(serverNameOrId: string): void {
		const pending = [...this.endpoints].filter(
			([, endpoint]) =>
				[endpoint.vpc_ep_server_name, endpoint.vpc_ep_server_id].includes(serverNameOrId) &&
				endpoint.vpc_ep_client_status === 'pendingAcceptance',
		);
		if (pending.length === 0) throw new Error(`No endpoint of ${serverNameOrId} is pending acceptance`);
		for (const [key, endpoint] of pending) {
			this.endpoints.set(key, { ...endpoint, vpc_ep_client_status: 'accepted' });
		}
	}

	reset(): void {
		this.endpoints.clear();
	}

	private find({ vpc_ep_server_name: name, vpc_ep_server_id: id }: VerifyRequest): EndpointService {
		const byName = services.find((candidate) => candidate.name === name);
		const byId = services.find((candidate) => candidate.id === id);
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
