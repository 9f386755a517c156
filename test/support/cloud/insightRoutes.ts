import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Right } from './accounts';
import { fail, send } from './answers';
import type { Cloud, VerifyRequest } from './cloud';
import { faultIn, Refusal, type GoodAnswer } from './faults';
import { sendsJson, type Gateway } from './gateway';
import type { Projects } from './projects';
import { noQuery, pageQuery, verifyBody } from './schemas';

interface Services {
	gateway: Gateway;
	projects: Projects;
	cloud: Cloud;
	/** The answer for an endpoint that a fault then spoils. */
	goodEndpoint: (dsType: string, service: { id: string; name: string }) => GoodAnswer;
}

interface Page {
	Querystring: { limit?: string; offset?: string };
}
interface InProject {
	Params: { project_id: string };
}

/** DataArts Insight: the API reference, sections 1, 6 and 8. */
export function addInsightRoutes(
	app: FastifyInstance,
	{ gateway, projects, cloud, goodEndpoint }: Services,
): void {
	/** What is looked at in order: the caller, the project, the caller's rights; then, unless without, the workspace. */
	const guard = (right: Right, workspace: 'in a workspace' | 'without a workspace') => ({
		preValidation: (request: FastifyRequest, _reply: unknown, done: () => void) => {
			const { rights } = gateway.check(request);
			if (workspace === 'in a workspace') checkHeaders(request);
			if (!rights.has(right)) throw new Refusal('insight-20010003');
			done();
		},
		preHandler: (request: FastifyRequest, _reply: unknown, done: () => void) => {
			const { project_id } = request.params as InProject['Params'];
			if (workspace === 'in a workspace') {
				projects.checkWorkspace(project_id, request.headers['x-workspace-id']);
			}
			done();
		},
	});

	app.post<InProject & { Body: VerifyRequest }>(
		'/v1/:project_id/connections/vpc-endpoint',
		{
			schema: { body: verifyBody, querystring: noQuery },
			...guard('verify endpoint services', 'in a workspace'),
		},
		async (request, reply) => {
			const { ds_type, vpc_ep_server_name: name = '' } = request.body;
			const fault = faultIn(name);
			if (fault) return fail(fault, goodEndpoint(ds_type, { id: randomUUID(), name }), reply);
			const by = { caller: gateway.callerOf(request), projectId: request.params.project_id };
			return send(reply, { status: 200, body: cloud.verify(request.body, by) });
		},
	);

	app.get<InProject & Page>(
		'/v1/:project_id/connections',
		{ schema: { querystring: pageQuery }, ...guard('list data connections', 'in a workspace') },
		async ({ params, query }, reply) => {
			const all = cloud
				.list(params.project_id)
				.map((endpoint) => ({ id: endpoint.id, vpc_connection: endpoint }));
			return send(reply, { status: 200, body: pageOf(all, query) });
		},
	);

	app.get<InProject & Page>(
		'/v1/:project_id/instances',
		{ schema: { querystring: pageQuery }, ...guard('list workspaces', 'without a workspace') },
		async ({ params, query }, reply) =>
			send(reply, { status: 200, body: pageOf(projects.instances(params.project_id), query) }),
	);

	app.get<Page & { Params: { project_id: string; instance_id: string } }>(
		'/v1/:project_id/instances/:instance_id/workspaces',
		{ schema: { querystring: pageQuery }, ...guard('list workspaces', 'without a workspace') },
		async ({ params: { project_id, instance_id }, query }, reply) => {
			const all = projects.workspacesOf(project_id, instance_id);
			return send(reply, { status: 200, body: pageOf(all, query) });
		},
	);
}

/** What calls in a workspace have to send: the API reference, section 1. */
function checkHeaders(request: FastifyRequest): void {
	const { 'x-workspace-id': workspace } = request.headers;
	if (!workspace) throw new Refusal('apigw-0201-400', 'Bad request: the header X-Workspace-Id is missing.');
	if (request.method === 'POST' && !sendsJson(request)) {
		throw new Refusal('apigw-0201-400', 'Bad request: Content-Type has to be application/json.');
	}
}

function pageOf(all: unknown[], { limit = '10', offset = '0' }: Page['Querystring']) {
	return { count: all.length, page_data: all.slice(Number(offset), Number(offset) + Number(limit)) };
}
