import { randomUUID } from 'node:crypto';
import { account, insightDomainId, owner, type Account } from './accounts';
import { endpointServices, service, type EndpointService } from './cloud';
import { shownConnection, vpcEndpointTime, type Connections } from './connections';
import { Refusal } from './faults';
import { ownerProjectId, projectId } from './projects';

export type PermissionType = 'domainId' | 'orgPath';

/** An entry of a whitelist: the API reference, section 7 (page ListServicePermissionsDetails). */
interface Permission {
	id: string;
	permission: string;
	permission_type: PermissionType;
	created_at: string;
}

interface ServiceFilter {
	name?: string | undefined;
	id?: string | undefined;
	status?: string | undefined;
}

/** How permissions are written: the API reference, section 7. The lengths are those of the page. */
const permissionForms: Record<PermissionType, RegExp> = {
	domainId: /^iam:domain::([a-zA-Z0-9]{1,64}|\*)$/,
	orgPath: /^organizations:orgPath::[a-zA-Z0-9*/-]{1,1024}$/,
};

/** 2024-04-02T07:14:51Z, when the first of the services was created; each other one is a minute older. */
const CREATED = Date.UTC(2024, 3, 2, 7, 14, 51);
const MINUTE = 60_000;

/** The VPC Endpoint service: endpoint services, their connections and their whitelists. */
export class VpcEndpointServices {
	/** The newest first, as lists show them. */
	readonly all: EndpointService[];
	/** The place of each in `all`, by ID. */
	private readonly places: Map<string, number>;
	private readonly whitelists = new Map<string, Permission[]>();

	/**
	 * @param now the simulated clock: milliseconds since 1970
	 * @param moreServices how many endpoint services the account has beside `endpointServices`
	 * @param whitelistLimit how many permissions a service may have
	 */
	constructor(
		private readonly now: () => number,
		private readonly connections: Connections,
		moreServices: number,
		private readonly whitelistLimit: number,
	) {
		const more = Array.from({ length: moreServices }, (_, index) =>
			service(`cn-north-4.branch-${index + 1}`, randomUUID(), 'accepted'),
		);
		this.all = [...Object.values(endpointServices), ...more];
		this.places = new Map(this.all.map(({ id }, place) => [id, place]));
	}

	/** Those of a project, the one first that was changed or created longest ago. A name is searched for without regard to case, an ID as a whole. */
	list(project: string, filter: ServiceFilter, by: 'create_at' | 'update_at') {
		const { name = '', id, status = 'available' } = filter;
		const found = this.all.filter(
			(one) =>
				ownerOf(one)?.projectId === project &&
				one.name.toLowerCase().includes(name.toLowerCase()) &&
				[one.id, undefined].includes(id) &&
				// All are.
				status === 'available',
		);
		// See `times`.
		return by === 'create_at' ? found.reverse() : found;
	}

	/** A service of a project, as its owner sees it. Others have none of it: EndPoint.2003. */
	own(project: string, id: string): EndpointService {
		const found = this.all.find((one) => one.id === id && ownerOf(one)?.projectId === project);
		if (!found) throw new Refusal('endpoint-2003');
		return found;
	}

	/** Any service, whoever owns it. */
	find(nameOrId: string): EndpointService | undefined {
		return this.all.find(({ id, name }) => [id, name].includes(nameOrId));
	}

	/** When a service was created and changed: the later it was created, the longer it has not been changed. */
	private times({ id }: EndpointService): { create_at: number; update_at: number } {
		const age = (this.places.get(id) ?? 0) * MINUTE;
		return { create_at: CREATED - age, update_at: CREATED + 24 * 60 * MINUTE + age };
	}

	/** All fields that its owner sees: the API reference, section 7 (page ListServiceDetails). */
	show(one: EndpointService) {
		const { id, name, firstAnswer } = one;
		const { create_at, update_at } = this.times(one);
		const { account: of, projectId: project } = ownerOf(one) ?? { account, projectId };
		return {
			id,
			port_id: '7b3f9e02-61d8-4c5a-9f27-e0a4d8c16b35',
			vpc_id: 'd8a1c6f4-2e97-4b03-8c5d-6f10b7e9a24c',
			pool_id: '5289da7b-62a4-4d0f-8be3-a1c7f6d2e940',
			project_id: project,
			domain_id: of.id,
			service_name: name,
			service_type: 'interface',
			server_type: 'LB',
			approval_enabled: ['pendingAcceptance', 'rejected', 'not whitelisted'].includes(firstAnswer),
			status: 'available',
			created_at: vpcEndpointTime(create_at),
			updated_at: vpcEndpointTime(update_at),
			ports: [{ client_port: 8000, server_port: 8000, protocol: 'TCP' }],
			connection_count: this.connections.of(id).length,
			tcp_proxy: 'close',
			error: [],
			tags: [],
			description: '',
			public_border_group: '',
			enable_policy: false,
		};
	}

	/** What everybody may know of any service: the API reference, section 7 (page ListServiceDescribeDetails). */
	describe(one: EndpointService) {
		return {
			id: one.id,
			service_name: one.name,
			service_type: 'interface',
			created_at: vpcEndpointTime(this.times(one).create_at),
			is_charge: ownerOf(one) !== undefined,
			public_border_group: '',
			enable_policy: false,
		};
	}

	/** The connection to an endpoint. */
	connection({ id }: EndpointService, endpointId: string) {
		const found = this.connections.of(id).find((connection) => connection.id === endpointId);
		if (!found) throw new Refusal('endpoint-0005');
		return found;
	}

	/** All connections of any service, as its owner sees them. */
	connectionsOf(one: EndpointService) {
		return this.connections.of(one.id).map(shownConnection);
	}

	/** The whitelist, in order of creation. All but `partnerArchive` know DataArts Insight from the start. */
	permissionsOf({ id, firstAnswer }: EndpointService): Permission[] {
		let list = this.whitelists.get(id);
		if (!list) {
			const known = firstAnswer === 'not whitelisted' ? [] : [`iam:domain::${insightDomainId}`];
			list = known.map((permission) => newPermission(permission, 'domainId', CREATED));
			this.whitelists.set(id, list);
		}
		return list;
	}

	/** Whether an account may connect: the API reference, section 7. Organizations are not resolved. */
	isOpenTo(one: EndpointService, domainId: string): boolean {
		if (!ownerOf(one)) return true;
		const allowed = ['iam:domain::*', `iam:domain::${domainId}`];
		return this.permissionsOf(one).some(({ permission }) => allowed.includes(permission));
	}

	/**
	 * Adds to the whitelist; who is on it already stays [inferred].
	 * @throws {Refusal} EndPoint.0002 for a permission of another form, EndPoint.2045 when the list would be too long;
	 * then none is added [inferred]
	 */
	addPermissions(one: EndpointService, permissions: string[], type?: PermissionType): PermissionType {
		const of = typeOf(permissions, type);
		const list = this.permissionsOf(one);
		const present = new Set(list.map(({ permission }) => permission));
		const added = [...new Set(permissions)].filter((permission) => !present.has(permission));
		if (list.length + added.length > this.whitelistLimit) throw new Refusal('endpoint-2045');
		list.push(...added.map((permission) => newPermission(permission, of, this.now())));
		return of;
	}

	/** Takes off the whitelist; who is not on it is not missed [inferred]. */
	removePermissions(one: EndpointService, permissions: string[], type?: PermissionType): PermissionType {
		const of = typeOf(permissions, type);
		const kept = this.permissionsOf(one).filter(({ permission }) => !permissions.includes(permission));
		this.whitelists.set(one.id, kept);
		return of;
	}

	reset(): void {
		this.whitelists.clear();
	}
}

/** Whose a service is; nobody's that the cloud itself owns. */
function ownerOf({ id }: EndpointService): { account: Account; projectId: string } | undefined {
	if (id === endpointServices.cloudOwned.id) return undefined;
	return id === endpointServices.partnerArchive.id
		? { account: owner, projectId: ownerProjectId }
		: { account, projectId };
}

/** The one type that all permissions of a call have: the answer names one, so a call cannot mix them [inferred]. */
function typeOf(permissions: string[], asked?: PermissionType): PermissionType {
	const types: PermissionType[] = asked ? [asked] : ['domainId', 'orgPath'];
	const found = types.find((type) =>
		permissions.every((permission) => permissionForms[type].test(permission)),
	);
	if (!found) throw new Refusal('endpoint-0002', 'Parameter error: permissions');
	return found;
}

const newPermission = (permission: string, permission_type: PermissionType, at: number): Permission => ({
	id: randomUUID(),
	permission,
	permission_type,
	created_at: vpcEndpointTime(at),
});
