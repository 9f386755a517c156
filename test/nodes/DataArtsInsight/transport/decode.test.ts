import { deflateSync, gzipSync } from 'node:zlib';

import { decode } from '../../../../nodes/DataArtsInsight/transport/decode';

const TEXT = '{"name":"ä€😀"}';
const bytes = Buffer.from(TEXT);
const SIZE = 1_000;

it('an answer that is not compressed is read at once, without its byte order mark', () => {
	expect(decode(bytes, '', SIZE)).toBe(TEXT);
	expect(decode(bytes, 'identity', SIZE)).toBe(TEXT);
	expect(decode(Buffer.from(`\uFEFF${TEXT}`), '', SIZE)).toBe(TEXT);
	expect(decode(Buffer.alloc(0), '', SIZE)).toBe('');
});

it('an empty body is nothing to decompress, whatever its Content-Encoding says', () => {
	expect(decode(Buffer.alloc(0), 'gzip', SIZE)).toBe('');
});

it.each([
	['gzip', gzipSync(bytes)],
	[' GZip ', gzipSync(bytes)],
	['x-gzip', gzipSync(bytes)],
	['deflate', deflateSync(bytes)],
])("an answer with Content-Encoding '%s' is decompressed", async (encoding, body) => {
	expect(await decode(body, encoding, SIZE)).toBe(TEXT);
});

it.each([
	['what is not compressed though it says so', bytes],
	['what is cut short', gzipSync(bytes).subarray(0, 20)],
])('%s is read as it is', async (_what, body) => {
	expect(await decode(body, 'gzip', SIZE)).toBe(new TextDecoder().decode(body));
});

it('an answer may have as many bytes as are allowed once it is decompressed, and no more', async () => {
	const text = 'x'.repeat(200_000);
	const body = gzipSync(text);
	expect(await decode(body, 'gzip', text.length)).toBe(text);
	await expect(decode(body, 'gzip', text.length - 1)).rejects.toThrow('too large');
});

it('a bomb is not decompressed to its end', async () => {
	const body = gzipSync(Buffer.alloc(256 * 1024 * 1024));
	const before = process.memoryUsage().arrayBuffers;
	let most = 0;
	const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 1);
	await expect(decode(body, 'gzip', 1024 * 1024)).rejects.toThrow('too large');
	clearInterval(timer);
	expect(most - before).toBeLessThan(64 * 1024 * 1024);
});
