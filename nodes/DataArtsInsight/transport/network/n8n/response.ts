import { BodyBuffer } from '../body';
import { decode } from '../decode';
import { ExchangeError } from '../failure';
import { type HttpResponse, MAX_BODY_SIZE } from '../network';

/** The part of the helper's full response that is read here. */
export interface HelperResponse {
	statusCode: number;
	headers?: HttpResponse['headers'];
	/** A stream, as it was asked for. Whoever answers in the place of a service, such as n8n's evaluations, may give a value. */
	body: unknown;
}

type BodyStream = AsyncIterable<Uint8Array> & { destroy: () => void };

/**
 * Proxy Authentication Required. What a proxy answers that makes no connection looks like a response of the service, and
 * this is the one status that only a proxy has.
 */
const REFUSED_BY_PROXY = 407;

/**
 * Reads the response that n8n's request helper gave.
 *
 * @param abandoned aborted when nobody waits for the response any more
 * @throws {ExchangeError} if it is too large, or is the refusal of a proxy
 * @throws whatever goes wrong in the stream
 */
export async function readResponse(
	origin: string,
	{ statusCode: status, headers = {}, body }: HelperResponse,
	abandoned: AbortSignal,
): Promise<HttpResponse> {
	if (status === REFUSED_BY_PROXY && origin.startsWith('https:')) {
		if (isStream(body)) body.destroy();
		const refusal = { code: 'PROXY_REFUSED', answer: `HTTP status ${status}`, reached: false };
		throw new ExchangeError(Object.assign(new Error('refused'), refusal), false);
	}
	if (!isStream(body)) return { status, headers: { ...headers }, text: textOf(body) };
	if (abandoned.aborted) body.destroy();
	abandoned.addEventListener('abort', () => body.destroy());
	// What is not compressed as the header says is no JSON either. The status still counts.
	const bytes = await collect(body).catch((error: unknown) => {
		if (isDecompressionError(error)) return new Uint8Array();
		throw error;
	});
	// The helper decompresses what it can, and then takes this header away.
	const encoding = String(headers['content-encoding'] ?? '');
	const text = await Promise.resolve(decode(bytes, encoding, MAX_BODY_SIZE)).catch(() => {
		throw tooLarge();
	});
	return { status, headers: { ...headers }, text };
}

async function collect(body: BodyStream): Promise<Uint8Array> {
	const buffer = new BodyBuffer();
	for await (const chunk of body) {
		if (!buffer.add(chunk)) throw tooLarge();
	}
	return buffer.bytes;
}

function tooLarge(): ExchangeError {
	return new ExchangeError(new Error('too large'), true, 'tooLarge', MAX_BODY_SIZE);
}

/** A body that came as a value. */
function textOf(body: unknown): string {
	return typeof body === 'string' ? body : JSON.stringify(body ?? {});
}

function isStream(body: unknown): body is BodyStream {
	return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Whether Node.js could not decompress what came: by its codes for zlib and for Brotli. */
function isDecompressionError(error: unknown): boolean {
	return /^(Z_DATA_ERROR$|ERR__ERROR_FORMAT_)/.test((error as { code?: string }).code ?? '');
}
