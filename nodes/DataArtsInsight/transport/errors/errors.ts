/** A value that somebody entered and that cannot be used: nothing was sent. */
export class InputError extends Error {
	/**
	 * @param message names the field and says what is wrong with it
	 * @param description says what to do
	 */
	constructor(
		message: string,
		readonly description: string,
	) {
		super(message);
	}
}

/** What can be told apart about a failed request, for the nodes that follow. */
export interface RequestErrorDetails {
	/** The service's own code, or ours in capitals where it gave none. */
	code: string;
	httpStatus?: number;
	requestId?: string;
	/** Whether the request may have created or changed something nonetheless. */
	outcomeUnknown: boolean;
}

/** How a request may be sent again, because the service cannot have acted on it. */
export interface Retry {
	/** Whether the service takes no requests at all for the moment. */
	throttled: boolean;
	/** Milliseconds that the service asks to wait. */
	after?: number;
}

/** What an error may say beside what happened. */
interface Circumstances {
	/** Given only if the request may be sent again. */
	retry?: Retry;
	/** What else has to be said, as sentences without their full stops. */
	notes?: readonly string[];
	/** How often the request was sent. */
	attempts?: number;
}

/** A request that was refused, or that brought no response that can be used. It is never changed, only copied. */
export class RequestError extends Error {
	readonly retry?: Readonly<Retry>;

	private readonly notes: readonly string[];

	private readonly attempts: number;

	/**
	 * @param message what happened
	 * @param advice what to do, as a sentence without its full stop
	 * @param details what a workflow can act on
	 */
	constructor(
		message: string,
		readonly advice: string,
		readonly details: Readonly<RequestErrorDetails>,
		{ retry, notes = [], attempts = 1 }: Circumstances = {},
	) {
		super(message);
		this.retry = retry;
		this.notes = notes;
		this.attempts = attempts;
	}

	get description(): string {
		const sentences = [this.advice, ...this.notes];
		if (this.attempts > 1) sentences.push(`Tried ${this.attempts} times`);
		if (this.details.requestId) sentences.push(`Request ID: ${this.details.requestId}`);
		return sentences.join('. ');
	}

	/** @returns the same error with something changed; notes are added to those that it has */
	with({
		message = this.message,
		advice = this.advice,
		details = this.details,
		notes = [],
		...changed
	}: Circumstances & {
		message?: string;
		advice?: string;
		details?: RequestErrorDetails;
	}): RequestError {
		const { retry, attempts } = this;
		return new RequestError(message, advice, details, {
			retry,
			attempts,
			notes: [...this.notes, ...notes],
			...changed,
		});
	}
}

/** What the words of a request's errors depend on, beside what happened. */
export interface RequestContext {
	/** What no error may show, even if the service repeats it. */
	secrets: readonly string[];
	/** What to do if the service does not accept who calls, as a sentence without its full stop. */
	unauthorized: (headers: Record<string, string | string[] | undefined>) => string;
	/**
	 * Given only with a request that creates or changes something: what to say where nobody can tell whether it did, as a
	 * sentence without its full stop.
	 */
	doubt?: string;
	/** What the caller can do, where it can do something of its own. */
	advice?: Advice;
}

/** What a caller can do about a failed request, as sentences without their full stops. */
export interface Advice {
	/** The response took too long. */
	timeout?: string;
	/** The service takes no more requests for the moment. */
	throttled?: string;
	/** The service does not find what was asked for. */
	notFound?: string;
	/** The service refuses the values of the request. */
	invalid?: string;
	/** The caller lacks a permission. */
	forbidden?: string;
}
