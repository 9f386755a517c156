import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { connectTo } from '../support/cloud/tokenCredential';
import { pooled } from '../support/engine/built';

const MIB = 1024 * 1024;
let server: Server;
let answer: (socket: Socket) => void;
const sockets = new Set<Socket>();

beforeAll(async () => {
	server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => undefined);
		socket.on('data', (chunk) => {
			if (String(chunk).endsWith('"}')) answer(socket);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
});
afterAll(() => {
	for (const socket of sockets) socket.destroy();
	server.close();
});

async function call(timeout = 10_000) {
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const callService = connectTo(url, { timeout });
	return await callService({ method: 'POST', path: '/x', body: { a: 'b' } });
}
const failure = async (timeout?: number) =>
	await call(timeout).then(
		(object) => {
			throw new Error(`Expected a failure, got ${JSON.stringify(object).slice(0, 100)}`);
		},
		(error: RequestError) => error,
	);

const head = (...headers: string[]) => `${['HTTP/1.1 200 OK', ...headers].join('\r\n')}\r\n\r\n`;
const whole = (body: Buffer, ...headers: string[]) =>
	Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`, ...headers)), body]);
const object = { id: '1', text: 'größer 数据' };
const json = Buffer.from(JSON.stringify(object));

/** Writes without end, as fast as the other side reads, and tells how much it was. */
function pour(socket: Socket, part: Buffer): { written: number } {
	const seen = { written: 0 };
	const more = () => {
		let taken = true;
		while (taken && !socket.destroyed && seen.written < 64 * MIB) {
			taken = socket.write(part);
			seen.written += part.length;
		}
	};
	socket.on('drain', more);
	more();
	return seen;
}

describe('a response is read', () => {
	it.each<[string, Buffer]>([
		['with gzip', whole(gzipSync(json), 'Content-Encoding: gzip')],
		['with x-gzip', whole(gzipSync(json), 'content-encoding:  X-GZIP')],
		['with deflate', whole(deflateSync(json), 'Content-Encoding: deflate')],
		['with Content-Encoding: identity', whole(json, 'Content-Encoding: identity')],
		['with a byte order mark', whole(Buffer.concat([Buffer.from('\uFEFF'), json]))],
		[
			'with gzip and a byte order mark',
			whole(gzipSync(Buffer.concat([Buffer.from('\uFEFF'), json])), 'Content-Encoding: gzip'),
		],
		['with headers of 15 KB', whole(json, `X-Long: ${'x'.repeat(9_000)}`, `X-Longer: ${'x'.repeat(6_000)}`)],
	])('%s', async (_how, bytes) => {
		answer = (socket) => socket.write(bytes);
		expect(await call()).toEqual(object);
	});

	// What axios, which is in n8n's helper, understands or forgives beyond that.
	it.each<[string, Buffer]>([
		['in brotli', whole(brotliCompressSync(json), 'Content-Encoding: br')],
		[
			'whose gzip was truncated behind the JSON',
			whole(gzipSync(json).subarray(0, -9), 'Content-Encoding: gzip'),
		],
	])("%s, by n8n's helper only", async (_how, bytes) => {
		answer = (socket) => socket.write(bytes);
		const refused = { details: { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: true } };
		const outcome = await call().catch((error: unknown) => error);
		if (pooled) expect(outcome).toMatchObject(refused);
		else expect(outcome).toEqual(object);
	});

	it('with headers of 100 KB, by the pooled build only: Node.js reads 16 KB for n8n', async () => {
		answer = (socket) =>
			socket.write(whole(json, `X-Long: ${'x'.repeat(60_000)}`, `X-Longer: ${'x'.repeat(40_000)}`));
		const refused = { details: { code: 'ANSWER_TOO_LARGE', outcomeUnknown: true } };
		const outcome = await call().catch((error: unknown) => error);
		if (pooled) expect(outcome).toEqual(object);
		else expect(outcome).toMatchObject(refused);
	});

	it('with gzip, in pieces of a few bytes', async () => {
		const bytes = whole(gzipSync(json), 'Content-Encoding: gzip');
		answer = (socket) => {
			socket.setNoDelay();
			for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
		};
		expect(await call()).toEqual(object);
	});

	it('with a body of nearly 1 MiB, in many chunks', async () => {
		const large = { id: '1', text: 'x'.repeat(MIB - 100) };
		const text = JSON.stringify(large);
		answer = (socket) => {
			socket.write(head('Transfer-Encoding: chunked'));
			for (let at = 0; at < text.length; at += 1_000) {
				const part = text.slice(at, at + 1_000);
				socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
			}
			socket.write('0\r\n\r\n');
		};
		expect(await call()).toEqual(large);
	});
});

describe('a response is refused', () => {
	const unexpected = { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: true };

	it.each<[string, Buffer]>([
		['that is no gzip, though it says so', whole(json.subarray(1), 'Content-Encoding: gzip')],
		['that is no Brotli, though it says so', whole(json.subarray(1), 'Content-Encoding: br')],
		['whose gzip was truncated', whole(gzipSync(json).subarray(0, -20), 'Content-Encoding: gzip')],
	])('%s', async (_what, bytes) => {
		answer = (socket) => socket.write(bytes);
		expect((await failure()).details).toEqual(unexpected);
	});
});

describe('a response is cut off (ANSWER_TOO_LARGE)', () => {
	const tooLarge = { code: 'ANSWER_TOO_LARGE', outcomeUnknown: true };

	it('that is larger than 1 MiB, by one byte', async () => {
		answer = (socket) => socket.write(whole(Buffer.from(`"${'x'.repeat(MIB - 1)}"`)));
		const error = await failure();
		expect(error.details).toEqual(tooLarge);
		expect(error.message).toContain('1 MiB');
	});

	it('that is a gzip bomb, and is not decompressed whole', async () => {
		const bomb = gzipSync(Buffer.alloc(256 * MIB, ' '));
		answer = (socket) => socket.write(whole(bomb, 'Content-Encoding: gzip'));
		const before = process.memoryUsage().rss;
		expect((await failure()).details).toEqual(tooLarge);
		expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
	});

	it.each<[string, string, Buffer, string]>([
		// Node.js ends the connection at 16 KB of them, and n8n's helper tells no more than that.
		[
			'chunk extensions',
			`${head('Transfer-Encoding: chunked')}1;`,
			Buffer.from('x'.repeat(64 * 1024)),
			'CONNECTION_LOST',
		],
		// Node.js reads on, and keeps none of them.
		[
			'103 Early Hints',
			'',
			Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(1_000)),
			'TIMEOUT',
		],
	])('that sends %s without end', async (_how, first, part, codeOfHelper) => {
		let seen = { written: 0 };
		answer = (socket) => {
			socket.write(first);
			seen = pour(socket, part);
		};
		const before = process.memoryUsage().rss;
		const { details } = await failure(pooled ? 10_000 : 3_000);
		expect(details).toEqual({ ...tooLarge, code: pooled ? tooLarge.code : codeOfHelper });
		// What was on its way in the kernel's buffers counts here as well.
		if (details.code !== 'TIMEOUT') expect(seen.written).toBeLessThan(16 * MIB);
		expect(process.memoryUsage().rss - before).toBeLessThan(150 * MIB);
	});

	describe('in chunks of one byte', () => {
		beforeEach(() => {
			answer = (socket) => {
				socket.write(head('Transfer-Encoding: chunked'));
				pour(socket, Buffer.from('1\r\n \r\n'.repeat(10_000)));
			};
		});

		it('and the error says so', async () => {
			expect((await failure(50_000)).details).toEqual(tooLarge);
		});

		it('with ten in flight, and takes little more memory than its size', async () => {
			const before = process.memoryUsage().rss;
			const errors = await Promise.all(
				Array.from({ length: 10 }, async () => await failure(pooled ? 40_000 : 10_000)),
			);
			for (const { details } of errors) {
				// Node.js takes a second of processor time for a megabyte of such chunks, so the timeout may come first.
				const code = !pooled && details.code === 'TIMEOUT' ? 'TIMEOUT' : tooLarge.code;
				expect(details).toEqual({ ...tooLarge, code });
			}
			expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
		});
	});

	it('whose headers are larger than 128 KiB, and the error says so', async () => {
		answer = (socket) => socket.write(head(`X-Long: ${'x'.repeat(130 * 1024)}`, 'Content-Length: 0'));
		const error = await failure();
		expect(error.details).toEqual(tooLarge);
		const limit = pooled ? ' at 128 KiB' : '';
		expect(error.message).toBe(`The headers of the response were cut off${limit}`);
	});
});
