import { type IDataObject, type IExecuteFunctions, type INodeExecutionData, sleep } from 'n8n-workflow';

import { InputError, RequestError, wait } from '../transport';
import { toNodeError } from './nodeError';

/** How long items may be read before other work of n8n gets its turn, in milliseconds. */
const TURN = 50;

/** How often to look whether a request is due to be sent again, in milliseconds. */
const LOOK = 100;

/** How an operation handles its items. */
export interface ItemHandler<Request> {
	/** The most requests that are under way at the same time. */
	maxConcurrency: number;
	/** Reads an item's parameters. Throws if they cannot be used: then nothing is sent for the item. */
	read: (itemIndex: number) => Request;
	/** Makes the call. */
	send: (request: Request) => Promise<Sent>;
}

export interface Sent {
	/** What the item becomes. */
	json: IDataObject;
	/** Milliseconds after which to send the request again instead, since the answer is going to change. */
	sendAgainAfter?: number;
}

/** What items became in a try that did not succeed as a whole, by the run of the node that n8n may try again. */
const earlierTries = new WeakMap<object, Array<INodeExecutionData | undefined>>();

/**
 * Makes one item out of each input item, in the same order and paired with it. The next item's parameters
 * are read while earlier requests are under way.
 *
 * With *Continue On Fail* an item that failed becomes `{ error, details }`, which n8n moves to the error
 * output if there is one, and the others go on. Without it the first failed item ends the run: nothing more
 * is sent, and what is under way is awaited.
 *
 * n8n's *Retry On Fail* runs the node again for all items, also with *Continue On Fail*. What an item became
 * in an earlier try is taken from there, and only the items that failed or were not sent are handled again.
 *
 * @param prepare gets ready what all items share; where that fails, every item fails
 * @throws the first item's NodeApiError or NodeOperationError, unless the node continues on fail
 */
export async function runItems<Request>(
	context: IExecuteFunctions,
	prepare: () => Promise<ItemHandler<Request>>,
): Promise<INodeExecutionData[]> {
	const total = context.getInputData().length;
	const continueOnFail = context.continueOnFail();
	const cancelled = context.getExecutionCancelSignal();
	const nodeRun = context.getExecuteData();
	const succeeded = earlierTries.get(nodeRun) ?? new Array<INodeExecutionData | undefined>(total);
	const failed = new Map<number, INodeExecutionData>();

	let handler: ItemHandler<Request>;
	try {
		handler = await prepare();
	} catch (error) {
		if (!continueOnFail) throw toNodeError(context.getNode(), error, 0);
		return Array.from(succeeded, (item, itemIndex) => item ?? failedItem(error, itemIndex));
	}

	let first: { error: unknown; itemIndex: number } | undefined;
	/** Requests to send again and when, by `performance.now()`: they hold no connection and no other item back. */
	const resting = new Map<number, { request: Request; due: number }>();
	let underWay = 0;
	let onFinished = () => {};
	const oneFinished = async () => await new Promise<void>((resolve) => (onFinished = resolve));

	function fail(error: unknown, itemIndex: number) {
		failed.set(itemIndex, failedItem(error, itemIndex));
		if (!continueOnFail || cancelled?.aborted) first ??= { error, itemIndex };
	}

	async function send(request: Request, itemIndex: number) {
		underWay++;
		resting.delete(itemIndex);
		try {
			const { json, sendAgainAfter } = await handler.send(request);
			if (sendAgainAfter === undefined) succeeded[itemIndex] = { json, pairedItem: { item: itemIndex } };
			else resting.set(itemIndex, { request, due: performance.now() + sendAgainAfter });
		} catch (error) {
			fail(error, itemIndex);
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

	for (let itemIndex = 0; itemIndex < total && !first; itemIndex++) {
		if (succeeded[itemIndex]) continue;
		if (performance.now() - turnStarted > TURN) {
			await sleep(0);
			turnStarted = performance.now();
		}
		let request: Request;
		try {
			request = handler.read(itemIndex);
		} catch (error) {
			fail(error, itemIndex);
			continue;
		}
		await sendInTurn(request, itemIndex);
	}
	while (!first && underWay + resting.size > 0) {
		const now = performance.now();
		// Once the execution was stopped sending fails before anything leaves, and that ends the run.
		const next = [...resting].filter(([, { due }]) => due <= now || cancelled?.aborted);
		for (const [itemIndex, { request }] of next) await sendInTurn(request, itemIndex);
		if (next.length > 0) continue;
		if (resting.size > 0) await wait(LOOK, cancelled);
		else await oneFinished();
	}
	while (underWay > 0) await oneFinished();

	if (failed.size > 0) earlierTries.set(nodeRun, succeeded);
	if (first) {
		const completed = succeeded.filter(Boolean).length;
		const notSent = total - completed - failed.size - resting.size;
		const waiting = resting.size > 0 ? `, ${resting.size} still waiting` : '';
		const progress = `Of ${total} items: ${completed} completed, ${notSent} not sent${waiting}`;
		throw toNodeError(context.getNode(), first.error, first.itemIndex, total > 1 ? progress : undefined);
	}
	return Array.from(succeeded, (item, itemIndex) => item ?? (failed.get(itemIndex) as INodeExecutionData));
}

/** The one shape that n8n's engine takes for a failed item and moves to the error output. */
function failedItem(error: unknown, itemIndex: number): INodeExecutionData {
	const message = error instanceof Error ? error.message : String(error);
	const details: IDataObject =
		error instanceof RequestError ? { ...error.details } : { code: 'INVALID_INPUT', outcomeUnknown: false };
	if (error instanceof RequestError || error instanceof InputError) details.description = error.description;
	return { json: { error: message, details }, pairedItem: { item: itemIndex } };
}
