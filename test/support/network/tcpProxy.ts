import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a connection comes to its end: properly, by a reset, or not at all, with silence instead. */
export type End = 'cut' | 'reset' | 'hang';

/** What happens to one connection; nothing bad where a field is left out. */
export interface NetworkBehaviour {
	/** It ends as soon as it is accepted. */
	onAccept?: End;
	/** It ends when its first bytes arrive, and they are not forwarded. */
	onRequest?: End;
	/** It ends after so many bytes of the answer: with 0 the service has had the request, and the caller gets nothing. */
	onResponse?: { after: number; end: End };
	/** Milliseconds that each part of the answer comes late. */
	delay?: number;
	/** So many bytes of the answer at a time, and the milliseconds between. */
	drip?: { bytes: number; every: number };
	/** Milliseconds after an answer until an idle connection is closed. */
	idle?: number;
}

/** A bad network: it stands between a caller and a service on loopback and spoils what passes through. */
export interface TcpProxy {
	port: number;
	/** What happens to the n-th connection, counted from 1. */
	behaviour: (connection: number) => NetworkBehaviour;
	/** Connections that were accepted. */
	readonly connections: number;
	/** Those of them on which a caller sent anything. */
	readonly used: number;
	/** Bytes that came from callers. */
	readonly bytesUp: number;
	/** Bytes that callers were sent. */
	readonly bytesDown: number;
	/** Ends all connections and accepts no more: from then on they are refused. */
	close: () => Promise<void>;
}

/** @param target the service's address */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
	const { hostname, port } = new URL(target);
	const sockets = new Set<Socket>();
	const server = createServer((client) => forward(client));

	const proxy = {
		port: 0,
		behaviour: (): NetworkBehaviour => ({}),
		connections: 0,
		used: 0,
		bytesUp: 0,
		bytesDown: 0,
		close: async () => {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, 'close');
		},
	} as { -readonly [Key in keyof TcpProxy]: TcpProxy[Key] };

	function track(socket: Socket) {
		sockets.add(socket.setNoDelay(true));
		socket.on('close', () => sockets.delete(socket));
		// A reset is what this proxy is for.
		socket.on('error', () => socket.destroy());
	}

	function forward(client: Socket) {
		track(client);
		const behaviour = proxy.behaviour(++proxy.connections);
		if (behaviour.onAccept) {
			finish(client, behaviour.onAccept);
			return;
		}

		const service = connect(Number(port), hostname);
		track(service);
		let idle: NodeJS.Timeout | undefined;
		let left = behaviour.onResponse?.after ?? Infinity;
		const late: Array<Promise<void>> = [];
		const end = (how: End) => {
			service.removeAllListeners('data').destroy();
			finish(client, how);
		};

		client.once('data', () => proxy.used++);
		client.on('data', (chunk) => {
			clearTimeout(idle);
			proxy.bytesUp += chunk.length;
			if (behaviour.onRequest) end(behaviour.onRequest);
			else service.write(chunk);
		});
		client.on('close', () => {
			clearTimeout(idle);
			service.destroy();
		});
		service.on('data', (chunk) => {
			const part = chunk.subarray(0, left);
			left -= part.length;
			send(part);
			if (left === 0) end(behaviour.onResponse?.end ?? 'cut');
			else if (behaviour.idle !== undefined) idle = setTimeout(() => end('cut'), behaviour.idle);
		});
		// Behind all that comes late.
		service.on('end', () => void Promise.all(late).then(() => client.end()));

		function send(part: Buffer) {
			if (behaviour.drip) late.push(drip(part, behaviour.drip));
			else if (behaviour.delay) late.push(sleep(behaviour.delay).then(() => write(part)));
			else write(part);
		}

		async function drip(part: Buffer, { bytes, every }: { bytes: number; every: number }) {
			for (let at = 0; at < part.length && client.writable; at += bytes) {
				write(part.subarray(at, at + bytes));
				await sleep(every);
			}
		}

		function write(part: Buffer) {
			if (!client.writable) return;
			proxy.bytesDown += part.length;
			client.write(part);
		}
	}

	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	proxy.port = (server.address() as AddressInfo).port;
	return proxy;
}

function finish(client: Socket, how: End) {
	if (how === 'reset') client.resetAndDestroy();
	// What still arrives is read away: closing over unread bytes would send a reset.
	if (how === 'cut') client.removeAllListeners('data').resume().end();
}
