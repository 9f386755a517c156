import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { InputError, RequestError } from '../transport/errors/errors';
import { EarlierTries, isTool } from './earlierTries';
import { toNodeError } from './nodeError';
import { schedule } from './schedule';

/** How an operation handles its items. */
export interface ItemHandler<Request> {
	/** The most requests in flight at the same time. */
	maxConcurrency: number;
	/** Reads an item's parameters. Throws if they cannot be used: then nothing is sent for the item. */
	read: (itemIndex: number) => Request | Promise<Request>;
	/** Sends the request. */
	send: (request: Request) => Promise<Sent>;
	/**
	 * Given only by an operation that creates or changes something: what to say where nobody can tell whether a request
	 * did, as a sentence without its full stop.
	 */
	doubt?: string;
	/** All that decides what is sent and what comes of it: two requests with the same text are equal. */
	identify: (request: Request) => string;
}

export interface Sent {
	/** What the item becomes; a list makes an item of each of its records. */
	json: IDataObject | IDataObject[];
	/** Milliseconds after which to send the request again instead, since the response is going to change. */
	sendAgainAfter?: number;
}

/**
 * Makes one item out of each input item, or one out of each record that it brings, in the same order and paired with it.
 * {@link schedule} says which requests are
 * in flight at the same time and which are read ahead.
 *
 * With *Continue On Fail* an item that failed becomes `{ error, details }`, which n8n moves to the error
 * output if there is one, and the others go on; a tool of an agent always does so. Without it the first failed
 * item ends the run: nothing more is sent, and what is in flight is awaited. So does a failed item of an execution that
 * was stopped. The error tells how many items were completed and how many were not sent, among them those that were
 * read ahead.
 *
 * n8n's *Retry On Fail* runs the node again for all items, also with *Continue On Fail*. What an equal request
 * became in an earlier try is taken from there, and only the items that failed or were not sent are handled again.
 *
 * @param prepare gets ready what all items share; where that fails, every item fails
 * @throws the first item's NodeApiError or NodeOperationError, unless the node continues on fail
 */
export async function runItems<Request>(
	context: IExecuteFunctions,
	prepare: () => Promise<ItemHandler<Request>>,
): Promise<INodeExecutionData[]> {
	const total = context.getInputData().length;
	const signal = context.getExecutionCancelSignal();
	const node = context.getNode();
	// Of what a tool throws an agent learns the message at most, and of a failed item all.
	const continueOnFail = context.continueOnFail() || isTool(node);
	const earlier = EarlierTries.of(context);
	const completed = new Array<INodeExecutionData[] | undefined>(total);
	const failed = new Map<number, INodeExecutionData>();

	let handler: ItemHandler<Request>;
	try {
		handler = await prepare();
	} catch (error) {
		if (!continueOnFail) throw toNodeError(node, error, 0);
		return Array.from(completed, (_, index) => earlier?.get(index) ?? [failedItem(error, index)]).flat();
	}

	let firstError: { error: unknown; itemIndex: number } | undefined;
	const stillWaiting = await schedule<Request>({
		total,
		maxConcurrency: handler.maxConcurrency,
		signal,
		read: async (itemIndex) => {
			const request = await handler.read(itemIndex);
			completed[itemIndex] = earlier?.get(itemIndex, handler.identify(request));
			return completed[itemIndex] ? undefined : request;
		},
		send: async (request, itemIndex) => {
			try {
				const { json, sendAgainAfter } = await handler.send(request);
				if (sendAgainAfter !== undefined) return sendAgainAfter;
				const items = [json].flat().map((record) => ({ json: record, pairedItem: { item: itemIndex } }));
				completed[itemIndex] = items;
				earlier?.add(itemIndex, handler.identify(request), items);
				return undefined;
			} catch (error) {
				throw foreseen(error) ? error : unforeseen(error, handler.doubt);
			}
		},
		onError: (error, itemIndex) => {
			failed.set(itemIndex, failedItem(error, itemIndex));
			if (continueOnFail && !signal?.aborted) return false;
			firstError ??= { error, itemIndex };
			return true;
		},
	});

	if (firstError) {
		const done = completed.filter(Boolean).length;
		const notSent = total - done - failed.size - stillWaiting;
		const waiting = stillWaiting > 0 ? `, ${stillWaiting} still waiting` : '';
		const progress = `Of ${total} items: ${done} completed, ${notSent} not sent${waiting}`;
		throw toNodeError(node, firstError.error, firstError.itemIndex, total > 1 ? progress : undefined);
	}
	const items = Array.from(
		completed,
		(itemsOfOne, itemIndex) => itemsOfOne ?? [failed.get(itemIndex) as INodeExecutionData],
	).flat();
	if (failed.size === 0 && !looksFailed(items)) earlier?.forget();
	return items;
}

/**
 * Whether n8n takes what a try has given for a failure: it looks for an `error` in the first item, and some records of
 * Huawei Cloud have a field of that name that is an empty list where all is well.
 */
function looksFailed([first]: INodeExecutionData[]): boolean {
	return ![undefined, null, false].some((none) => none === first?.json.error);
}

function foreseen(error: unknown): error is InputError | RequestError {
	return error instanceof InputError || error instanceof RequestError;
}

/** Nobody knows where this error comes from, so nobody can tell whether the request was sent before. */
function unforeseen(error: unknown, doubt?: string): RequestError {
	const name = error instanceof Error ? error.name : typeof error;
	return new RequestError(
		`The request ended in a way that this node does not know (${name})`,
		'If it happens again, report it to the maintainers of this package',
		{ code: 'UNKNOWN', outcomeUnknown: doubt !== undefined },
		{ notes: doubt === undefined ? [] : [doubt] },
	);
}

/** The one shape that n8n's engine takes for a failed item and moves to the error output. */
function failedItem(error: unknown, itemIndex: number): INodeExecutionData {
	const message = error instanceof Error ? error.message : String(error);
	const details: IDataObject =
		error instanceof RequestError ? { ...error.details } : { code: 'INVALID_INPUT', outcomeUnknown: false };
	if (foreseen(error)) details.description = error.description;
	return { json: { error: message, details }, pairedItem: { item: itemIndex } };
}
