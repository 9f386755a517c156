import type { NodeEgressFilter } from 'n8n-workflow';

import { beforeSending } from './beforeSending';
import type { Connection } from './connection';
import { createConnector } from './connector';
import { Pool } from './pool';
import { proxyFor } from './proxy';

/** The code of the error for a connection that the instance's egress policy does not allow. */
const EGRESS_BLOCKED = 'EGRESS_BLOCKED';

/** How connections to a host come about. */
export interface ConnectionRoute {
	host: string;
	/** The proxy's host, if there is one. Its URL may hold a password, so it is not kept. */
	proxyHost?: string;
	/**
	 * Lends a connection for the time of one exchange.
	 *
	 * @param use sends one request; called again with another connection if nothing of the request was written
	 * @param signal ends the waiting for a connection
	 * @throws {ExchangeError} if none came about, or the instance's egress policy forbids it
	 * @throws whatever `use` throws
	 */
	withConnection: <Result>(
		use: (connection: Connection) => Promise<Result>,
		signal?: AbortSignal,
	) => Promise<Result>;
}

/** The pools of this process, by egress policy, and then by origin, TLS setting and proxy. */
const poolsOf = new WeakMap<object, Map<string, Pool>>();
const noPolicy = {};

/**
 * Finds the route to a host: through the proxy that n8n's environment names for the host, if any. The instance's egress
 * policy is asked before the first connection is lent.
 *
 * @param origin scheme, host and port
 * @param allowUnauthorizedCerts whether the server's certificate is left unchecked
 * @param egress the instance's policy, where the version of n8n has one
 * @throws {UnusableProxy} if the environment's proxy cannot be used
 */
export function findConnections(
	origin: string,
	allowUnauthorizedCerts: boolean,
	egress?: NodeEgressFilter,
): ConnectionRoute {
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
	return {
		host: new URL(origin).host,
		proxyHost: proxy?.host,
		withConnection: async (use, signal) => {
			if (egress && !allowed) await beforeSending(signal, async () => await ask(egress));
			return await pool.lend(use, signal);
		},
	};
}

/** @throws {Error} with the code EGRESS_BLOCKED, or that of the name resolution, which can fail as well */
async function askPolicy(egress: NodeEgressFilter, origin: string, proxy?: URL): Promise<void> {
	const results = [await egress.validateUrl(origin), proxy && egress.validateConnectionHost(proxy.hostname)];
	if (results.every((result) => result?.ok !== false)) return;
	throw Object.assign(new Error('The egress policy does not allow it'), { code: EGRESS_BLOCKED });
}

/** Resolves a name while connecting, so that DNS rebinding cannot lead it elsewhere than when it was checked. */
function policedLookup(egress: NodeEgressFilter): ReturnType<NodeEgressFilter['createSecureLookup']> {
	const lookup = egress.createSecureLookup();
	return (hostname, options, callback) =>
		lookup(hostname, options, (error, ...found) => {
			// A refusal of the policy has no code; a name that does not resolve has one.
			if (error) error.code ??= EGRESS_BLOCKED;
			callback(error, ...found);
		});
}
