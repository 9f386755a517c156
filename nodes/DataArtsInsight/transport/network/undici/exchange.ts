import type { Dispatcher } from 'undici';

import { BodyBuffer } from '../body';
import { type Abortable, abortedBy, deadlineAfter } from '../deadline';
import { decode } from '../decode';
import { ExchangeError, type StopReason } from '../failure';
import { type HttpRequest, type HttpResponse, MAX_BODY_SIZE } from '../network';
import { type Connection, MAX_HEADERS_SIZE } from './connection';

/**
 * The most bytes that are read for one response, headers and chunked framing included. Framing is no part of the body, but
 * costs memory and time as well.
 */
const MAX_WIRE_SIZE = 2 * MAX_BODY_SIZE + MAX_HEADERS_SIZE;

class AnswerCollector implements Dispatcher.DispatchHandler, Abortable {
	private controller?: Dispatcher.DispatchController;

	private sent = false;

	private stopped?: StopReason;

	private status = 0;

	private headers: HttpResponse['headers'] = {};

	private readonly body = new BodyBuffer();

	/** How many bytes the connection may have read in all before this response is too large. */
	private readonly lastByte: number;

	constructor(
		private readonly connection: Connection,
		private readonly timeout: number,
		private readonly signal: AbortSignal | undefined,
		private readonly resolve: (answer: HttpResponse | Promise<HttpResponse>) => void,
		private readonly reject: (error: ExchangeError) => void,
	) {
		this.lastByte = connection.bytesRead + MAX_WIRE_SIZE;
		connection.onBytes = () => {
			if (connection.bytesRead > this.lastByte) this.stop('tooLarge');
		};
		if (signal) abortedBy(signal).add(this);
	}

	/** The request is about to be written: before this, nothing was sent. */
	onRequestStart(controller: Dispatcher.DispatchController) {
		this.controller = controller;
		if (this.stopped) return controller.abort(new Error(this.stopped));
		this.sent = true;
		deadlineAfter(this.timeout).add(this);
	}

	onResponseStart(
		_controller: Dispatcher.DispatchController,
		status: number,
		headers: HttpResponse['headers'],
	) {
		this.status = status;
		this.headers = headers;
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer) {
		if (!this.body.add(chunk)) this.stop('tooLarge');
	}

	onResponseEnd() {
		this.release();
		const { status, headers } = this;
		const encoding = String(headers['content-encoding'] ?? '');
		const text = decode(this.body.bytes, encoding, MAX_BODY_SIZE);
		if (typeof text === 'string') return this.resolve({ status, headers, text });
		this.resolve(
			text.then(
				(text) => ({ status, headers, text }),
				(error: Error) => Promise.reject(new ExchangeError(error, true, 'tooLarge', MAX_BODY_SIZE)),
			),
		);
	}

	onResponseError(_controller: Dispatcher.DispatchController | null, error: Error & { code?: string }) {
		this.release();
		if (error.code === 'UND_ERR_HEADERS_OVERFLOW') this.stopped ??= 'headersTooLarge';
		this.reject(new ExchangeError(error, this.sent, this.stopped, limitOf(this.stopped)));
	}

	/** Aborts the request. Before anything is sent undici cannot abort, so the request is aborted when it would be sent. */
	stop(reason: StopReason) {
		this.stopped ??= reason;
		this.controller?.abort(new Error(reason));
	}

	private release() {
		this.connection.onBytes = undefined;
		deadlineAfter(this.timeout).delete(this);
		if (this.signal) abortedBy(this.signal).delete(this);
	}
}

/** @returns the size that a response has passed, in bytes, if it was cut off for that */
function limitOf(stopped?: StopReason): number | undefined {
	if (stopped === 'tooLarge') return MAX_BODY_SIZE;
	return stopped === 'headersTooLarge' ? MAX_HEADERS_SIZE : undefined;
}

/**
 * Sends one request, once, and reads its whole response.
 *
 * @param connection carries the request, and no other until it has ended
 * @param timeout milliseconds from the first byte sent to the last byte read
 * @param signal ends the request when it is aborted
 * @throws {ExchangeError} if no whole response came, or a larger one than {@link MAX_BODY_SIZE}
 */
export async function exchange(
	connection: Connection,
	{ method, path, headers, body }: Omit<HttpRequest, 'origin'>,
	timeout: number,
	signal?: AbortSignal,
): Promise<HttpResponse> {
	if (signal?.aborted) throw new ExchangeError(new Error('cancelled'), false, 'cancelled');
	return await new Promise((resolve, reject) => {
		connection.client.dispatch(
			{ method, path, headers, body },
			new AnswerCollector(connection, timeout, signal, resolve, reject),
		);
	});
}
