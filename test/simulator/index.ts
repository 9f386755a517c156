import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import * as cloud from './cloud';
import { documentedFaults, faultIn, faults, Refusal } from './faults';
import type { Answer, FaultName } from './faults';
import { Iam, iamUsers, type LoginRequest } from './iam';
import { loginBody, loginQuery, noQuery, pageQuery, verifyBody } from './schemas';
import { accessKey, SignatureCheck } from './signature';

export * from './certificate';
export * from './cloud';
export * from './faults';
export { iamUsers } from './iam';
export { accessKey, temporaryKey } from './signature';

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
	/** Milliseconds that the simulated clock is ahead of this machine's. */
	clockOffset?: number;
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

type Address = { region: 'custom'; baseUrl: string; projectId: string; workspaceId: string };

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
	/** Logins at IAM since the start or the last reset. */
	readonly logins: number;
	/** All tokens that IAM has given so far end. */
	revokeTokens(): void;
	/** The owner of the endpoint service accepts what is pending there; throws when nothing is. */
	accept(serverNameOrId: string): void;
	/** The next requests, whatever they ask for, fail in the named way. */
	failNext(name: FaultName, times?: number): void;
	/** Forgets requests, endpoints and planned faults. */
	reset(): void;
	close(): Promise<void>;
}

const LOGIN = '/v3/auth/tokens';

/** Starts a Huawei Cloud on 127.0.0.1 that keeps to the API reference, sections 1, 2 and 4 to 6. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
	const state = new cloud.Cloud();
	const requests: ReceivedRequest[] = [];
	const received = new WeakMap<FastifyRequest, ReceivedRequest>();
	const plannedFaults: FaultName[] = [];
	let connections = 0;
	const now = () => Date.now() + (options.clockOffset ?? 0);
	const iam = new Iam(now, options.tokenLifetime ?? 24 * 3_600_000);
	const signatures = new SignatureCheck(now);

	const app = fastify({
		https: options.tls ?? null,
		keepAliveTimeout: options.keepAliveTimeout,
		forceCloseConnections: true,
		exposeHeadRoutes: false,
		bodyLimit: 12 * 1024 * 1024,
		genReqId: cloud.hexId,
		// A service that repaired what it is sent would hide mistakes.
		ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
		clientErrorHandler: ({ code }, socket) => {
			if (socket.writable) socket.end(rawAnswer(code === 'HPE_HEADER_OVERFLOW' ? 494 : 400));
		},
		frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
	});
	app.server.on('connection', () => connections++);
	app.setErrorHandler(refuse);
	app.setNotFoundHandler((_, reply) => send(reply, documentedFaults['apigw-0101']));

	// The body stays text until it is recorded; what is no JSON then fails the schema's `type: object`.
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'string' }, (request, text, done) => {
		const record = received.get(request);
		if (record) record.body = text.toString();
		done(null, parseJson(text.toString()));
	});

	app.addHook('onRequest', (request, _, done) => {
		const { method, url: path, headers } = request;
		const record = { method, path, headers: { ...headers }, body: '', at: Date.now() };
		requests.push(record);
		received.set(request, record);
		done();
	});

	const isOfInsight = ({ is404, routeOptions }: FastifyRequest) => !is404 && routeOptions.url !== LOGIN;

	app.addHook('onSend', async (_request, reply) => {
		reply.header('date', new Date(now()).toUTCString());
	});

	app.addHook('preValidation', async (request, reply) => {
		if (options.latency) await sleep(options.latency);
		const fault = plannedFaults.shift();
		if (fault) return fail(fault, cloud.newEndpoint('DWS', cloud.catalogue.webShop), reply);
		if (!isOfInsight(request)) return undefined;
		checkCaller(request, received.get(request)?.body ?? '');
		checkAsGateway(request);
		return undefined;
	});

	app.addHook('preHandler', (request, _, done) => {
		if (isOfInsight(request)) cloud.checkWorkspace(request.headers['x-workspace-id']);
		done();
	});

	app.post<{ Body: cloud.VerifyRequest }>(
		'/v1/:project_id/connections/vpc-endpoint',
		{ schema: { body: verifyBody, querystring: noQuery } },
		async (request, reply) => {
			const { ds_type, vpc_ep_server_name: name = '' } = request.body;
			const fault = faultIn(name);
			if (fault) return fail(fault, cloud.newEndpoint(ds_type, { id: randomUUID(), name }), reply);
			return send(reply, { status: 200, body: state.verify(request.body) });
		},
	);

	app.get<{ Querystring: { limit?: string; offset?: string } }>(
		'/v1/:project_id/connections',
		{ schema: { querystring: pageQuery } },
		async (request, reply) => {
			const { limit = '10', offset = '0' } = request.query;
			const all = state.list();
			const page = all.slice(Number(offset), Number(offset) + Number(limit));
			const page_data = page.map((endpoint) => ({ id: endpoint.id, vpc_connection: endpoint }));
			return send(reply, { status: 200, body: { count: all.length, page_data } });
		},
	);

	app.post<{ Body: LoginRequest }>(
		LOGIN,
		{ schema: { body: loginBody, querystring: loginQuery } },
		async (request, reply) => send(reply, iam.login(request.body)),
	);

	/** Who calls, by token or by signature, but not by both: the API reference, sections 1 and 5. */
	function checkCaller({ method, url, headers }: FastifyRequest, body: string): void {
		const token = headers['x-auth-token']?.toString();
		if (headers.authorization === undefined) {
			if (!token || !iam.knows(token)) cloud.checkToken(token);
			return;
		}
		if (token) throw new Refusal('apigw-0305');
		signatures.verify({ method, url, headers, body });
	}

	const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });

	const { projectId, workspaceId } = cloud;
	const address: Address = { region: 'custom', baseUrl: url, projectId, workspaceId };

	return {
		url,
		credentials: { ...address, token: cloud.validToken },
		passwordCredentials: { ...address, authentication: 'password', iamUrl: url, ...iamUsers.operator },
		accessKeyCredentials: { ...address, authentication: 'accessKey', ...accessKey },
		requests,
		get connections() {
			return connections;
		},
		get logins() {
			return iam.logins;
		},
		revokeTokens: () => iam.revokeTokens(),
		accept: (serverNameOrId) => state.accept(serverNameOrId),
		failNext: (name, times = 1) => {
			plannedFaults.push(...Array<FaultName>(times).fill(name));
		},
		reset: () => {
			requests.length = 0;
			plannedFaults.length = 0;
			state.reset();
			iam.reset();
			signatures.reset();
		},
		close: () => app.close(),
	};
}

/** What the API gateway looks at before the service sees a call: the API reference, sections 1 and 2. */
function checkAsGateway(request: FastifyRequest): void {
	const { 'x-workspace-id': workspace, 'content-type': type = '' } = request.headers;
	const { project_id } = request.params as { project_id: string };
	if (project_id !== cloud.projectId) throw new Refusal('apigw-0310');
	if (!workspace) throw new Refusal('apigw-0201-400', 'Bad request: the header X-Workspace-Id is missing.');
	if (request.method === 'POST' && !/^application\/json *(;|$)/i.test(type)) {
		throw new Refusal('apigw-0201-400', 'Bad request: Content-Type has to be application/json.');
	}
}

/** Answers with a fault; some need to know what a healthy service would have said. */
function fail(name: FaultName, good: cloud.Endpoint, reply: FastifyReply): FastifyReply {
	const { headers, socket, protocol } = reply.request;
	const fault = faults[name];
	const answer =
		typeof fault === 'object'
			? fault
			: fault({
					good,
					token: String(headers['x-auth-token']),
					origin: `${protocol}://localhost:${socket.localPort}`,
					response: reply.raw,
				});
	return answer ? send(reply, answer) : reply.hijack();
}

/** Turns whatever was thrown into an error of the cloud: the API reference, section 2. */
function refuse(error: FastifyError | Refusal | Error, _: unknown, reply: FastifyReply): FastifyReply {
	if (error instanceof Refusal) return send(reply, error.answer);
	const { validation, validationContext, statusCode = 500 } = error as FastifyError;
	if (statusCode === 413) return send(reply, documentedFaults['apigw-0201-413']);
	if (statusCode >= 500) return send(reply, new Refusal('apigw-0601', error.message).answer);
	const reasons = validation?.map(
		({ instancePath, message, params }) =>
			`${validationContext}${instancePath} ${message} ${JSON.stringify(params)}`,
	);
	return send(reply, new Refusal('apigw-0201-400', reasons?.join('; ') ?? error.message).answer);
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
	const { id } = reply.request;
	return reply
		.code(status)
		.headers({ 'content-type': 'application/json;charset=UTF-8', 'x-request-id': id, ...headers })
		.send(typeof body === 'string' ? body : JSON.stringify(withRequestId(body, id)));
}

/** Only the gateway's own errors carry the request ID in the body: the API reference, section 2. */
function withRequestId(body: unknown, request_id: string): unknown {
	const isObject = typeof body === 'object' && body !== null;
	return isObject && 'error_code' in body && String(body.error_code).startsWith('APIG')
		? { ...body, request_id }
		: body;
}

/** For what is too broken to become a request: Node.js hands over the bare socket then. */
function rawAnswer(status: 400 | 494): string {
	const request_id = cloud.hexId();
	const body = JSON.stringify(withRequestId(documentedFaults[`apigw-0201-${status}`].body, request_id));
	return [
		`HTTP/1.1 ${status} Bad Request`,
		'Content-Type: application/json;charset=UTF-8',
		`Content-Length: ${body.length}`,
		`X-Request-Id: ${request_id}`,
		'Connection: close',
		`\r\n${body}`,
	].join('\r\n');
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
