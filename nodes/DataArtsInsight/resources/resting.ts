/** The shortest time between two looks through all that rests, in milliseconds: there may be very many. */
const LOOK = 20;

/** Requests that are to be sent again later. Meanwhile they hold no connection and no other item back. */
export class Resting<Request> {
	private readonly requests = new Map<number, { request: Request; due: number }>();

	/** The items that are due, the earliest last. */
	private due: number[] = [];

	/** When the next item may be due, by `performance.now()`. */
	private nextDue = Infinity;

	get size(): number {
		return this.requests.size;
	}

	/** Milliseconds until the next item may be due. */
	get left(): number {
		return this.due.length > 0 ? 0 : this.nextDue - performance.now();
	}

	/** @param after milliseconds */
	add(itemIndex: number, request: Request, after: number) {
		const due = performance.now() + after;
		this.requests.set(itemIndex, { request, due });
		this.nextDue = Math.min(this.nextDue, due);
	}

	/**
	 * Takes the item that has been due for the longest time.
	 *
	 * @param all whether those count as well that are not due yet
	 */
	take(all = false): { itemIndex: number; request: Request } | undefined {
		if (this.due.length === 0 && (all || this.left <= 0)) this.look(all);
		const itemIndex = this.due.pop();
		const resting = itemIndex === undefined ? undefined : this.requests.get(itemIndex);
		if (itemIndex === undefined || !resting) return undefined;
		this.requests.delete(itemIndex);
		return { itemIndex, request: resting.request };
	}

	private look(all: boolean) {
		const now = performance.now();
		const due: Array<{ itemIndex: number; due: number }> = [];
		let next = Infinity;
		for (const [itemIndex, resting] of this.requests) {
			if (all || resting.due <= now) due.push({ itemIndex, due: resting.due });
			else next = Math.min(next, resting.due);
		}
		this.due = due.sort((a, b) => b.due - a.due).map(({ itemIndex }) => itemIndex);
		this.nextDue = Math.max(next, now + LOOK);
	}
}
