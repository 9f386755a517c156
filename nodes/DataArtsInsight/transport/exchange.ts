import type { Dispatcher } from 'undici';

/** The largest answer that is read, in bytes; the service's own are about one kilobyte. */
export const MAX_ANSWER_SIZE = 1024 * 1024;

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

	/** When the first byte was sent, on the clock of `performance.now()`. */
	private sentAt?: number;

	private ended = false;

	private stopped?: StopReason;

	private status = 0;

	private headers: Answer['headers'] = {};

	private readonly chunks: Buffer[] = [];

	private size = 0;

	constructor(
		private readonly timeout: number,
		private readonly signal: AbortSignal | undefined,
		private readonly resolve: (answer: Answer) => void,
		private readonly reject: (error: ExchangeError) => void,
	) {
		if (signal) underWay(signal).add(this);
	}

	/** The connection stands and the request is about to be written: before this, nothing was sent. */
	onRequestStart(controller: Dispatcher.DispatchController) {
		this.controller = controller;
		if (this.stopped) return controller.abort(new Error(this.stopped));
		this.sentAt = performance.now();
	}

	onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answer['headers']) {
		this.status = status;
		this.headers = headers;
		// As a rule the body comes along, and is read before this runs.
		queueMicrotask(() => this.watchBody());
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

	onResponseError(_controller: Dispatcher.DispatchController | null, error: Error & { code?: string }) {
		this.release();
		if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(error.code ?? '')) this.stopped ??= 'timeout';
		this.reject(new ExchangeError(error, this.sentAt !== undefined, this.stopped));
	}

	/** Ends an answer whose body drips or does not come: undici only watches for the time between two parts of it. */
	private watchBody() {
		if (this.ended || this.sentAt === undefined) return;
		const left = Math.max(0, this.timeout - (performance.now() - this.sentAt));
		AbortSignal.timeout(Math.ceil(left)).addEventListener('abort', () => this.stop('timeout'));
	}

	/** Ends the exchange; if its connection does not stand yet, as soon as it does, before anything is sent. */
	stop(reason: StopReason) {
		this.stopped ??= reason;
		if (!this.ended) this.controller?.abort(new Error(reason));
	}

	private release() {
		this.ended = true;
		if (this.signal) underWay(this.signal).delete(this);
	}
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
		// undici shares its timers among requests. One of our own for each would cost more than half of the memory
		// that a run over 100,000 items takes.
		dispatcher.dispatch(
			{ ...options, headersTimeout: timeout, bodyTimeout: timeout },
			new AnswerCollector(timeout, signal, resolve, reject),
		);
	});
}
