import { type IDataObject, type IExecuteFunctions, type INodeExecutionData, sleep } from 'n8n-workflow';

import { InputError, RequestError } from '../transport/errors/errors';
import { wait } from '../transport/pace';
import { EarlierTries, isTool } from './earlierTries';
import { toNodeError } from './nodeError';
import { DelayQueue } from './delayQueue';

/** How long items may be read before other work of n8n gets its turn, in milliseconds. */
const TURN = 50;

/** How often to look whether the execution was stopped while requests rest, in milliseconds. */
const LOOK = 100;

/** How an operation handles its items. */
export interface ItemHandler<Request> {
	/** The most requests that are under way at the same time. */
	maxConcurrency: number;
	/** Reads an item's parameters. Throws if they cannot be used: then nothing is sent for the item. */
	read: (itemIndex: number) => Request | Promise<Request>;
	/** Makes the call. */
	send: (request: Request) => Promise<Sent>;
	/** All that decides what is sent and what comes of it: two requests with the same text are equal. */
	identify: (request: Request) => string;
}

export interface Sent {
	/** What the item becomes. */
	json: IDataObject;
	/** Milliseconds after which to send the request again instead, since the answer is going to change. */
	sendAgainAfter?: number;
}

/**
 * Makes one item out of each input item, in the same order and paired with it. The next item's parameters
 * are read while earlier requests are under way. Requests that are due again and new ones take turns, so that
 * neither has to wait until the others are done.
 *
 * With *Continue On Fail* an item that failed becomes `{ error, details }`, which n8n moves to the error
 * output if there is one, and the others go on; a tool of an agent always does so. Without it the first failed
 * item ends the run: nothing more is sent, and what is under way is awaited.
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
	const cancelled = context.getExecutionCancelSignal();
	const node = context.getNode();
	// Of what a tool throws an agent learns the message at most, and of a failed item all.
	const continueOnFail = context.continueOnFail() || isTool(node);
	const earlier = EarlierTries.of(context);
	const succeeded = new Array<INodeExecutionData | undefined>(total);
	const failed = new Map<number, INodeExecutionData>();

	let handler: ItemHandler<Request>;
	try {
		handler = await prepare();
	} catch (error) {
		if (!continueOnFail) throw toNodeError(node, error, 0);
		return Array.from(succeeded, (_, index) => earlier?.get(index) ?? failedItem(error, index));
	}

	let first: { error: unknown; itemIndex: number } | undefined;
	const resting = new DelayQueue<Request>();
	let underWay = 0;
	let onFinished = () => {};
	const oneFinished = async () => await new Promise<void>((resolve) => (onFinished = resolve));

	function fail(error: unknown, itemIndex: number) {
		failed.set(itemIndex, failedItem(error, itemIndex));
		if (!continueOnFail || cancelled?.aborted) first ??= { error, itemIndex };
	}

	async function send(request: Request, itemIndex: number) {
		underWay++;
		try {
			const { json, sendAgainAfter } = await handler.send(request);
			if (sendAgainAfter === undefined) {
				const item = { json, pairedItem: { item: itemIndex } };
				succeeded[itemIndex] = item;
				earlier?.add(itemIndex, handler.identify(request), item);
			} else resting.add(itemIndex, request, sendAgainAfter);
		} catch (error) {
			fail(foreseen(error) ? error : unforeseen(error), itemIndex);
		}
		underWay--;
		onFinished();
	}

	let turnStarted = performance.now();
	async function sendInTurn(request: Request, itemIndex: number) {
		while (underWay >= handler.maxConcurrency) {
			await oneFinished();
			turnStarted = performance.now();
		}
		if (!first) void send(request, itemIndex);
	}

	async function begin(itemIndex: number) {
		if (performance.now() - turnStarted > TURN) {
			await sleep(0);
			turnStarted = performance.now();
		}
		let request: Request;
		try {
			request = await handler.read(itemIndex);
		} catch (error) {
			return fail(error, itemIndex);
		}
		succeeded[itemIndex] = earlier?.get(itemIndex, handler.identify(request));
		if (!succeeded[itemIndex]) await sendInTurn(request, itemIndex);
	}

	let next = 0;
	let again = false;
	while (!first) {
		again = !again;
		// Once the execution was stopped sending fails before anything leaves, and that ends the run.
		const due = again ? resting.take(cancelled?.aborted) : undefined;
		if (due) await sendInTurn(due.request, due.itemIndex);
		else if (next < total) await begin(next++);
		else if (resting.size > 0) {
			await Promise.race([wait(Math.min(LOOK, resting.left), cancelled), oneFinished()]);
		} else if (underWay > 0) await oneFinished();
		else break;
	}
	while (underWay > 0) await oneFinished();

	if (first) {
		const completed = succeeded.filter(Boolean).length;
		const notSent = total - completed - failed.size - resting.size;
		const waiting = resting.size > 0 ? `, ${resting.size} still waiting` : '';
		const progress = `Of ${total} items: ${completed} completed, ${notSent} not sent${waiting}`;
		throw toNodeError(node, first.error, first.itemIndex, total > 1 ? progress : undefined);
	}
	if (failed.size === 0) earlier?.forget();
	return Array.from(succeeded, (item, itemIndex) => item ?? (failed.get(itemIndex) as INodeExecutionData));
}

function foreseen(error: unknown): error is InputError | RequestError {
	return error instanceof InputError || error instanceof RequestError;
}

/** Nobody knows where this error comes from, so nobody can tell whether the request had left before. */
function unforeseen(error: unknown): RequestError {
	const name = error instanceof Error ? error.name : typeof error;
	return new RequestError(
		`The call ended in a way that this node does not know (${name})`,
		'If it happens again, report it to the maintainers of this package',
		{ code: 'UNKNOWN', outcomeUnknown: true },
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
