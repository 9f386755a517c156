import type { buildConnector } from 'undici';
import Client from 'undici/lib/dispatcher/client.js';

/** A socket of Node.js, plain or with TLS. */
export type Socket = Exclude<Parameters<buildConnector.Callback>[1], null>;

/** The largest headers that are read, in bytes. A user token of IAM alone may have 16 KB. */
export const MAX_HEADERS_SIZE = 128 * 1024;

/**
 * A client of undici for one connection. It never makes another: when the connection has ended, it passes on an
 * error, which undici takes for final only if its code is none of undici's own.
 *
 * @param idleLimit after how many idle milliseconds it closes the connection
 */
export function clientOn(socket: Socket, origin: string, idleLimit?: number): Client {
	let unused: Socket | undefined = socket;
	return new Client(origin, {
		connect: (_options, callback) => {
			const given = unused;
			unused = undefined;
			// Not at once: undici goes on only when it is called back later.
			queueMicrotask(() => {
				if (given) callback(null, given);
				else callback(Object.assign(new Error('The connection has ended'), { code: 'ECONNRESET' }), null);
			});
		},
		maxHeaderSize: MAX_HEADERS_SIZE,
		// undici's own time limits are off: they cover the parts of an exchange, not the whole of it.
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: idleLimit,
		keepAliveMaxTimeout: idleLimit,
		// undici would take off two seconds of what the server says, and close at once where nothing is left.
		keepAliveTimeoutThreshold: 0,
	});
}

/** An established connection to the service, for one request at a time. */
export class Connection {
	readonly client: Client;

	/** How many responses it has brought. */
	responses = 0;

	/** Since when it is idle, on the clock of `performance.now()`; nothing while it is in use. */
	idleSince?: number;

	/** Called when bytes have arrived, before anybody reads them. */
	onBytes?: () => void;

	/**
	 * @param onEnd called when the other side has ended it
	 * @param onClose called when it is gone, whoever ended it
	 */
	constructor(
		private readonly socket: Socket,
		origin: string,
		idleLimit: number,
		onEnd: (connection: Connection) => void,
		onClose: (connection: Connection) => void,
	) {
		socket.on('readable', () => this.onBytes?.());
		socket.on('end', () => onEnd(this));
		socket.on('error', ({ code }: Error & { code?: string }) => {
			if (!code?.startsWith('UND_ERR_')) onEnd(this);
		});
		socket.on('close', () => onClose(this));
		this.client = clientOn(socket, origin, idleLimit);
	}

	get open(): boolean {
		return !this.socket.destroyed && !this.client.destroyed;
	}

	get bytesRead(): number {
		return this.socket.bytesRead;
	}

	/** Ends it, whatever it is used for. */
	discard() {
		void this.client.destroy();
		// A client that has sent nothing yet does not know the socket.
		this.socket.destroy();
	}
}
