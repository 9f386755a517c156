type Format = 'gzip' | 'deflate';

/** What `Content-Encoding` may say, in the words of the Compression Streams standard. */
const FORMATS = new Map<string, Format>([
	['gzip', 'gzip'],
	['x-gzip', 'gzip'],
	['deflate', 'deflate'],
]);

/** Leaves out a byte order mark at the start. */
const utf8 = new TextDecoder();

/**
 * The text of a response. Some gateways compress it though nobody asked for that.
 *
 * @param body the bytes as they came; they must not change until they are decoded
 * @param encoding what `Content-Encoding` says; what is compressed in no known way is read as it is
 * @param maxSize the most bytes that the text may have once it is decompressed
 * @returns at once where nothing is to be decompressed
 * @throws {Error} in the promise, if the text is larger
 */
export function decode(body: Uint8Array, encoding: string, maxSize: number): string | Promise<string> {
	const format = FORMATS.get(encoding.trim().toLowerCase());
	return format && body.length > 0 ? decompress(body, format, maxSize) : utf8.decode(body);
}

async function decompress(body: Uint8Array, format: Format, maxSize: number): Promise<string> {
	const parts: Uint8Array[] = [];
	let size = 0;
	try {
		// Node.js decompresses on another thread, a part at a time, and stops when nobody reads on.
		const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream(format));
		for await (const part of stream as AsyncIterable<Uint8Array>) {
			parts.push(part);
			size += part.length;
			if (size > maxSize) break;
		}
	} catch {
		// Not compressed as the header says, or cut short: then it is no JSON either.
		return utf8.decode(body);
	}
	if (size > maxSize) throw new Error('The decompressed response is too large');
	return utf8.decode(Buffer.concat(parts, size));
}
