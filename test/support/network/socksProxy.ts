import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { proxyPassword, proxyUser } from './httpProxy';

/** A SOCKS5 proxy on 127.0.0.1. Source: RFC 1928, and RFC 1929 for the login. */
export interface SocksProxy {
	/** Host and port. */
	host: string;
	/** Where callers had themselves connected to, as they named it. */
	readonly tunnels: string[];
	/** What it answers to a wish, as a number of RFC 1928: 0 grants it. */
	reply: number;
	close: () => Promise<void>;
}

/** @param requiresLogin whether only {@link proxyUser} with {@link proxyPassword} may pass */
export async function startSocksProxy(requiresLogin = false): Promise<SocksProxy> {
	const sockets = new Set<Socket>();
	const tunnels: string[] = [];
	const server = createServer((client) => void serve(client).catch(() => client.destroy()));

	function track(socket: Socket) {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
	}

	async function serve(client: Socket) {
		track(client);
		const [, methods = 0] = await read(client, 2);
		const offered = await read(client, methods);
		const method = requiresLogin ? 2 : 0;
		if (!offered.includes(method)) return void client.end(Buffer.from([5, 0xff]));
		client.write(Buffer.from([5, method]));
		if (requiresLogin) {
			const [, userSize = 0] = await read(client, 2);
			const user = String(await read(client, userSize));
			const [passwordSize = 0] = await read(client, 1);
			const password = String(await read(client, passwordSize));
			const right = user === proxyUser && password === proxyPassword;
			client.write(Buffer.from([1, right ? 0 : 1]));
			if (!right) return void client.end();
		}
		const [, , , kind] = await read(client, 4);
		const host = await readHost(client, kind);
		const port = (await read(client, 2)).readUInt16BE();
		tunnels.push(`${host}:${port}`);
		const service = proxy.reply ? undefined : connect(port, host);
		if (service) {
			track(service);
			await once(service, 'connect');
		}
		client.write(Buffer.from([5, proxy.reply, 0, 1, 127, 0, 0, 1, 0, 0]));
		if (!service) return void client.end();
		service.pipe(client);
		client.pipe(service);
		client.on('close', () => service.destroy());
	}

	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const proxy: SocksProxy = {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		tunnels,
		reply: 0,
		close: async () => {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, 'close');
		},
	};
	return proxy;
}

async function readHost(client: Socket, kind?: number): Promise<string> {
	if (kind === 1) return [...(await read(client, 4))].join('.');
	const [size = 0] = await read(client, 1);
	return String(await read(client, size));
}

/** Reads so many bytes, and leaves what comes behind them. */
async function read(client: Socket, size: number): Promise<Buffer> {
	if (size === 0) return Buffer.alloc(0);
	for (;;) {
		const bytes = client.read(size) as Buffer | null;
		if (bytes) return bytes;
		if (client.destroyed) throw new Error('closed');
		await once(client, 'readable');
	}
}
