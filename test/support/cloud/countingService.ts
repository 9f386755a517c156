import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import {
	type Answer,
	documentedFaults,
	type FaultName,
	faults,
	type FaultHandler,
	newEndpoint,
	projectId,
	type VerifyRequest,
	validToken,
	workspaceId,
} from '.';

/** Replies after which the service cannot have acted: only these may be retried. */
export const repeatable = ['throttled', 'unavailable'] as const;
/** Replies that leave open whether an endpoint was created: never to be retried. */
export const ambiguous = ['500', '502', '503', '504', 'html', 'no-id', 'reset', 'cut', 'truncated'] as const;
/** Replies that say that nothing was created, and that a retry is of no use. */
export const refused = ['400', '403', '404', 'not-success', 'redirect'] as const;

export type Reply =
	| 'good'
	| 'hang'
	| (typeof repeatable)[number]
	| (typeof ambiguous)[number]
	| (typeof refused)[number]
	| { retryAfter: string };

export interface ServiceOptions {
	tls?: { key: string; cert: string };
	/** The address to listen at; 127.0.0.1 when left out. */
	host?: string;
	/** Milliseconds that an idle connection stays open. */
	keepAliveTimeout?: number;
	/** Whether the responses announce that time (Keep-Alive: timeout); they do when left out. */
	announceKeepAlive?: boolean;
	/** Whether each connection ends with its first response, which says so. */
	connectionPerRequest?: boolean;
	/** Each connection ends with its response of this number, which says so. */
	requestsPerConnection?: number;
	/** How each connection ends right after its first response, which does not say so. */
	closeAfterResponse?: 'end' | 'destroy';
	/** Milliseconds before each response. */
	latency?: number;
}

/** A DataArts Insight that knows every endpoint service and counts the POSTs for each. */
export interface CountingService {
	url: string;
	credentials: Record<string, string | boolean>;
	/** POSTs by the name of the endpoint service. */
	readonly posts: Map<string, number>;
	/** When each POST arrived, in milliseconds of `performance.now()`. */
	readonly times: number[];
	/** TCP connections that were accepted. */
	readonly connections: number;
	/** The most requests that were in flight at once. */
	mostInFlight: number;
	/** The reply to the n-th POST for a name, counted from 1; always good at the start. */
	reply: (name: string, attempt: number) => Reply;
	close: () => Promise<void>;
}

/** Starts it on loopback. */
export async function startCountingService(options: ServiceOptions = {}): Promise<CountingService> {
	const {
		tls,
		host = '127.0.0.1',
		keepAliveTimeout = 5_000,
		announceKeepAlive = true,
		connectionPerRequest = false,
		requestsPerConnection,
		closeAfterResponse,
		latency = 0,
	} = options;
	const posts = new Map<string, number>();
	const times: number[] = [];

	// Closed by hand: Node.js's own server gives a connection a second more than it says.
	const idle = new WeakMap<Socket, NodeJS.Timeout>();
	const answers = new WeakMap<Socket, number>();

	const handle = (request: IncomingMessage, response: ServerResponse) => {
		const { socket } = request;
		clearTimeout(idle.get(socket));
		response.on('finish', () => {
			if (closeAfterResponse) socket[closeAfterResponse]();
			else idle.set(socket, setTimeout(() => socket.end(), keepAliveTimeout).unref());
		});
		answers.set(socket, (answers.get(socket) ?? 0) + 1);
		service.mostInFlight = Math.max(service.mostInFlight, ++underWay);
		response.on('close', () => underWay--);
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as VerifyRequest;
			const { vpc_ep_server_name: name = '' } = body;
			const attempt = (posts.get(name) ?? 0) + 1;
			posts.set(name, attempt);
			times.push(performance.now());
			// Node.js adds Keep-Alive only where the server names no Connection of its own.
			const last = connectionPerRequest || answers.get(socket) === requestsPerConnection;
			if (last || !announceKeepAlive) response.setHeader('Connection', last ? 'close' : 'keep-alive');
			const reply = service.reply(name, attempt);
			if (latency) setTimeout(() => respond(response, body, reply), latency);
			else respond(response, body, reply);
		});
	};

	const server = tls ? createTlsServer(tls, handle) : createServer(handle);
	server.keepAliveTimeout = keepAliveTimeout;
	let connections = 0;
	let underWay = 0;
	server.on('connection', () => connections++);
	// A handshake that the caller breaks off is none of the service's business.
	server.on('tlsClientError', () => undefined);
	server.listen(0, host);
	await once(server, 'listening');
	const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;

	const service: CountingService = {
		url,
		credentials: {
			authentication: 'token',
			region: 'custom',
			baseUrl: url,
			token: validToken,
			projectId,
			workspaceId,
			allowUnauthorizedCerts: tls !== undefined,
		},
		posts,
		times,
		get connections() {
			return connections;
		},
		mostInFlight: 0,
		reply: () => 'good',
		close: async () => {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
	};
	return service;
}

/** The simulator's fault behind each reply that is one. */
const faultOf = {
	throttled: 'apigw-0308',
	unavailable: 'apigw-0613',
	'500': 'apigw-0601',
	'502': 'apigw-0201-502',
	'503': 'plain-503',
	'504': 'apigw-0201-504',
	'400': 'apigw-0201-400',
	'403': 'apigw-0302',
	'404': 'insight-24010003',
	html: 'sign-in-page',
	'no-id': 'no-id',
	'not-success': 'not-success',
	truncated: 'truncated',
	reset: 'connection-reset',
	hang: 'no-answer',
} satisfies Partial<Record<string, FaultName>>;

function respond(response: ServerResponse, request: VerifyRequest, reply: Reply) {
	const good = {
		status: 200,
		body: newEndpoint(request.ds_type, { id: randomUUID(), name: request.vpc_ep_server_name ?? '' }),
	};
	const send = ({ status, headers, body }: Answer) => {
		const text = typeof body === 'string' ? body : JSON.stringify(body);
		const length = Buffer.byteLength(text);
		response
			.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers })
			.end(text);
	};
	if (typeof reply === 'object') {
		send({ ...documentedFaults['apigw-0308'], headers: { 'Retry-After': reply.retryAfter } });
	} else if (reply === 'good') {
		send(good);
	} else if (reply === 'redirect') {
		send({ status: 307, headers: { Location: '/elsewhere' }, body: '' });
	} else if (reply === 'cut') {
		response.socket?.end();
	} else {
		const fault: Answer | FaultHandler = faults[faultOf[reply]];
		const answered = typeof fault === 'object' ? fault : fault({ good, secret: '', origin: '', response });
		if (answered) send(answered);
	}
}
