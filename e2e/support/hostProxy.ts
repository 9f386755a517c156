import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface HostProxy {
	url: string;
	/** The hosts of all CONNECT requests, as `name:port`, in order of arrival. */
	readonly hosts: string[];
	close: () => Promise<void>;
}

/**
 * Starts a proxy on 127.0.0.1 that connects a host of the Internet to a server of this machine, and refuses all other
 * hosts.
 *
 * @param isTheHost whether a `name:port` is that host
 * @param port of the server on 127.0.0.1
 */
export async function startHostProxy(isTheHost: (host: string) => boolean, port: number): Promise<HostProxy> {
	const hosts: string[] = [];
	const proxy = createServer().on('connect', ({ url = '' }, client: Duplex) => {
		hosts.push(url);
		if (!isTheHost(url)) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
		const server = connect(port, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			client.pipe(server).pipe(client);
		});
		client.on('error', () => server.destroy()).on('close', () => server.destroy());
		server.on('error', () => client.destroy()).on('close', () => client.destroy());
	});
	proxy.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	return {
		url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
		hosts,
		close: async () => {
			proxy.close();
			proxy.closeAllConnections();
			await once(proxy, 'close');
		},
	};
}
