import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Right } from './accounts';
import { refuseAsVpcEndpoint, send } from './answers';
import { shownConnection, type Connections } from './connections';
import { Refusal } from './faults';
import { sendsJson, type Gateway } from './gateway';
import {
	connectionsQuery,
	decideBody,
	describeQuery,
	endpointServicesQuery,
	noQuery,
	permissionsQuery,
	whitelistBody,
} from './schemas';
import type { PermissionType, VpcEndpointServices } from './vpcEndpointService';

interface Services {
	gateway: Gateway;
	services: VpcEndpointServices;
	connections: Connections;
}

interface PageQuery {
	limit?: string;
	offset?: string;
	sort_key?: 'create_at' | 'update_at';
	sort_dir?: 'asc' | 'desc';
}
interface OfService {
	Params: { project_id: string; id: string };
}

const SERVICES = '/v1/:project_id/vpc-endpoint-services';

/** The VPC Endpoint service, which knows of no workspaces: the API reference, section 7. */
export function addVpcEndpointRoutes(
	app: FastifyInstance,
	{ gateway, services, connections }: Services,
): void {
	const guard = (right: Right) => ({
		preValidation: (request: FastifyRequest, _reply: unknown, done: () => void) => {
			const { rights } = gateway.check(request);
			if (!rights.has(right)) throw new Refusal('endpoint-0004');
			if (request.method === 'POST' && !sendsJson(request)) {
				throw new Refusal('endpoint-0002', 'Parameter error: Content-Type has to be application/json.');
			}
			done();
		},
		errorHandler: refuseAsVpcEndpoint,
	});

	app.get<{
		Params: { project_id: string };
		Querystring: PageQuery & { endpoint_service_name?: string; id?: string; status?: string };
	}>(
		SERVICES,
		{ schema: { querystring: endpointServicesQuery }, ...guard('vpcep:epservices:list') },
		async ({ params, query }, reply) => {
			const { endpoint_service_name: name, id, status, sort_key = 'create_at' } = query;
			const found = services.list(params.project_id, { name, id, status }, sort_key);
			const endpoint_services = pageOf(found, query).map((one) => services.show(one));
			return send(reply, { status: 200, body: { endpoint_services, total_count: found.length } });
		},
	);

	app.get<{ Querystring: { endpoint_service_name?: string; id?: string } }>(
		`${SERVICES}/describe`,
		{ schema: { querystring: describeQuery }, ...guard('vpcep:epservices:get') },
		async ({ query: { endpoint_service_name: name, id } }, reply) => {
			const found = services.all.find((one) => one.name === name || one.id === id);
			if (!found) throw new Refusal('endpoint-2003');
			return send(reply, { status: 200, body: services.describe(found) });
		},
	);

	app.get<OfService>(
		`${SERVICES}/:id`,
		{ schema: { querystring: noQuery }, ...guard('vpcep:epservices:get') },
		async ({ params: { project_id, id } }, reply) =>
			send(reply, { status: 200, body: services.show(services.own(project_id, id)) }),
	);

	app.get<OfService & { Querystring: PageQuery & { id?: string; marker_id?: string; status?: string } }>(
		`${SERVICES}/:id/connections`,
		{ schema: { querystring: connectionsQuery }, ...guard('vpcep:connections:list') },
		async ({ params, query }, reply) => {
			const { id, marker_id, status } = query;
			const all = connections.of(services.own(params.project_id, params.id).id);
			const found = all.filter(
				(one) =>
					[one.id, undefined].includes(id) &&
					[String(one.markerId), undefined].includes(marker_id) &&
					(status === undefined || one.status === status),
			);
			const page = pageOf(found, query).map(shownConnection);
			return send(reply, { status: 200, body: { connections: page, total_count: found.length } });
		},
	);

	app.post<OfService & { Body: { action: 'receive' | 'reject'; endpoints: [string] } }>(
		`${SERVICES}/:id/connections/action`,
		{ schema: { body: decideBody, querystring: noQuery }, ...guard('vpcep:connections:update') },
		async ({ params, body: { action, endpoints } }, reply) => {
			const connection = services.connection(services.own(params.project_id, params.id), endpoints[0]);
			connections.decide(connection, action);
			return send(reply, { status: 200, body: { connections: [shownConnection(connection)] } });
		},
	);

	app.get<OfService & { Querystring: PageQuery & { permission?: string } }>(
		`${SERVICES}/:id/permissions`,
		{ schema: { querystring: permissionsQuery }, ...guard('vpcep:permissions:list') },
		async ({ params, query }, reply) => {
			const { permission: part = '' } = query;
			const found = services
				.permissionsOf(services.own(params.project_id, params.id))
				// A part of it is enough: the page ListServicePermissionsDetails.
				.filter(({ permission }) => permission.includes(part));
			const permissions = pageOf(found, query);
			return send(reply, { status: 200, body: { permissions, total_count: found.length } });
		},
	);

	app.post<
		OfService & {
			Body: { permissions: string[]; action: 'add' | 'remove'; permission_type?: PermissionType };
		}
	>(
		`${SERVICES}/:id/permissions/action`,
		{ schema: { body: whitelistBody, querystring: noQuery }, ...guard('vpcep:permissions:update') },
		async ({ params, body: { permissions, action, permission_type: type } }, reply) => {
			const own = services.own(params.project_id, params.id);
			const permission_type =
				action === 'add'
					? services.addPermissions(own, permissions, type)
					: services.removePermissions(own, permissions, type);
			return send(reply, { status: 200, body: { permissions, permission_type } });
		},
	);
}

/** A page of a list whose oldest entry stands first. The newest comes first unless asked otherwise. */
function pageOf<Entry>(oldestFirst: Entry[], { limit = '10', offset = '0', sort_dir = 'desc' }: PageQuery) {
	const from = Number(offset);
	const to = from + Number(limit);
	if (sort_dir === 'asc') return oldestFirst.slice(from, to);
	const { length } = oldestFirst;
	return oldestFirst.slice(Math.max(length - to, 0), Math.max(length - from, 0)).reverse();
}
