import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyPluginCallback, type FastifyRequest } from 'fastify';
import { fail, rawAnswer, refuse, refuseAsIam, send } from './answers';
import * as cloud from './cloud';
import { documentedFaults, faultIn, Refusal } from './faults';
import type { FaultName, GoodAnswer } from './faults';
import { Iam, iamUsers, type LoginRequest } from './iam';
import { pathOf } from './requestPath';
import { endpointServiceQuery, loginBody, loginQuery, noQuery, pageQuery, verifyBody } from './schemas';
import { accessKey, SignatureCheck } from './signature';

export * from './certificate';
export * from './cloud';
export * from './faults';
export { iamUsers, type IamUser } from './iam';
export { accessKey, temporaryKey, type AccessKey } from './signature';

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
	/** How many endpoint services the account has beside `endpointServices`; none by default. */
	moreServices?: number;
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

type Address = {
	region: 'custom';
	baseUrl: string;
	vpcepUrl: string;
	projectId: string;
	workspaceId: string;
};

export interface Simulator {
	url: string;
	/** Ready to use as the node's credential, in each of its modes. */
	credentials: Address & { token: string };
	passwordCredentials: Address & {
		authentication: 'password';
		iamUrl: string;
		domainName: string;
		username: string;
		password: string;
	};
	accessKeyCredentials: Address & {
		authentication: 'accessKey';
		accessKeyId: string;
		secretAccessKey: string;
	};
	/** Every well-formed request since the start or the last reset, in order of arrival. */
	readonly requests: ReceivedRequest[];
	/** TCP connections accepted since the start. */
	readonly connections: number;
	/** Calls of IAM's login since the start or the last reset, however they were answered. */
	readonly logins: number;
	/** Those of them that were answered with a status from 400 to 499. */
	readonly refusedLogins: number;
	/** Signed requests whose signature was refused since the start or the last reset. */
	readonly refusedSignatures: number;
	/**
	 * Milliseconds that the simulated clock is ahead of this machine's. Set it, and time has passed: tokens expire, locks
	 * open, dates are off. `at` of a request stays true.
	 */
	clockOffset: number;
	/** Gives another valid token, as a login does. */
	issueToken(): string;
	/** All tokens that IAM has given so far end; the fixed one stays valid. */
	revokeTokens(): void;
	/** The owner of the endpoint service accepts what is pending there; throws when nothing is. */
	accept(serverNameOrId: string): void;
	/** The next requests, whatever they ask for, fail in the named way. */
	failNext(name: FaultName, times?: number): void;
	/** Forgets requests, endpoints, planned faults, counts and locks, and sets the clock back; issued tokens stay. */
	reset(): void;
	close(): Promise<void>;
}

/** IAM: the API reference, section 4 (page api-iam/iam_30_0001.html). */
const LOGIN = '/v3/auth/tokens';

/** Starts a Huawei Cloud on 127.0.0.1 that keeps to the API reference, sections 1, 2 and 4 to 6. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
	let { clockOffset = 0 } = options;
	const now = () => Date.now() + clockOffset;
	const state = new cloud.Cloud(now, options.moreServices ?? 0);
	const requests: ReceivedRequest[] = [];
	const received = new WeakMap<FastifyRequest, { record: ReceivedRequest; bytes: Buffer }>();
	const plannedFaults: FaultName[] = [];
	const counts = { connections: 0, logins: 0, refusedLogins: 0 };
	const iam = new Iam(now, options.tokenLifetime ?? 24 * 3_600_000);
	const signatures = new SignatureCheck(now);

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
	app.server.on('connection', () => counts.connections++);
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
		const isLogin = request.routeOptions.url === LOGIN;
		return fail(
			fault,
			isLogin ? iam.issueToken() : goodEndpoint('DWS', cloud.endpointServices.webShop),
			reply,
		);
	});

	const goodEndpoint = (dsType: string, service: { id: string; name: string }): GoodAnswer => ({
		status: 200,
		body: cloud.newEndpoint(dsType, service, now()),
	});

	const insight: FastifyPluginCallback = (insight, _, registered) => {
		insight.addHook('preValidation', (request, _reply, done) => {
			checkCaller(request);
			checkAsGateway(request);
			done();
		});
		insight.addHook('preHandler', (request, _reply, done) => {
			cloud.checkWorkspace(request.headers['x-workspace-id']);
			done();
		});

		insight.post<{ Body: cloud.VerifyRequest }>(
			'/connections/vpc-endpoint',
			{ schema: { body: verifyBody, querystring: noQuery } },
			async (request, reply) => {
				const { ds_type, vpc_ep_server_name: name = '' } = request.body;
				const fault = faultIn(name);
				if (fault) return fail(fault, goodEndpoint(ds_type, { id: randomUUID(), name }), reply);
				return send(reply, { status: 200, body: state.verify(request.body) });
			},
		);

		insight.get<{ Querystring: { limit?: string; offset?: string } }>(
			'/connections',
			{ schema: { querystring: pageQuery } },
			async (request, reply) => {
				const { limit = '10', offset = '0' } = request.query;
				const all = state.list();
				const page = all.slice(Number(offset), Number(offset) + Number(limit));
				const page_data = page.map((endpoint) => ({ id: endpoint.id, vpc_connection: endpoint }));
				return send(reply, { status: 200, body: { count: all.length, page_data } });
			},
		);
		registered();
	};
	void app.register(insight, { prefix: '/v1/:project_id' });

	// The VPC Endpoint service, which knows of no workspaces.
	app.get<{ Querystring: { limit?: string; offset?: string; endpoint_service_name?: string; id?: string } }>(
		'/v1/:project_id/vpc-endpoint-services',
		{
			schema: { querystring: endpointServiceQuery },
			preValidation: (request, _reply, done) => {
				checkCaller(request);
				checkProject(request);
				done();
			},
		},
		async ({ query }, reply) => {
			const { limit = '10', offset = '0', endpoint_service_name, id } = query;
			const all = state.listServices(endpoint_service_name, id);
			const page = all.slice(Number(offset), Number(offset) + Number(limit));
			return send(reply, { status: 200, body: { endpoint_services: page, total_count: all.length } });
		},
	);

	app.post<{ Body: LoginRequest }>(
		LOGIN,
		{
			schema: { body: loginBody, querystring: loginQuery },
			onRequest: (_request, _reply, done) => {
				counts.logins++;
				done();
			},
			preValidation: (request, _reply, done) => {
				if (!sendsJson(request)) throw new Refusal('iam-0007', 'Request parameter Content-Type is invalid.');
				done();
			},
			onSend: (_request, { statusCode }, _payload, done) => {
				if (statusCode >= 400 && statusCode < 500) counts.refusedLogins++;
				done();
			},
			errorHandler: (error, request, reply) => void refuseAsIam(error, request, reply),
		},
		async ({ body }, reply) => send(reply, iam.login(body)),
	);

	/** Who calls, by token or by signature, but not by both: the API reference, sections 1 and 5. */
	function checkCaller(request: FastifyRequest): void {
		const { method, url, headers } = request;
		const token = headers['x-auth-token'];
		if (headers.authorization === undefined) return iam.checkToken(token);
		// How the gateway answers then is not documented.
		if (token !== undefined) throw new Refusal('apigw-0305');
		signatures.verify({ method, url, headers, body: received.get(request)?.bytes ?? Buffer.alloc(0) });
		const { 'x-project-id': project = cloud.projectId } = headers;
		if (project !== (request.params as { project_id: string }).project_id) throw new Refusal('apigw-0310');
		return undefined;
	}

	const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });

	const { projectId, workspaceId } = cloud;
	const address: Address = { region: 'custom', baseUrl: url, vpcepUrl: url, projectId, workspaceId };

	return {
		url,
		credentials: { ...address, token: cloud.validToken },
		passwordCredentials: { ...address, authentication: 'password', iamUrl: url, ...iamUsers.operator },
		accessKeyCredentials: { ...address, authentication: 'accessKey', ...accessKey },
		requests,
		get connections() {
			return counts.connections;
		},
		get logins() {
			return counts.logins;
		},
		get refusedLogins() {
			return counts.refusedLogins;
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
		issueToken: () => String(iam.issueToken().headers?.['x-subject-token']),
		revokeTokens: () => iam.revokeTokens(),
		accept: (serverNameOrId) => state.accept(serverNameOrId),
		failNext: (name, times = 1) => {
			plannedFaults.push(...Array<FaultName>(times).fill(name));
		},
		reset: () => {
			requests.length = 0;
			plannedFaults.length = 0;
			state.reset();
			counts.logins = 0;
			counts.refusedLogins = 0;
			clockOffset = options.clockOffset ?? 0;
			iam.reset();
			signatures.reset();
		},
		close: () => app.close(),
	};
}

/** What the API gateway looks at before the service sees a call: the API reference, sections 1 and 2. */
function checkAsGateway(request: FastifyRequest): void {
	const { 'x-workspace-id': workspace } = request.headers;
	checkProject(request);
	if (!workspace) throw new Refusal('apigw-0201-400', 'Bad request: the header X-Workspace-Id is missing.');
	if (request.method === 'POST' && !sendsJson(request)) {
		throw new Refusal('apigw-0201-400', 'Bad request: Content-Type has to be application/json.');
	}
}

function checkProject({ params }: FastifyRequest): void {
	if ((params as { project_id: string }).project_id !== cloud.projectId) throw new Refusal('apigw-0310');
}

function sendsJson({ headers: { 'content-type': type = '' } }: FastifyRequest): boolean {
	return /^application\/json *(;|$)/i.test(type);
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
