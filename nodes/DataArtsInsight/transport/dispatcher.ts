import type { Dispatcher } from 'undici';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';

/** How long a connection may take to be established, TLS included, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/**
 * The dispatchers that nobody uses at the moment, by whether they leave certificates unchecked. Each has one
 * connection. undici's own pool would open up to twice as many as there are requests: it takes a connection
 * for free only one turn of the event loop after its answer ended, and the next request comes before that.
 */
const idle = new Map<boolean, Dispatcher[]>();

/**
 * Lends a dispatcher for one request. All executions of the process share them, so that they reuse warm
 * connections; the one used last goes out first, and undici closes what stays idle after seconds. The proxy
 * comes from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
 *
 * @param allowUnauthorizedCerts whether the server's certificate is left unchecked
 */
export async function withDispatcher<Result>(
	allowUnauthorizedCerts: boolean,
	use: (dispatcher: Dispatcher) => Promise<Result>,
): Promise<Result> {
	const free = idle.get(allowUnauthorizedCerts) ?? [];
	idle.set(allowUnauthorizedCerts, free);
	const dispatcher = free.pop() ?? createDispatcher(allowUnauthorizedCerts);
	try {
		return await use(dispatcher);
	} finally {
		free.push(dispatcher);
	}
}

function createDispatcher(allowUnauthorizedCerts: boolean): Dispatcher {
	const tls = { rejectUnauthorized: !allowUnauthorizedCerts };
	return new EnvHttpProxyAgent({
		connections: 1,
		connect: { ...tls, timeout: CONNECT_TIMEOUT },
		requestTls: tls,
	});
}
