/** The shortest time between two looks through all that rests, in milliseconds: there may be very many. */
const LOOK = 20;

interface Rest<Request> {
	itemIndex: number;
	request: Request;
	/** By `performance.now()`. */
	due: number;
}

/** Requests that are to be sent again later. Meanwhile they hold no connection and no other item back. */
export class DelayQueue<Request> {
	/** Those that were not due when they were looked through. */
	private waiting: Array<Rest<Request>> = [];

	/** Those that are due, the earliest last. */
	private due: Array<Rest<Request>> = [];

	/** When the next item may be due, by `performance.now()`. */
	private nextDue = Infinity;

	get size(): number {
		return this.waiting.length + this.due.length;
	}

	/** Milliseconds until the next item may be due. */
	get left(): number {
		return this.due.length > 0 ? 0 : this.nextDue - performance.now();
	}

	/** @param after milliseconds */
	add(itemIndex: number, request: Request, after: number) {
		const due = performance.now() + after;
		this.waiting.push({ itemIndex, request, due });
		this.nextDue = Math.min(this.nextDue, due);
	}

	/**
	 * Takes the item that has been due for the longest time.
	 *
	 * @param all whether those count as well that are not due yet
	 */
	take(all = false): { itemIndex: number; request: Request } | undefined {
		if (this.due.length === 0 && (all || this.left <= 0)) this.look(all);
		return this.due.pop();
	}

	private look(all: boolean) {
		const now = performance.now();
		const waiting: Array<Rest<Request>> = [];
		let next = Infinity;
		for (const rest of this.waiting) {
			if (all || rest.due <= now) this.due.push(rest);
			else {
				waiting.push(rest);
				next = Math.min(next, rest.due);
			}
		}
		this.due.sort((a, b) => b.due - a.due);
		this.waiting = waiting;
		this.nextDue = Math.max(next, now + LOOK);
	}
}
