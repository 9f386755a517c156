/*
 * A Huawei Cloud on loopback, written from the API reference alone, and strict: what the reference does not allow is
 * refused. It has two accounts. The first holds projects with workspaces of DataArts Insight and most endpoint services;
 * the second, `owner`, holds `partnerArchive`, whose whitelist lacks DataArts Insight, and an agency that lets the first
 * act for it. Three services share one address:
 *
 * - DataArts Insight (insightRoutes.ts; cloud.ts remembers endpoints, projects.ts knows projects and workspaces)
 * - VPC Endpoint, the owner's side (vpcEndpointRoutes.ts; vpcEndpointService.ts, and connections.ts with the clock from
 *   accept to accepted). A connection there and an endpoint of DataArts Insight are one record.
 * - IAM (iamRoutes.ts; iam.ts for logins and tokens, agency.ts for temporary keys)
 *
 * gateway.ts stands before all three and finds out who calls (signature.ts, accounts.ts). faults.ts holds every way to
 * fail. All times come from one simulated clock, which tests set forward.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyRequest } from 'fastify';
import { account, callers } from './accounts';
import { TemporaryKeys } from './agency';
import { fail, rawAnswer, refuse, send } from './answers';
import * as cloud from './cloud';
import { Connections } from './connections';
import { documentedFaults } from './faults';
import type { FaultName, GoodAnswer } from './faults';
import { Gateway } from './gateway';
import { Iam } from './iam';
import { addIamRoutes, AGENCY, CallCount, LOGIN } from './iamRoutes';
import { addInsightRoutes } from './insightRoutes';
import { Projects } from './projects';
import { pathOf } from './requestPath';
import { SignatureCheck } from './signature';
import { credentialsFor, type ReceivedRequest, type Simulator, type SimulatorOptions } from './simulator';
import { addVpcEndpointRoutes } from './vpcEndpointRoutes';
import { VpcEndpointServices } from './vpcEndpointService';

export * from './accounts';
export * from './certificate';
export * from './cloud';
export * from './faults';
export { iamUsers, type IamUser } from './iam';
export * from './projects';
export { accessKey, temporaryKey, type AccessKey } from './signature';
export type { ReceivedRequest, Simulator, SimulatorOptions } from './simulator';

/** Starts a Huawei Cloud on 127.0.0.1 that keeps to the API reference, sections 1, 2, 4 to 8 and 10. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
	let { clockOffset = 0 } = options;
	const now = () => Date.now() + clockOffset;
	const projects = new Projects(options.moreProjects ?? 0, options.moreWorkspaces ?? 0);
	const { id: serviceId } = cloud.endpointServices.financeLedger;
	const earlier = { serviceId, count: options.moreConnections ?? 0 };
	const connections = new Connections(now, options.acceptTime ?? 0, earlier);
	const { moreServices = 0, whitelistLimit = 100 } = options;
	const services = new VpcEndpointServices(now, connections, moreServices, whitelistLimit);
	const state = new cloud.Cloud(now, services, connections, options.endpointQuota ?? 50);
	const requests: ReceivedRequest[] = [];
	const received = new WeakMap<FastifyRequest, { record: ReceivedRequest; bytes: Buffer }>();
	const plannedFaults: FaultName[] = [];
	let acceptedSockets = 0;
	const logins = new CallCount();
	const agencyCalls = new CallCount();
	const iam = new Iam(now, options.tokenLifetime ?? 24 * 3_600_000, projects);
	const temporaryKeys = new TemporaryKeys(now, options.temporaryKeyLifetime);
	const signatures = new SignatureCheck(now, (accessKeyId) => temporaryKeys.find(accessKeyId));
	const bytesOf = (request: FastifyRequest) => received.get(request)?.bytes ?? Buffer.alloc(0);
	const gateway = new Gateway(projects, iam, signatures, temporaryKeys, bytesOf);

	const app = fastify({
		https: options.tls ?? null,
		keepAliveTimeout: options.keepAliveTimeout,
		forceCloseConnections: true,
		exposeHeadRoutes: false,
		bodyLimit: 12 * 1024 * 1024,
		genReqId: cloud.hexId,
		rewriteUrl: pathOf,
		// A service that repaired what it is sent would hide mistakes.
		ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
		clientErrorHandler: ({ code }, socket) => {
			if (socket.writable) socket.end(rawAnswer(code === 'HPE_HEADER_OVERFLOW' ? 494 : 400, now()));
		},
		frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
	});
	app.server.on('connection', () => acceptedSockets++);
	// Before anything else sees the request, so that whatever answers has the simulated time.
	app.server.prependListener('request', (_, response) => {
		response.setHeader('date', new Date(now()).toUTCString());
	});
	app.setErrorHandler(refuse);
	app.setNotFoundHandler((_, reply) => send(reply, documentedFaults['apigw-0101']));

	// The body stays as it is until it is recorded; what is no JSON then fails the schema's `type: object`.
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
		const bytes = Buffer.from(body);
		const text = bytes.toString();
		const reception = received.get(request);
		if (reception) {
			reception.bytes = bytes;
			reception.record.body = text;
		}
		done(null, parseJson(text));
	});

	app.addHook('onRequest', (request, _, done) => {
		const { method, url: path, headers } = request;
		const record = { method, path, headers: { ...headers }, body: '', at: Date.now() };
		requests.push(record);
		received.set(request, { record, bytes: Buffer.alloc(0) });
		done();
	});

	app.addHook('preValidation', async (request, reply) => {
		if (options.latency) await sleep(options.latency);
		const fault = plannedFaults.shift();
		if (!fault) return undefined;
		return fail(fault, goodAnswers[request.routeOptions.url ?? '']?.() ?? goodWebShop(), reply);
	});

	const goodEndpoint = (dsType: string, service: { id: string; name: string }): GoodAnswer => ({
		status: 200,
		body: cloud.newEndpoint(dsType, service, now()),
	});

	const goodWebShop = () => goodEndpoint('DWS', cloud.endpointServices.webShop);
	/** What the other calls would have answered, for faults that distort it. */
	const goodAnswers: Record<string, () => GoodAnswer> = {
		[LOGIN]: () => iam.issueToken(),
		[AGENCY]: () => temporaryKeys.issue(),
	};

	addInsightRoutes(app, { gateway, projects, cloud: state, goodEndpoint });
	addVpcEndpointRoutes(app, { gateway, services, connections });
	addIamRoutes(app, { gateway, iam, temporaryKeys, logins, agencyCalls });

	/** For tests, which would not notice a mistyped name. */
	const serviceNamed = (nameOrId: string) => {
		const found = services.find(nameOrId);
		if (!found) throw new Error(`There is no endpoint service ${nameOrId}`);
		return found;
	};

	const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });

	const own = projects.of(account);
	const idsOf = (workspaces: Array<{ id: string }>) => workspaces.map(({ id }) => id);

	return {
		url,
		...credentialsFor(url),
		projectIds: idsOf(own),
		workspaceIds: own.flatMap(({ workspaces }) => idsOf(workspaces)),
		workspacesOf: (projectId) => idsOf(projects.find(projectId)?.workspaces ?? []),
		requests,
		get connections() {
			return acceptedSockets;
		},
		get logins() {
			return logins.all;
		},
		get refusedLogins() {
			return logins.refused;
		},
		get agencyCalls() {
			return agencyCalls.all;
		},
		get refusedAgencyCalls() {
			return agencyCalls.refused;
		},
		get refusedSignatures() {
			return signatures.refused;
		},
		get clockOffset() {
			return clockOffset;
		},
		set clockOffset(milliseconds) {
			clockOffset = milliseconds;
		},
		issueToken: (projectId = own[0].id) => {
			const project = own.find(({ id }) => id === projectId);
			if (!project) throw new Error(`The account has no project ${projectId}`);
			return String(iam.issueToken(callers.operator, project).headers?.['x-subject-token']);
		},
		revokeTokens: () => iam.revokeTokens(),
		revokeTemporaryKeys: () => temporaryKeys.revoke(),
		accept: (serverNameOrId) => state.accept(serverNameOrId),
		connectionsOf: (serverNameOrId) => services.connectionsOf(serviceNamed(serverNameOrId)),
		permissionsOf: (serverNameOrId) => [...services.permissionsOf(serviceNamed(serverNameOrId))],
		whitelist: (serverNameOrId, permission) => {
			services.addPermissions(serviceNamed(serverNameOrId), [permission]);
		},
		failNext: (name, times = 1) => {
			plannedFaults.push(...Array<FaultName>(times).fill(name));
		},
		reset: () => {
			requests.length = 0;
			plannedFaults.length = 0;
			state.reset();
			services.reset();
			connections.reset();
			logins.reset();
			agencyCalls.reset();
			clockOffset = options.clockOffset ?? 0;
			iam.reset();
			signatures.reset();
		},
		close: () => app.close(),
	};
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
