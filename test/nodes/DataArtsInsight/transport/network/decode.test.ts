import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

import { decode } from '../../../../../nodes/DataArtsInsight/transport/network/decode';

const text = '{"id":"ä€😀"}';
const bytes = Buffer.from(text);

describe('decode', () => {
	it.each(['', 'identity', 'none', 'gzip2', 'utf-8'])(
		'reads what is compressed in no known way at once: %j',
		(encoding) => {
			expect(decode(bytes, encoding, 1_000)).toBe(text);
			expect(decode(Buffer.from(`\ufeff${text}`), encoding, 1_000)).toBe(text);
		},
	);

	it.each([
		['gzip', gzipSync],
		['x-gzip', gzipSync],
		['deflate', deflateSync],
		[' GZip ', gzipSync],
		['DEFLATE', deflateSync],
	])('decompresses %j', async (encoding, compress) => {
		const compressed = decode(compress(bytes), encoding, 1_000);
		expect(compressed).toBeInstanceOf(Promise);
		expect(await compressed).toBe(text);
		expect(await decode(compress(Buffer.from(`\ufeff${text}`)), encoding, 1_000)).toBe(text);
	});

	it.each(['gzip', 'deflate'])('reads an empty response at once, whatever %s says', (encoding) => {
		expect(decode(new Uint8Array(), encoding, 1_000)).toBe('');
	});

	it.each([
		['plain', 'gzip', bytes],
		['cut short', 'gzip', gzipSync(bytes).subarray(0, -4)],
		['of another format', 'gzip', deflateSync(bytes)],
		['without its frame', 'deflate', deflateRawSync(bytes)],
		['of a format that is not known', 'br', brotliCompressSync(bytes)],
	])('reads what is %s as it came, not as %s', async (_what, encoding, body) => {
		expect(await decode(body, encoding, 1_000)).toBe(new TextDecoder().decode(body));
	});

	it('takes as many bytes as are allowed and not one more', async () => {
		expect(await decode(gzipSync(bytes), 'gzip', bytes.length)).toBe(text);
		await expect(decode(gzipSync(bytes), 'gzip', bytes.length - 1)).rejects.toThrow('too large');
	});

	it('gives up a larger text wherever its parts end', async () => {
		const body = gzipSync(Buffer.alloc(300_000, 'a'));
		for (let size = 8_192; size < 300_000; size += 8_192) {
			await expect(decode(body, 'gzip', size)).rejects.toThrow('too large');
		}
		expect(await decode(body, 'gzip', 300_000)).toBe('a'.repeat(300_000));
	});

	it('reads no further than is allowed, so a small bomb does not fill the memory', async () => {
		// To its end, where the check sum is missing, it does not come.
		const bomb = gzipSync(Buffer.alloc(20_000_000)).subarray(0, -8);
		await expect(decode(bomb, 'gzip', 1_000)).rejects.toThrow('too large');
	});
});
