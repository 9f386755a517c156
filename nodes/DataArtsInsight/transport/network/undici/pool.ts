import { sleep } from 'n8n-workflow';

import { ExchangeError } from '../failure';
import { beforeSending } from './beforeSending';
import { Connection, type Socket } from './connection';

/**
 * The longest time that a connection may be idle and still be used, in milliseconds. If a gateway or a firewall closes the
 * connection while a request is on its way, the item fails, since nobody can tell whether an endpoint was created. A new
 * handshake costs milliseconds. Gateways close idle connections after a whole number of seconds, and schedules and polls
 * come back after whole seconds as well. Within a run connections are idle for less than this.
 */
const IDLE_LIMIT = 500;

/**
 * How long a connection waits before it is used for the second time, in milliseconds. Some servers close the connection
 * right after a response without announcing it. A late second response would be taken for that to the next request.
 */
const PROBATION = 5;

/** After how many idle milliseconds the server may have closed a connection without Node.js having noticed. */
const FRESH = 5;

/** For how many milliseconds an origin that closes its connections early is remembered for that. */
const REMEMBERED = 60_000;

/**
 * The connections of one route. Idle connections outlive executions, so that loops and sub-workflows find them warm. The
 * connection used last is lent first.
 *
 * Each connection has a dispatcher of its own. undici's pools would open up to twice as many connections as there are
 * requests: a pool takes a connection for busy until one turn of the event loop after the response ended, and the next
 * request comes before that. After a first response with
 * `Connection: close` undici 7's Agent opens a connection for each request that follows at once.
 */
export class Pool {
	private readonly idle: Connection[] = [];

	/** The idle limit that this server has taught. */
	private learned = IDLE_LIMIT;

	/** Until when the learned limit holds. */
	private learnedUntil = 0;

	constructor(
		private readonly origin: string,
		private readonly establish: (abandoned: AbortSignal) => Promise<Socket>,
	) {}

	/**
	 * Lends a connection for the time of one exchange.
	 *
	 * @param use sends one request; called again with another connection if nothing of the request was written
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
			const reused = connection.responses > 0;
			connection.idleSince = undefined;
			try {
				const result = await use(connection);
				this.giveBack(connection);
				return result;
			} catch (error) {
				if (!this.takeBack(connection, reused, error)) throw error as Error;
			}
		}
	}

	/** @returns whether the request that failed can be sent on another connection, since nothing of it was written */
	private takeBack(connection: Connection, reused: boolean, error: unknown): boolean {
		if (!(error instanceof ExchangeError)) {
			this.giveBack(connection);
			return false;
		}
		connection.discard();
		if (!reused || error.stopped) return false;
		if (error.sent) this.learn(0);
		return !error.sent;
	}

	private async takeIdle(): Promise<Connection | undefined> {
		for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) {
			const idle = idleTime(connection);
			if (idle <= this.idleLimit()) {
				if (connection.responses === 1) await sleep(PROBATION);
				// A turn of the event loop, in addition to undici's own: a pending close event is delivered meanwhile.
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
		connection.responses++;
		connection.idleSince = performance.now();
		if (!connection.open) return;
		if (this.idleLimit() > 0) this.idle.push(connection);
		else connection.discard();
	}

	/** The server has closed a connection. If the connection was idle, its age says how long one may be idle. */
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
