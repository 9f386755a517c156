import type { NodeEgressFilter } from 'n8n-workflow';
import type { Dispatcher } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';

import { CONNECT_TIMEOUT } from './beforeSending';
import { clientOn, type Socket } from './connection';

/** How the connections to one service are made. */
export interface ConnectorOptions {
	/** Scheme, host and port of the service. */
	origin: string;
	/** Whether the service's certificate is left unchecked. */
	allowUnauthorizedCerts: boolean;
	proxy?: URL;
	/** Resolves the first name on the way: that of the proxy, or of the service if there is none. */
	lookup?: ReturnType<NodeEgressFilter['createSecureLookup']>;
}

/** Makes one connection. */
export type Connector = (abandoned: AbortSignal) => Promise<Socket>;

/** The proxy's own answer, where it did not make the connection. */
export class ProxyRefusal extends Error {
	readonly code = 'PROXY_REFUSED';

	/**
	 * @param answer what it said, in a few words
	 * @param reached whether it tried to reach the service: that may succeed another time
	 */
	constructor(
		readonly answer: string,
		readonly reached: boolean,
	) {
		super(answer);
	}
}

/**
 * What all connections have in common. Time limits are the caller's. `rejectUnauthorized` is given even where it is
 * the default: left out, NODE_TLS_REJECT_UNAUTHORIZED would decide. `autoSelectFamily` as well: n8n turns it off for
 * the process, and then the first address of a name is the only one that is tried.
 */
const COMMON = {
	timeout: 0,
	rejectUnauthorized: true,
	autoSelectFamily: true,
	// A far service needs more than the 250 ms of Node.js; the last address has no such limit.
	autoSelectFamilyAttemptTimeout: 500,
};

/** @returns makes connections to the service, with TLS if its scheme asks for that */
export function createConnector({
	origin,
	allowUnauthorizedCerts,
	proxy,
	lookup,
}: ConnectorOptions): Connector {
	const service = new URL(origin);
	const first = buildConnector({ ...COMMON, lookup });
	// One for all connections, as it keeps the TLS sessions.
	const toService = buildConnector({ ...COMMON, lookup, rejectUnauthorized: !allowUnauthorizedCerts });
	if (!proxy) return async (abandoned) => await establish(toService, service, abandoned);
	return async (abandoned) => {
		const socks = proxy.protocol.startsWith('socks');
		const socket = await establish(first, proxy, abandoned);
		await (socks ? askSocks(socket, proxy, service) : askHttp(socket, proxy, service)).catch((error) => {
			socket.destroy();
			throw error;
		});
		return await establish(toService, service, abandoned, socket);
	};
}

/** Connects to a host, with TLS for `https:`; through a tunnel if one is given. */
async function establish(
	connector: ReturnType<typeof buildConnector>,
	{ protocol, host, hostname, port }: URL,
	abandoned: AbortSignal,
	tunnel?: Socket,
): Promise<Socket> {
	return await new Promise((resolve, reject) => {
		const options = {
			protocol,
			host,
			hostname: withoutBrackets(hostname),
			port: port || (protocol.startsWith('socks') ? '1080' : ''),
			httpSocket: tunnel,
		};
		const socket = connector(options, (error, connected) => (error ? reject(error) : resolve(connected)));
		// Not every end is an error: a proxy that closes the tunnel in the middle of the handshake may be heard only here.
		socket.once('close', () =>
			reject(Object.assign(new Error('The connection was closed'), { code: 'ECONNRESET' })),
		);
		abandoned.addEventListener('abort', () => socket.destroy());
		if (abandoned.aborted) socket.destroy();
	});
}

/** An IPv6 address as it is in itself; in a URL it stands in brackets. */
const withoutBrackets = (hostname: string) => hostname.replace(/[[\]]/g, '');

/** Host and port of the service, for the proxy. */
const target = ({ hostname, port }: URL) => ({ host: hostname, port: Number(port || 443) });

const loginOf = ({ username, password }: URL) => [username, password].map(decodeURIComponent);

/** Has an HTTP proxy connect a socket to the service. */
async function askHttp(socket: Socket, proxy: URL, service: URL): Promise<void> {
	const { host, port } = target(service);
	const headers: Record<string, string> = { Host: `${host}:${port}`, 'Proxy-Connection': 'keep-alive' };
	const [username = '', password = ''] = loginOf(proxy);
	if (username || password) {
		headers['Proxy-Authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
	}
	await new Promise<void>((resolve, reject) => {
		const handler: Dispatcher.DispatchHandler = {
			onRequestStart: () => undefined,
			onRequestUpgrade: (_controller, status) => {
				if (status >= 200 && status < 300) resolve();
				else reject(new ProxyRefusal(`HTTP status ${status}`, status >= 500));
			},
			onResponseError: (_controller, error) => reject(error),
		};
		// TLS to the proxy, if any, is done by now.
		clientOn(socket, `http://${proxy.host}`).dispatch(
			{ method: 'CONNECT', path: `${host}:${port}`, headers },
			handler,
		);
	});
}

/** Has a SOCKS proxy connect a socket to the service, whose name it resolves. */
async function askSocks(socket: Socket, proxy: URL, service: URL): Promise<void> {
	const [userId, password] = loginOf(proxy);
	const { host, port } = target(service);
	// Loaded here, since hardly anybody has such a proxy and loading it takes a fifth of the package's time to load.
	const { SocksClient } = await import('socks');
	await SocksClient.createConnection({
		command: 'connect',
		existing_socket: socket,
		proxy: {
			host: proxy.hostname,
			// The library asks for it, and connects to nothing.
			port: Number(proxy.port),
			type: proxy.protocol.startsWith('socks4') ? 4 : 5,
			userId,
			password,
		},
		destination: { host: withoutBrackets(host), port },
		// The caller's time limit comes first, and says that the host did not answer.
		timeout: 2 * CONNECT_TIMEOUT,
	}).catch(({ message }: Error) => {
		// The library's error holds the password, so only a word of it is passed on: "… - HostUnreachable".
		const answer = /rejected connection - \(?(\w+)/.exec(message)?.[1];
		if (answer) throw new ProxyRefusal(`'${answer}'`, answer !== 'NotAllowed');
		if (/authentication/i.test(message)) throw new ProxyRefusal("'the login is not accepted'", false);
		throw Object.assign(new Error('The proxy gave no answer'), { code: 'ECONNRESET' });
	});
}
