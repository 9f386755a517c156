import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import { pathOf } from '../cloud/requestPath';

export interface Seen {
	method: string;
	path: string;
	headers: IncomingHttpHeaders;
	body: string;
	/** When it arrived, on the clock of `performance.now()`. */
	at: number;
}

export interface ScriptedReply {
	/** 200 when left out. */
	status?: number;
	headers?: Record<string, string>;
	/** Sent as JSON. */
	body?: object;
	/** Milliseconds before the reply. */
	after?: number;
	/** In place of an answer the connection is reset, or nothing comes at all. */
	end?: 'reset' | 'hang';
}

/** A server that says what a test tells it to. */
export interface ScriptedServer {
	url: string;
	readonly seen: Seen[];
	/** The most requests that were under way at once. */
	most: number;
	/** The reply to the n-th request, counted from 1. */
	reply: (count: number, seen: Seen) => ScriptedReply;
	/** Requests that their callers gave up. */
	readonly givenUp: number;
	close: () => Promise<void>;
}

/** Starts it on loopback. */
export async function startScriptedServer(reply: ScriptedServer['reply']): Promise<ScriptedServer> {
	const seen: Seen[] = [];
	let underWay = 0;
	let givenUp = 0;
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const { method = '', headers } = request;
			const path = pathOf(request);
			const one = { method, path, headers, body: Buffer.concat(chunks).toString(), at: performance.now() };
			seen.push(one);
			scripted.most = Math.max(scripted.most, ++underWay);
			const { status = 200, headers: extra, body = {}, after = 0, end } = scripted.reply(seen.length, one);
			response.on('close', () => {
				underWay--;
				if (!response.writableEnded) givenUp++;
			});
			if (end === 'hang') return;
			setTimeout(() => {
				if (end === 'reset') response.socket?.resetAndDestroy();
				else
					response
						.writeHead(status, { 'Content-Type': 'application/json', ...extra })
						.end(JSON.stringify(body));
			}, after);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const scripted: ScriptedServer = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		seen,
		most: 0,
		reply,
		get givenUp() {
			return givenUp;
		},
		close: async () => {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
	};
	return scripted;
}
