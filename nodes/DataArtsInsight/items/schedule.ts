import { sleep } from 'n8n-workflow';

import { inputAndOutput, wait } from '../transport/pace';
import { DelayQueue } from './delayQueue';

/** After how many milliseconds other work of the process gets a turn on the event loop. */
const TURN = 50;

/** A wait of more milliseconds than this was one for input or output, in which other work had its turn. */
const REAL_WAIT = 5;

/** One request for each index from 0 to `total - 1`. */
export interface Work<Request> {
	total: number;
	/** The most requests in flight at the same time, and the most that are read ahead. */
	maxConcurrency: number;
	/** Gets a request ready. `undefined` says that there is nothing to send for this index. */
	read: (index: number) => Promise<Request | undefined>;
	/** Sends a request. A number says after how many milliseconds it is to be sent again. */
	send: (request: Request, index: number) => Promise<number | undefined>;
	/** Takes what `read` or `send` threw. Says whether to stop: then nothing more is read or sent. */
	onError: (error: unknown, index: number) => boolean;
	/** Once it is aborted, every delayed request is due: `send` can refuse it and `onError` can stop. */
	signal?: AbortSignal;
}

/**
 * Reads and sends requests in the order of their indices, some of them at the same time.
 *
 * - Up to `maxConcurrency` requests are in flight. Up to as many more are read ahead, one after the other, so that a
 *   request that ends is followed by the next at once. Nothing else is kept, however many requests there are.
 * - Requests that are due again and new ones take turns, so that neither has to wait until all of the others are done.
 * - A request that cannot be read fails in its turn: once all requests before it have been started. Until then no
 *   further one is read. So reading ahead changes neither what is sent before an error nor which error comes first.
 * - After a stop the requests in flight are awaited.
 * - Other work of the process gets a turn on the event loop about every 50 ms, even where all requests end without one.
 *
 * @returns how many requests were still to be sent again when the work was stopped
 */
export async function schedule<Request>(work: Work<Request>): Promise<number> {
	return await new Schedule(work).run();
}

interface Entry<Request> {
	index: number;
	request: Request;
}

class Schedule<Request> {
	/** Requests that were read and not started yet. */
	private readonly ahead: Array<Entry<Request>> = [];

	/** Requests that are to be sent again. */
	private readonly delayed = new DelayQueue<Entry<Request>>();

	private nextIndex = 0;

	private reading = false;

	/** The request that could not be read, until it is its turn to fail. */
	private unreadable?: { error: unknown; index: number };

	private inFlight = 0;

	/** Whether the next free place belongs to a request that is due again. */
	private dueFirst = false;

	private stopped = false;

	/** Lets {@link run} go on. */
	private wake = () => {};

	constructor(private readonly work: Work<Request>) {}

	/**
	 * The only place that waits. Whatever happens calls `wake`, and then all that can be done is done. The promise is made
	 * before anything is started, so that nothing can happen unnoticed between a look at the state and the wait.
	 */
	async run(): Promise<number> {
		const { signal } = this.work;
		const onAbort = () => this.wake();
		signal?.addEventListener('abort', onAbort);
		let turnStarted = performance.now();
		for (;;) {
			const change = new Promise<void>((resolve) => (this.wake = resolve));
			this.start();
			this.readAhead();
			if (this.isOver()) break;
			const now = performance.now();
			const isTurnOver = now - turnStarted > TURN;
			// Requests that end without any input or output would else keep the event loop for themselves.
			await (isTurnOver ? sleep(0) : this.changeOrDue(change));
			if (isTurnOver || performance.now() - now > REAL_WAIT) turnStarted = performance.now();
		}
		signal?.removeEventListener('abort', onAbort);
		return this.delayed.size;
	}

	private isOver(): boolean {
		if (this.inFlight > 0 || this.reading) return false;
		// With nothing in flight and nothing being read, all is read and started but what is delayed or waits to fail.
		return this.stopped || (!this.unreadable && this.delayed.size === 0);
	}

	/** Starts as many requests as there is room for, and lets an unreadable one fail if it is its turn. */
	private start() {
		while (!this.stopped && this.inFlight < this.work.maxConcurrency) {
			const entry = this.take();
			if (!entry) break;
			void this.send(entry);
		}
		if (!this.stopped && this.unreadable && this.ahead.length === 0) {
			const { error, index } = this.unreadable;
			this.unreadable = undefined;
			this.fail(error, index);
		}
	}

	private take(): Entry<Request> | undefined {
		this.dueFirst = !this.dueFirst;
		if (this.dueFirst) return this.takeDue() ?? this.ahead.shift();
		return this.ahead.shift() ?? this.takeDue();
	}

	private takeDue(): Entry<Request> | undefined {
		return this.delayed.take(this.work.signal?.aborted);
	}

	private async send(entry: Entry<Request>) {
		this.inFlight++;
		try {
			const delay = await this.work.send(entry.request, entry.index);
			if (delay !== undefined) this.delayed.add(entry, delay);
		} catch (error) {
			this.fail(error, entry.index);
		}
		this.inFlight--;
		this.wake();
	}

	/** Begins to read the next request, unless enough is read. */
	private readAhead() {
		const { total, maxConcurrency } = this.work;
		if (this.stopped || this.reading || this.unreadable) return;
		if (this.nextIndex < total && this.ahead.length < maxConcurrency) void this.read(this.nextIndex++);
	}

	private async read(index: number) {
		this.reading = true;
		try {
			// A request is ready for the next free place, so responses that have come meanwhile are handled first.
			if (this.ahead.length > 0) await inputAndOutput();
			const request = this.stopped ? undefined : await this.work.read(index);
			if (request !== undefined) this.ahead.push({ index, request });
		} catch (error) {
			this.unreadable = { error, index };
		}
		this.reading = false;
		this.wake();
	}

	private fail(error: unknown, index: number) {
		if (this.work.onError(error, index)) this.stopped = true;
	}

	/** Waits for a change, and where there is room for a delayed request, no longer than until one is due. */
	private async changeOrDue(change: Promise<void>) {
		const room = !this.stopped && this.inFlight < this.work.maxConcurrency;
		if (!room || this.delayed.size === 0) return await change;
		const alarm = new AbortController();
		await Promise.race([change, wait(this.delayed.left, alarm.signal)]);
		alarm.abort();
	}
}
