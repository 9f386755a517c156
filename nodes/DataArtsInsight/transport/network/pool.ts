import { sleep } from 'n8n-workflow';

import { Connection, type Socket } from './connection';
import { beforeSending, ExchangeError } from './deadline';

/**
 * The longest time that a connection may be idle and still be used, in milliseconds. What a gateway or a firewall ends
 * while a request is on its way costs the item, since nobody can tell whether an endpoint was created; a handshake
 * costs milliseconds. Gateways wait a second at least, and then by whole seconds, as schedules and polls do.
 * Within a run connections are idle for less than this, so hardly any handshake is paid for.
 */
const IDLE_LIMIT = 500;

/**
 * How long a connection is left alone before it is used for the second time, in milliseconds. Some servers close right
 * behind their answers without saying so, and a late second answer would be taken for that of the next request.
 */
const PROBATION = 5;

/** After how many idle milliseconds the server may have closed a connection without our having noticed. */
const FRESH = 5;

/** For how many milliseconds an origin that closes its connections early is remembered for that. */
const REMEMBERED = 60_000;

/**
 * The connections that one way to a service has. Idle ones outlive executions, so that loops and sub-workflows find
 * them warm; the one used last goes out first.
 *
 * Each has a dispatcher of its own. undici's pools would open up to twice as many as there are requests: they take a
 * connection for free only one turn of the event loop after its answer ended, and the next request comes before
 * that. And of undici 7 its Agent keeps no connection any more, once one answer has said `Connection: close`.
 */
export class Pool {
	private readonly idle: Connection[] = [];

	/** The idle limit that was learned. */
	private learned = IDLE_LIMIT;

	/** Until when it holds. */
	private learnedUntil = 0;

	constructor(
		private readonly origin: string,
		private readonly establish: (abandoned: AbortSignal) => Promise<Socket>,
	) {}

	/**
	 * Lends a connection for the time of one exchange.
	 *
	 * @param use what it is for; called again with another connection if nothing of its request was written
	 * @param signal ends the waiting for a new connection
	 * @throws {ExchangeError} if no connection came about
	 * @throws whatever `use` throws
	 */
	async lend<Result>(
		use: (connection: Connection) => Promise<Result>,
		signal?: AbortSignal,
	): Promise<Result> {
		for (;;) {
			const connection = (await this.takeIdle()) ?? (await this.connect(signal));
			const reused = connection.answers > 0;
			connection.idleSince = undefined;
			const outcome = await use(connection).then(
				(result) => ({ result, error: undefined }),
				(error: Error) => ({ error }),
			);
			const { error } = outcome;
			if (error instanceof ExchangeError) connection.discard();
			else this.giveBack(connection);
			if ('result' in outcome) return outcome.result;
			if (reused && error instanceof ExchangeError && !error.stopped) {
				// It was closed while it was idle, before anything was written.
				if (!error.sent) continue;
				this.learn(0);
			}
			throw outcome.error;
		}
	}

	private async takeIdle(): Promise<Connection | undefined> {
		for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) {
			const idle = idleTime(connection);
			if (idle <= this.idleLimit()) {
				if (connection.answers === 1) await sleep(PROBATION);
				// A turn of the event loop, with the one that undici takes: meanwhile it hears what the server has closed.
				else if (idle > FRESH) await sleep(0);
				if (connection.open) return connection;
			}
			connection.discard();
		}
		return undefined;
	}

	private async connect(signal?: AbortSignal): Promise<Connection> {
		const socket = await beforeSending(signal, this.establish);
		return new Connection(
			socket,
			this.origin,
			IDLE_LIMIT,
			(connection) => this.ended(connection),
			(connection) => this.forget(connection),
		);
	}

	private giveBack(connection: Connection) {
		connection.answers++;
		connection.idleSince = performance.now();
		if (!connection.open) return;
		if (this.idleLimit() > 0) this.idle.push(connection);
		else connection.discard();
	}

	/** The other side has ended a connection: if it was idle, that says how long it may be. */
	private ended(connection: Connection) {
		if (connection.idleSince === undefined) return;
		const idle = idleTime(connection);
		this.learn(idle < 2 * FRESH ? 0 : idle / 2);
	}

	private forget(connection: Connection) {
		const index = this.idle.indexOf(connection);
		if (index >= 0) this.idle.splice(index, 1);
	}

	private idleLimit(): number {
		return performance.now() < this.learnedUntil ? this.learned : IDLE_LIMIT;
	}

	private learn(limit: number) {
		this.learned = Math.min(limit, this.idleLimit());
		this.learnedUntil = performance.now() + REMEMBERED;
	}
}

/** For how many milliseconds a connection has been idle. */
function idleTime({ idleSince = performance.now() }: Connection): number {
	return performance.now() - idleSince;
}
