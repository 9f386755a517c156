import { type NodeEgressFilter, sleep } from 'n8n-workflow';
import { getProxyForUrl } from 'proxy-from-env';
import type { Dispatcher } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

import { blocked, EGRESS_BLOCKED, InputError, interruption } from './errors';
import { CONNECT_TIMEOUT, ExchangeError } from './exchange';

/** After how many idle milliseconds the server may have closed a connection without our having noticed. */
const FRESH = 5;

/** The way from n8n to the service. */
export interface Route {
	host: string;
	/** The proxy's host, if there is one. Its URL may hold a password, so it is not kept. */
	proxyHost?: string;
	/** Lends a connection for the time of one exchange. */
	withDispatcher: <Result>(use: (dispatcher: Dispatcher) => Promise<Result>) => Promise<Result>;
}

interface Lane {
	dispatcher: Dispatcher;
	idleSince: number;
}

/**
 * Connections that nobody uses at the moment, by egress policy and then by all else that makes them alike.
 * They outlive executions, so that loops and sub-workflows find them warm; the one used last goes out first,
 * and undici closes what stays idle for seconds.
 *
 * Each dispatcher has one connection. undici's pools would open up to twice as many as there are requests:
 * they take a connection for free only one turn of the event loop after its answer ended, and the next
 * request comes before that.
 */
const idleLanes = new WeakMap<object, Map<string, Lane[]>>();
const noPolicy = {};

/**
 * Finds the way to a host: through the proxy that n8n's environment names for it, if any, and only if the
 * instance's egress policy allows it.
 *
 * @param origin scheme, host and port
 * @param allowUnauthorizedCerts whether the server's certificate is left unchecked
 * @param egress the instance's policy, where the version of n8n has one
 * @throws {RequestError} if the policy forbids it
 * @throws {InputError} if the environment's proxy is not a URL
 */
export async function findRoute(
	origin: string,
	allowUnauthorizedCerts: boolean,
	egress?: NodeEgressFilter,
): Promise<Route> {
	const { host } = new URL(origin);
	const proxy = proxyFor(origin);
	const policies = [
		await egress?.validateUrl(origin).catch((cause: Error) => {
			// The policy resolves the name, and that can fail as well.
			throw interruption(new ExchangeError(cause, false), { host }, false);
		}),
		proxy && egress?.validateConnectionHost(proxy.hostname),
	];
	if (policies.some((result) => result?.ok === false)) throw blocked(host);

	const lanesOfPolicy = idleLanes.get(egress ?? noPolicy) ?? new Map<string, Lane[]>();
	idleLanes.set(egress ?? noPolicy, lanesOfPolicy);
	const key = JSON.stringify([origin, allowUnauthorizedCerts, proxy]);
	const lanes = lanesOfPolicy.get(key) ?? [];
	lanesOfPolicy.set(key, lanes);

	return {
		host,
		proxyHost: proxy?.host,
		withDispatcher: async (use) => {
			const lane = lanes.pop();
			// Two turns of the event loop: in between it hears of connections that the server has closed.
			if (lane && performance.now() - lane.idleSince > FRESH) {
				await sleep(0);
				await sleep(0);
			}
			const dispatcher = lane?.dispatcher ?? createDispatcher(allowUnauthorizedCerts, proxy, egress);
			let usable = true;
			try {
				return await use(dispatcher).catch((error: ExchangeError) => {
					// Without a connection the request may still wait in there, or undici go on connecting.
					usable = error.sent;
					throw error;
				});
			} finally {
				if (usable) lanes.push({ dispatcher, idleSince: performance.now() });
				else void dispatcher.destroy();
			}
		},
	};
}

/** The proxy for an address, found as n8n itself does: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`. */
function proxyFor(origin: string): URL | undefined {
	const proxy = getProxyForUrl(origin);
	if (!proxy) return undefined;
	const correct = 'Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY in the environment of n8n';
	const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
	if (!url) throw new InputError("The proxy in n8n's environment is not a web address", correct);
	if (!['http:', 'https:', 'socks5:', 'socks:'].includes(url.protocol)) {
		throw new InputError("The proxy in n8n's environment is of a kind that cannot be used", correct);
	}
	// undici decodes the login without looking, and throws.
	if (/%(?![\da-f]{2})/i.test(url.username + url.password)) {
		throw new InputError("The login of the proxy in n8n's environment is not percent-encoded", correct);
	}
	return url;
}

/**
 * The connection to a proxy. undici gives dispatchers their `connect` in its entry file only, so it is given here. If the proxy ends it instead of an answer, undici connects again at once and without
 * end; under another code it takes that for the failure that it is.
 */
class ProxyPool extends Pool {
	override async connect(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
		return await connect.call(this, options).catch((error: Error & { code?: string }) => {
			if (error.code === 'UND_ERR_SOCKET') error.code = 'ECONNRESET';
			throw error;
		});
	}
}

function createDispatcher(
	allowUnauthorizedCerts: boolean,
	proxy: URL | undefined,
	egress: NodeEgressFilter | undefined,
): Dispatcher {
	const lookup = egress && { lookup: policedLookup(egress) };
	const tls = { rejectUnauthorized: !allowUnauthorizedCerts, timeout: CONNECT_TIMEOUT };
	if (!proxy) return new Agent({ connections: 1, connect: { ...tls, ...lookup } });
	return new ProxyAgent({
		uri: proxy.href,
		connections: 1,
		clientFactory: (address, options) => new ProxyPool(address, options),
		proxyTls: { timeout: CONNECT_TIMEOUT, ...lookup },
		requestTls: tls,
	});
}

/** Resolves a name while connecting, so that it cannot lead elsewhere than when it was checked. */
function policedLookup(egress: NodeEgressFilter): ReturnType<NodeEgressFilter['createSecureLookup']> {
	const lookup = egress.createSecureLookup();
	return (hostname, options, callback) =>
		lookup(hostname, options, (error, ...found) => {
			// A refusal of the policy has no code; a name that does not resolve has one.
			if (error) error.code ??= EGRESS_BLOCKED;
			callback(error, ...found);
		});
}
