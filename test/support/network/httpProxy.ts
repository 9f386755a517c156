import { Server } from 'proxy-chain';

/** What the environment may say about proxies; the lower-case names count first. */
const variables = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
	name,
	name.toUpperCase(),
]);

/** Sets what n8n's environment says about proxies, and takes away all else that it said. */
export function setProxies(values: Record<string, string> = {}) {
	for (const name of variables) delete process.env[name];
	Object.assign(process.env, values);
}

export const proxyUser = 'n8n-user';
/** Odd enough that it is wrong wherever it is not encoded as it has to be. */
export const proxyPassword = 'pa:ss@w/ord%41';
/** Every form in which the login could leak. */
export const proxySecrets = [
	proxyPassword,
	encodeURIComponent(proxyPassword),
	Buffer.from(`${proxyUser}:${proxyPassword}`).toString('base64'),
];

export interface HttpProxy {
	/** Host and port. */
	host: string;
	/** With the login. */
	url: string;
	/** The hosts that callers had themselves connected to. */
	readonly tunnels: string[];
	/** Requests that came without a tunnel. */
	readonly plain: string[];
	close: () => Promise<void>;
}

/**
 * Starts a real HTTP proxy on 127.0.0.1.
 *
 * @param requiresLogin whether it answers 407 to whoever does not give {@link proxyUser} and {@link proxyPassword}
 */
export async function startHttpProxy(requiresLogin = false): Promise<HttpProxy> {
	const tunnels: string[] = [];
	const plain: string[] = [];
	const server = new Server({
		port: 0,
		host: '127.0.0.1',
		prepareRequestFunction: ({ isHttp, hostname, port, username, password }) => {
			if (requiresLogin && (username !== proxyUser || password !== proxyPassword)) {
				return { requestAuthentication: true };
			}
			(isHttp ? plain : tunnels).push(`${hostname}:${port}`);
			return undefined;
		},
	});
	await server.listen();
	const host = `127.0.0.1:${server.port}`;
	const login = `${encodeURIComponent(proxyUser)}:${encodeURIComponent(proxyPassword)}`;
	return {
		host,
		url: `http://${login}@${host}`,
		tunnels,
		plain,
		close: async () => await server.close(true),
	};
}
