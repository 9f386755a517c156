import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import { newEndpoint, projectId, type VerifyRequest, validToken, workspaceId } from '.';

/** What can be said to a call that the service cannot have acted on: only these may be repeated. */
export const repeatable = ['throttled', 'unavailable'] as const;
/** What leaves open whether an endpoint was created: never to be repeated. */
export const ambiguous = ['500', '502', '503', '504', 'html', 'no-id', 'reset', 'cut', 'truncated'] as const;
/** What says that nothing was created, and that asking again is of no use. */
export const refused = ['400', '403', '404', 'not-success', 'redirect'] as const;

export type Reply =
	| 'good'
	| 'silence'
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
	/** Whether the answers name that time; they do when left out. */
	hint?: boolean;
	/** Whether each connection ends with its first answer. */
	closeEach?: boolean;
	/** Each connection ends with its answer of this number, and that answer says so. */
	answersEach?: number;
	/** How each connection ends right behind its first answer, which does not say so. TLS never says goodbye here. */
	closeBehind?: 'end' | 'destroy';
	/** Milliseconds before each answer. */
	latency?: number;
}

/** A DataArts Insight that knows every endpoint service and counts how often it is asked for each. */
export interface CountingService {
	url: string;
	credentials: Record<string, string | boolean>;
	/** POSTs by the name of the endpoint service. */
	readonly posts: Map<string, number>;
	/** When each POST arrived, in milliseconds of `performance.now()`. */
	readonly times: number[];
	/** TCP connections that were accepted. */
	readonly connections: number;
	/** The most requests that were under way at once. */
	mostUnderWay: number;
	/** The answer to the n-th POST for a name, counted from 1; always good at the start. */
	reply: (name: string, knock: number) => Reply;
	close: () => Promise<void>;
}

/** Starts it on loopback. */
export async function startCountingService(options: ServiceOptions = {}): Promise<CountingService> {
	const {
		tls,
		host = '127.0.0.1',
		keepAliveTimeout = 5_000,
		hint = true,
		closeEach = false,
		answersEach,
		closeBehind,
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
			if (closeBehind) socket[closeBehind]();
			else idle.set(socket, setTimeout(() => socket.end(), keepAliveTimeout).unref());
		});
		answers.set(socket, (answers.get(socket) ?? 0) + 1);
		service.mostUnderWay = Math.max(service.mostUnderWay, ++underWay);
		response.on('close', () => underWay--);
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const ask = JSON.parse(Buffer.concat(chunks).toString('utf8')) as VerifyRequest;
			const { vpc_ep_server_name: name = '' } = ask;
			const knock = (posts.get(name) ?? 0) + 1;
			posts.set(name, knock);
			times.push(performance.now());
			// Node.js adds its hint only where the server names no Connection of its own.
			const last = closeEach || answers.get(socket) === answersEach;
			if (last || !hint) response.setHeader('Connection', last ? 'close' : 'keep-alive');
			const reply = service.reply(name, knock);
			if (latency) setTimeout(() => answer(response, ask, reply), latency);
			else answer(response, ask, reply);
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
		mostUnderWay: 0,
		reply: () => 'good',
		close: async () => {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
	};
	return service;
}

const errors: Record<string, [status: number, code: string]> = {
	throttled: [429, 'APIGW.0308'],
	unavailable: [503, 'APIGW.0613'],
	'500': [500, 'APIGW.0601'],
	'502': [502, 'APIGW.0201'],
	'503': [503, 'upstream'],
	'504': [504, 'APIGW.0201'],
	'400': [400, 'APIGW.0201'],
	'403': [403, 'APIGW.0302'],
	'404': [404, 'DataArtsInsight.24010003'],
};

function answer(response: ServerResponse, ask: VerifyRequest, reply: Reply) {
	const endpoint = newEndpoint(ask.ds_type, { id: randomUUID(), name: ask.vpc_ep_server_name ?? '' });
	const send = (status: number, body: string, headers: Record<string, string> = {}) =>
		response
			.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers })
			.end(body);
	const error = (name: string, headers?: Record<string, string>) => {
		const [status, error_code] = errors[name] ?? [500, 'unknown'];
		send(status, JSON.stringify({ error_code, error_msg: name }), headers);
	};

	if (typeof reply === 'object') return error('throttled', { 'Retry-After': reply.retryAfter });
	switch (reply) {
		case 'good':
			return send(200, JSON.stringify(endpoint));
		case 'silence':
			return;
		case 'html':
			return send(200, '<!DOCTYPE html><title>Sign in</title>', { 'Content-Type': 'text/html' });
		case 'no-id':
			return send(200, JSON.stringify({ ...endpoint, id: undefined }));
		case 'not-success':
			return send(200, JSON.stringify({ is_success: false, message: 'Verification failed.' }));
		case 'redirect':
			return send(307, '', { Location: '/elsewhere' });
		case 'reset':
			// TLS has no reset of its own: there the connection breaks off without its closing words.
			return void response.socket?.destroy();
		case 'cut':
			return void response.socket?.end();
		case 'truncated':
			response.writeHead(200, { 'Content-Length': 1_000 });
			return void response.write('{"id":"1",', () => response.socket?.end());
		default:
			return error(reply);
	}
}
