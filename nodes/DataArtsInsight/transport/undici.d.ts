/**
 * undici's entry file puts an agent of its own into a global symbol that Node.js's fetch, and so all of
 * n8n, reads. Its parts do not: only they are imported.
 */
declare module 'undici/lib/dispatcher/env-http-proxy-agent.js' {
	import { EnvHttpProxyAgent } from 'undici';

	export = EnvHttpProxyAgent;
}
