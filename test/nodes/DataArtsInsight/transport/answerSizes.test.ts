import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateSync, gzipSync } from 'node:zlib';

import { transport } from '../../../build';

const { connect, openSession, RequestError } = transport;

const KB = 1024;
const MB = 1024 * KB;
const TOO_LARGE = { code: 'ANSWER_TOO_LARGE', outcomeUnknown: true };

let server: Server;
let url: string;
let answer: RequestListener;
/** Bytes that the server could get rid of since the test began. */
let written: () => number;

beforeEach(async () => {
	// Tokens of IAM are larger than the headers that Node.js reads without being told.
	server = createServer({ maxHeaderSize: 64 * KB }, (request, response) => {
		request.resume().on('end', () => answer(request, response));
	});
	server.on('connection', (socket) => {
		written = () => socket.bytesWritten - socket.writableLength;
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
	server.closeAllConnections();
	server.close();
});

const post = async (
	credentials: Record<string, string> = { authentication: 'token', token: 'MIIsecret' },
) => {
	const session = openSession({
		region: 'custom',
		baseUrl: url,
		projectId: 'p',
		workspaceId: 'w',
		...credentials,
	});
	const call = await connect(session, { timeout: 10_000, maxRetries: 0 });
	return await call({ method: 'POST', path: '/x', body: { a: 1 } });
};

async function failure() {
	const error: unknown = await post().then(
		() => undefined,
		(reason: unknown) => reason,
	);
	if (!(error instanceof RequestError)) throw new Error(`Expected a RequestError, got ${String(error)}`);
	return error;
}

/** Writes a piece again and again, as fast as it is taken, until so many bytes are written or nobody reads on. */
function pour(response: ServerResponse, piece: string, bytes: number, onEnd = () => {}) {
	const { socket } = response;
	const more = () => {
		while (bytes > 0 && socket && !socket.destroyed) {
			bytes -= piece.length;
			if (!socket.write(piece)) return;
		}
		socket?.off('drain', more);
		onEnd();
	};
	socket?.on('drain', more);
	more();
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Chunks of one byte each. */
const chunks = (text: string) => [...text].map((byte) => `1\r\n${byte}\r\n`).join('');

describe('an answer that is too large is cut off', () => {
	it('at its body', async () => {
		answer = (_request, response) => {
			response.writeHead(200).flushHeaders();
			pour(response, `10000\r\n${' '.repeat(64 * KB)}\r\n`, 64 * MB);
		};
		expect((await failure()).details).toEqual(TOO_LARGE);
		// What lies in the buffers of the operating system counts as well.
		expect(written()).toBeLessThan(8 * MB);
	});

	it('at its length exactly', async () => {
		const of = (size: number) => JSON.stringify({ id: '1'.repeat(size - '{"id":""}'.length) });
		answer = (_request, response) => response.end(of(MB));
		expect(JSON.stringify(await post())).toHaveLength(MB);
		answer = (_request, response) => response.end(of(MB + 1));
		expect((await failure()).details).toEqual(TOO_LARGE);
	});

	it('at its chunks of one byte', async () => {
		answer = (_request, response) => {
			response.socket?.write(CHUNKED);
			pour(response, chunks(' '.repeat(10 * KB)), 6 * 900 * KB, () => response.socket?.write('0\r\n\r\n'));
		};
		expect((await failure()).details).toEqual(TOO_LARGE);
	});

	it("at its chunks' extensions", async () => {
		answer = (_request, response) => {
			response.socket?.write(`${CHUNKED}2;`);
			pour(response, 'a'.repeat(64 * KB), 64 * MB);
		};
		expect((await failure()).details).toEqual(TOO_LARGE);
		expect(written()).toBeLessThan(10 * MB);
	});

	it('at its headers', async () => {
		answer = (_request, response) => {
			response.socket?.write('HTTP/1.1 200 OK\r\n');
			pour(response, `X-Long: ${'a'.repeat(10 * KB)}\r\n`, 200 * KB, () => response.socket?.write('\r\n{}'));
		};
		const error = await failure();
		expect(error.details).toEqual(TOO_LARGE);
		expect(error.message).toContain('headers');
	});
});

it('an answer in chunks of one byte takes hardly more memory than its bytes', async () => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	const used = () => {
		collect();
		const { heapUsed, external } = process.memoryUsage();
		return heapUsed + external;
	};
	const piece = chunks(' '.repeat(10 * KB));
	let finish: (() => void) | undefined;
	answer = (_request, response) => {
		response.socket?.write(CHUNKED + chunks('{"id":'));
		pour(response, piece, 6 * 300 * KB, () => {
			finish = () => response.socket?.write(`${chunks('1}')}0\r\n\r\n`);
		});
	};
	const before = used();
	const running = post();
	while (!finish) await sleep(5);
	// Until the rest of it has arrived as well.
	await sleep(300);
	const grown = used() - before;
	finish();
	expect(await running).toEqual({ id: 1 });
	expect(grown).toBeLessThan(8 * MB);
});

describe('headers of 20 KB are read', () => {
	const long = 'a'.repeat(20 * KB);

	it('with an answer', async () => {
		answer = (_request, response) => response.writeHead(200, { 'X-Long': long }).end('{"id":"1"}');
		expect(await post()).toEqual({ id: '1' });
	});

	it('with a token from IAM, which is sent on', async () => {
		const tokens: unknown[] = [];
		answer = ({ url: path, headers }, response) => {
			if (path?.startsWith('/v3/')) return response.writeHead(201, { 'X-Subject-Token': long }).end('{}');
			tokens.push(headers['x-auth-token']);
			return response.end('{"id":"1"}');
		};
		const login = { domainName: 'account', username: 'user', password: 'MIIpassword' };
		expect(await post({ authentication: 'password', iamUrl: url, ...login })).toEqual({ id: '1' });
		expect(tokens).toEqual([long]);
	});
});

describe('an answer that is compressed', () => {
	const object = { id: '1', name: 'ü'.repeat(10_000) };
	const plain = Buffer.from(JSON.stringify(object));

	it.each<[string, Buffer, Record<string, string>]>([
		['with gzip', gzipSync(plain), { 'Content-Encoding': 'gzip' }],
		['with gzip, in capitals', gzipSync(plain), { 'Content-Encoding': 'GZIP' }],
		['with deflate', deflateSync(plain), { 'Content-Encoding': 'deflate' }],
		['not at all', plain, {}],
		['not at all, with a byte order mark', Buffer.concat([Buffer.from('\ufeff'), plain]), {}],
		[
			'with gzip, with a byte order mark',
			gzipSync(Buffer.concat([Buffer.from('\ufeff'), plain])),
			{ 'Content-Encoding': 'gzip' },
		],
	])('%s is read', async (_how, body, headers) => {
		answer = (_request, response) => response.writeHead(200, headers).end(body);
		expect(await post()).toEqual(object);
	});

	it.each<[string, Buffer]>([
		['that is none', plain.subarray(0, 100)],
		['cut short', gzipSync(plain).subarray(0, 30)],
	])('with gzip %s is no answer', async (_how, body) => {
		answer = (_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(body);
		expect((await failure()).details).toMatchObject({ code: 'UNEXPECTED_ANSWER', outcomeUnknown: true });
	});

	it('from a megabyte to a gigabyte is cut off soon, and holds up nobody', async () => {
		const part = gzipSync(Buffer.alloc(64 * MB), { level: 9 });
		const bomb = Buffer.concat(Array<Buffer>(15).fill(part));
		expect(bomb.length).toBeLessThan(MB);
		answer = (_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb);
		let shortest = Infinity;
		// On a busy machine others hold up this process as well, but not every time.
		for (let tries = 0; tries < 4 && shortest >= 50; tries++) {
			let [last, longest] = [performance.now(), 0];
			const heartbeat = setInterval(() => {
				longest = Math.max(longest, performance.now() - last);
				last = performance.now();
			}, 1);
			const begin = performance.now();
			expect((await failure()).details).toEqual(TOO_LARGE);
			expect(performance.now() - begin).toBeLessThan(2_000);
			await sleep(5);
			clearInterval(heartbeat);
			shortest = Math.min(shortest, longest);
		}
		expect(shortest).toBeLessThan(50);
	});
});
