/**
 * The shortest time between two scans of the requests that are not due yet, in milliseconds. There may be tens of
 * thousands of them.
 */
const SCAN_INTERVAL = 20;

interface Delayed<Request> {
	request: Request;
	/** By `performance.now()`. */
	dueAt: number;
}

/** Requests that are to be sent again later. Meanwhile they hold no connection and delay no other request. */
export class DelayQueue<Request> {
	/** The requests that were not due at the last scan. */
	private delayed: Array<Delayed<Request>> = [];

	/** The requests that were due at the last scan, the earliest last. */
	private due: Array<Delayed<Request>> = [];

	/** When the next scan may find a due request, by `performance.now()`. */
	private nextScan = Infinity;

	get size(): number {
		return this.delayed.length + this.due.length;
	}

	/** Milliseconds until the next request may be due. */
	get left(): number {
		return this.due.length > 0 ? 0 : this.nextScan - performance.now();
	}

	/** @param delay milliseconds until the request is due */
	add(request: Request, delay: number) {
		const dueAt = performance.now() + delay;
		this.delayed.push({ request, dueAt });
		this.nextScan = Math.min(this.nextScan, dueAt);
	}

	/**
	 * Takes the request that has been due for the longest time.
	 *
	 * @param all whether requests count as well that are not due yet
	 */
	take(all = false): Request | undefined {
		if (this.due.length === 0 && (all || this.left <= 0)) this.scan(all);
		return this.due.pop()?.request;
	}

	private scan(all: boolean) {
		const now = performance.now();
		const delayed: Array<Delayed<Request>> = [];
		let earliest = Infinity;
		for (const one of this.delayed) {
			if (all || one.dueAt <= now) this.due.push(one);
			else {
				delayed.push(one);
				earliest = Math.min(earliest, one.dueAt);
			}
		}
		this.due.sort((a, b) => b.dueAt - a.dueAt);
		this.delayed = delayed;
		this.nextScan = Math.max(earliest, now + SCAN_INTERVAL);
	}
}
