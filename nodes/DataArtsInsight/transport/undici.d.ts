/*
 * undici's entry file puts an agent of its own into a global symbol that Node.js's fetch, and so all of
 * n8n, reads. Its parts do not: only they are imported.
 */

declare module 'undici/lib/api/api-connect.js' {
	import type { Dispatcher } from 'undici';

	function connect(this: Dispatcher, options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData>;

	export = connect;
}

declare module 'undici/lib/dispatcher/agent.js' {
	import { Agent } from 'undici';

	export = Agent;
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
	import { ProxyAgent } from 'undici';

	export = ProxyAgent;
}

declare module 'undici/lib/dispatcher/pool.js' {
	import { Pool } from 'undici';

	export = Pool;
}
