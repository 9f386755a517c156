/*
 * undici's entry file puts an agent of its own into a global symbol that Node.js's fetch, and so all of
 * n8n, reads. Its parts do not: only they are imported.
 */

declare module 'undici/lib/core/connect.js' {
	import type { buildConnector } from 'undici';

	type Socket = Exclude<Parameters<buildConnector.Callback>[1], null>;

	/** Unlike undici's own types this says that the socket is there at once, while it is still connecting. */
	function build(
		options: buildConnector.BuildOptions,
	): (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;

	export = build;
}

declare module 'undici/lib/dispatcher/client.js' {
	import { Client } from 'undici';

	export = Client;
}
