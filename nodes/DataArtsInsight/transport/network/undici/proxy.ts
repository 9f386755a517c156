import { getProxyForUrl } from 'proxy-from-env';

import { UnusableProxy } from '../failure';

/**
 * The proxy for an address, found as n8n itself does: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
 *
 * @throws {UnusableProxy} if it cannot be used
 */
export function proxyFor(origin: string): URL | undefined {
	const { protocol, hostname } = new URL(origin);
	// Without TLS a token may go to this machine only, and so through no proxy.
	if (protocol === 'http:') return undefined;
	const proxy = getProxyForUrl(origin);
	if (!proxy || (hostname.startsWith('[') && isExempt(hostname.slice(1, -1)))) return undefined;
	const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
	if (!url) throw new UnusableProxy('notAnAddress');
	if (!/^(https?|socks(4a?|5h?)?):/.test(url.protocol)) throw new UnusableProxy('unknownKind');
	if (/%(?![\da-f]{2})/i.test(url.username + url.password)) throw new UnusableProxy('loginNotEncoded');
	return url;
}

/** Whether `NO_PROXY` names an IPv6 address without its brackets, whose last part the library takes for a port. */
function isExempt(address: string): boolean {
	const host = address.replace(/:\d+$/, '');
	const port = /:(\d+)$/.exec(address)?.[1];
	const url = { protocol: 'https:', host: `${host}:`, port };
	return !getProxyForUrl(url as Parameters<typeof getProxyForUrl>[0]);
}
