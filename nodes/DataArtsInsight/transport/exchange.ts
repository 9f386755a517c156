import type { Dispatcher } from 'undici';

/** The largest answer that is read, in bytes; the service's own are about one kilobyte. */
export const MAX_ANSWER_SIZE = 1024 * 1024;

/** How long a connection may take to be established, through a proxy and with TLS, in milliseconds. */
export const CONNECT_TIMEOUT = 10_000;

/** What came back for one request, whatever its status. */
export interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
}

/** Why an exchange was ended from this side. */
export type StopReason = 'timeout' | 'tooLarge' | 'cancelled';

/** One request that brought no whole answer. */
export class ExchangeError extends Error {
	/**
	 * @param cause the network's own error
	 * @param sent whether the request may have reached the service: false only if not a byte of it was written
	 * @param stopped why it was ended from this side, if it was
	 */
	constructor(
		override readonly cause: Error & { code?: string },
		readonly sent: boolean,
		readonly stopped?: StopReason,
	) {
		super(cause.message);
	}
}

class AnswerCollector implements Dispatcher.DispatchHandler {
	private controller?: Dispatcher.DispatchController;

	private sent = false;

	private stopped?: StopReason;

	/** Whether it was ended before its connection stood. */
	private givenUp = false;

	private status = 0;

	private headers: Answer['headers'] = {};

	private readonly chunks: Buffer[] = [];

	private size = 0;

	constructor(
		private readonly deadline: Deadline,
		private readonly signal: AbortSignal | undefined,
		private readonly resolve: (answer: Answer) => void,
		private readonly reject: (error: ExchangeError) => void,
	) {
		connecting.add(this);
		if (signal) underWay(signal).add(this);
	}

	/** The connection stands and the request is about to be written: before this, nothing was sent. */
	onRequestStart(controller: Dispatcher.DispatchController) {
		this.controller = controller;
		connecting.delete(this);
		if (this.givenUp) return controller.abort(new Error('given up'));
		this.sent = true;
		this.deadline.add(this);
	}

	onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answer['headers']) {
		this.status = status;
		this.headers = headers;
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer) {
		this.size += chunk.length;
		if (this.size > MAX_ANSWER_SIZE) this.stop('tooLarge');
		else this.chunks.push(chunk);
	}

	onResponseEnd() {
		this.release();
		const text = Buffer.concat(this.chunks, this.size).toString('utf8');
		this.resolve({ status: this.status, headers: this.headers, text });
	}

	onResponseError(_controller: Dispatcher.DispatchController | null, error: Error) {
		this.release();
		this.reject(new ExchangeError(error, this.sent, this.stopped));
	}

	/** Ends the exchange. As long as its connection does not stand, undici has no way to, so that is not waited for. */
	stop(reason: StopReason) {
		this.stopped ??= reason;
		const error = new Error(reason);
		if (this.controller) this.controller.abort(error);
		else this.giveUp(error);
	}

	giveUpConnecting() {
		const code = 'UND_ERR_CONNECT_TIMEOUT';
		this.giveUp(Object.assign(new Error('No connection in time'), { code }));
	}

	private giveUp(error: Error) {
		this.givenUp = true;
		this.release();
		this.reject(new ExchangeError(error, false, this.stopped));
	}

	private release() {
		connecting.delete(this);
		this.deadline.delete(this);
		if (this.signal) underWay(this.signal).delete(this);
	}
}

/**
 * Ends what exchanges do when its time is up. One timer serves all that have the same time: one for each would stay
 * until its time is over, and cost more than half of the memory that a run over 100,000 items takes.
 */
class Deadline {
	/** When each began, in that order, and so in the order in which their time is up. */
	private readonly running = new Map<AnswerCollector, number>();

	private armed = false;

	constructor(
		private readonly timeout: number,
		private readonly end: (exchange: AnswerCollector) => void,
	) {}

	add(exchange: AnswerCollector) {
		this.running.set(exchange, performance.now());
		if (!this.armed) this.arm(this.timeout);
	}

	delete(exchange: AnswerCollector) {
		this.running.delete(exchange);
	}

	private arm(delay: number) {
		this.armed = true;
		AbortSignal.timeout(Math.ceil(delay)).addEventListener('abort', () => this.sweep());
	}

	private sweep() {
		this.armed = false;
		for (const [exchange, begin] of this.running) {
			const left = begin + this.timeout - performance.now();
			if (left > 0) return this.arm(left);
			this.running.delete(exchange);
			this.end(exchange);
		}
	}
}

const connecting = new Deadline(CONNECT_TIMEOUT, (exchange) => exchange.giveUpConnecting());
const deadlines = new Map<number, Deadline>();

function deadlineAfter(timeout: number): Deadline {
	const deadline = deadlines.get(timeout) ?? new Deadline(timeout, (exchange) => exchange.stop('timeout'));
	deadlines.set(timeout, deadline);
	return deadline;
}

const exchangesOf = new WeakMap<AbortSignal, Set<AnswerCollector>>();

/** The exchanges that a signal ends. They share one listener: Node.js warns of a leak at the eleventh. */
function underWay(signal: AbortSignal): Set<AnswerCollector> {
	let exchanges = exchangesOf.get(signal);
	if (!exchanges) {
		const added = new Set<AnswerCollector>();
		signal.addEventListener('abort', () => added.forEach((one) => one.stop('cancelled')), { once: true });
		exchangesOf.set(signal, added);
		exchanges = added;
	}
	return exchanges;
}

/**
 * Sends one request, once, and reads its whole answer. This is the only function that touches a socket.
 *
 * @param dispatcher carries the request
 * @param options what to send
 * @param timeout milliseconds from the first byte sent to the last byte read
 * @param signal ends the request when it is aborted
 * @throws {ExchangeError} if no whole answer came, or a larger one than {@link MAX_ANSWER_SIZE}
 */
export async function exchange(
	dispatcher: Dispatcher,
	options: Dispatcher.DispatchOptions,
	timeout: number,
	signal?: AbortSignal,
): Promise<Answer> {
	if (signal?.aborted) throw new ExchangeError(new Error('cancelled'), false, 'cancelled');
	return await new Promise((resolve, reject) => {
		// undici's own time limits are off: they cover the parts of an exchange, not the whole of it.
		dispatcher.dispatch(
			{ ...options, headersTimeout: 0, bodyTimeout: 0 },
			new AnswerCollector(deadlineAfter(timeout), signal, resolve, reject),
		);
	});
}
