import type { NodeEgressFilter } from 'n8n-workflow';
import { getProxyForUrl } from 'proxy-from-env';

import type { Connection } from './connection';
import { createConnector } from './connector';
import { beforeSending } from './deadline';
import { EGRESS_BLOCKED, InputError } from '../errors/errors';
import { Pool } from './pool';

/** The way from n8n to the service. */
export interface Route {
	host: string;
	/** The proxy's host, if there is one. Its URL may hold a password, so it is not kept. */
	proxyHost?: string;
	/**
	 * Lends a connection for the time of one exchange.
	 *
	 * @param use what it is for; called again with another connection if nothing of its request was written
	 * @param signal ends the waiting for a connection
	 * @throws {ExchangeError} if none came about, or the instance's egress policy forbids it
	 * @throws whatever `use` throws
	 */
	withConnection: <Result>(
		use: (connection: Connection) => Promise<Result>,
		signal?: AbortSignal,
	) => Promise<Result>;
}

/** The pools of this process, by egress policy and then by all else that makes connections alike. */
const poolsOf = new WeakMap<object, Map<string, Pool>>();
const noPolicy = {};

/**
 * Finds the way to a host: through the proxy that n8n's environment names for it, if any. Whether the instance's egress
 * policy allows it is asked before the first connection is lent.
 *
 * @param origin scheme, host and port
 * @param allowUnauthorizedCerts whether the server's certificate is left unchecked
 * @param egress the instance's policy, where the version of n8n has one
 * @throws {InputError} if the environment's proxy is not a URL
 */
export function findRoute(
	origin: string,
	allowUnauthorizedCerts: boolean,
	egress?: NodeEgressFilter,
): Promise<Route> {
	const proxy = proxyFor(origin);
	const pools = poolsOf.get(egress ?? noPolicy) ?? new Map<string, Pool>();
	poolsOf.set(egress ?? noPolicy, pools);
	const key = JSON.stringify([origin, allowUnauthorizedCerts, proxy]);
	const lookup = egress && policedLookup(egress);
	const pool =
		pools.get(key) ?? new Pool(origin, createConnector({ origin, allowUnauthorizedCerts, proxy, lookup }));
	pools.set(key, pool);

	let allowed = false;
	let asking: Promise<void> | undefined;
	async function ask(policy: NodeEgressFilter) {
		asking ??= askPolicy(policy, origin, proxy).finally(() => (asking = undefined));
		await asking;
		allowed = true;
	}
	return Promise.resolve({
		host: new URL(origin).host,
		proxyHost: proxy?.host,
		withConnection: async (use, signal) => {
			if (egress && !allowed) await beforeSending(signal, async () => await ask(egress));
			return await pool.lend(use, signal);
		},
	} satisfies Route);
}

/** @throws {Error} with the code EGRESS_BLOCKED, or that of the name resolution, which can fail as well */
async function askPolicy(egress: NodeEgressFilter, origin: string, proxy?: URL): Promise<void> {
	const results = [await egress.validateUrl(origin), proxy && egress.validateConnectionHost(proxy.hostname)];
	if (results.every((result) => result?.ok !== false)) return;
	throw Object.assign(new Error('The egress policy does not allow it'), { code: EGRESS_BLOCKED });
}

/** The proxy for an address, found as n8n itself does: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`. */
function proxyFor(origin: string): URL | undefined {
	const { protocol, hostname } = new URL(origin);
	// Without TLS a token may go to this machine only, and so through no proxy.
	if (protocol === 'http:') return undefined;
	const proxy = getProxyForUrl(origin);
	if (!proxy || (hostname.startsWith('[') && isExempt(hostname.slice(1, -1)))) return undefined;
	const correct = 'Correct HTTPS_PROXY or ALL_PROXY in the environment of n8n';
	const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
	if (!url) throw new InputError("The proxy in n8n's environment is not a web address", correct);
	if (!/^(https?|socks(4a?|5h?)?):/.test(url.protocol)) {
		throw new InputError("The proxy in n8n's environment is of a kind that cannot be used", correct);
	}
	if (/%(?![\da-f]{2})/i.test(url.username + url.password)) {
		throw new InputError("The login of the proxy in n8n's environment is not percent-encoded", correct);
	}
	return url;
}

/** Whether `NO_PROXY` names an IPv6 address without its brackets, whose last part the library takes for a port. */
function isExempt(address: string): boolean {
	const host = address.replace(/:\d+$/, '');
	const port = /:(\d+)$/.exec(address)?.[1];
	const url = { protocol: 'https:', host: `${host}:`, port };
	return !getProxyForUrl(url as Parameters<typeof getProxyForUrl>[0]);
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
