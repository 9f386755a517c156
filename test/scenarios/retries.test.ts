import { getEventListeners, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';

import fc from 'fast-check';

import type { ClientLimits } from '../../nodes/DataArtsInsight/transport/client';
import type { Credential } from '../../nodes/DataArtsInsight/transport/identity/credential';
import { transport } from '../support/engine/built';

const { createClient, RequestError } = transport;

const sessionAt = (port: number): Credential => ({
	origin: `http://127.0.0.1:${port}`,
	projectId: 'p',
	workspaceId: 'w',
	authentication: { mode: 'token', token: 'MIIsecret' },
	allowUnauthorizedCerts: false,
	secrets: ['MIIsecret'],
});

async function portOf(server: TcpServer): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
}

describe('a call', () => {
	let server: Server;
	let session: Credential;
	let answer: RequestListener;
	let connections = 0;

	beforeAll(async () => {
		server = createServer((request, response) => answer(request, response));
		server.on('connection', () => connections++);
		session = sessionAt(await portOf(server));
	});
	afterAll(() => {
		server.closeAllConnections();
		server.close();
	});

	const call = async (to: Credential, limits: Partial<ClientLimits> = {}) => {
		const callService = await createClient(to, { timeout: 5_000, maxRetries: 0, ...limits });
		return await callService({ method: 'POST', path: '/x', body: { a: 1 } });
	};
	const post = async (limits: Partial<ClientLimits> = {}) => await call(session, limits);
	const failure = async (call: Promise<unknown>) => {
		const error: unknown = await call.then(
			() => undefined,
			(reason: unknown) => reason,
		);
		if (!(error instanceof RequestError)) throw new Error(`Expected a RequestError, got ${String(error)}`);
		expect(JSON.stringify([error, error.message, error.stack])).not.toContain('MIIsecret');
		return error;
	};

	it('sends the method, the path, the headers and the body to the letter', async () => {
		let seen: unknown;
		answer = (request, response) => {
			let body = '';
			request.on('data', (chunk) => (body += String(chunk)));
			request.on('end', () => {
				const { method, url, headers } = request;
				seen = { method, url, headers, body };
				response.end('{"id":"1"}');
			});
		};
		expect(await post()).toEqual({ id: '1' });
		expect(seen).toEqual({
			method: 'POST',
			url: '/x',
			headers: {
				connection: 'keep-alive',
				'content-length': '7',
				'content-type': 'application/json',
				host: new URL(session.origin).host,
				'x-auth-token': 'MIIsecret',
				'x-workspace-id': 'w',
			},
			body: '{"a":1}',
		});
	});

	it('reuses connections', async () => {
		answer = (_request, response) => response.end('{"id":"1"}');
		await post();
		const before = connections;
		for (let i = 0; i < 20; i++) await post();
		expect(connections).toBe(before);
	});

	it('gives back any JSON object as it is, and refuses everything else', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.oneof(
					fc.jsonValue().map((value) => JSON.stringify(value)),
					fc.string(),
				),
				async (text) => {
					// What is changed on purpose: see hostileAnswers.test.ts.
					fc.pre(!/__proto__|\d{16}/.test(text));
					answer = (_request, response) => response.end(text);
					let value: unknown;
					try {
						value = JSON.parse(text);
					} catch {
						value = undefined;
					}
					if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
						expect(JSON.stringify(await post())).toBe(JSON.stringify(value));
					} else {
						expect((await failure(post())).details).toEqual({
							code: 'UNEXPECTED_ANSWER',
							httpStatus: 200,
							outcomeUnknown: true,
						});
					}
				},
			),
		);
	});

	it.each(['GET', 'POST'] as const)(
		'leaves open after a 500 whether it acted, if it is no GET: %s',
		async (method) => {
			answer = (_request, response) => response.writeHead(500).end();
			const callService = await createClient(session, { timeout: 5_000, maxRetries: 0 });
			const { details } = await failure(callService({ method, path: '/x' }));
			expect(details).toEqual({ code: 'HTTP_500', httpStatus: 500, outcomeUnknown: method === 'POST' });
		},
	);

	it('tells an empty success with its own status', async () => {
		answer = (_request, response) => response.writeHead(204).end();
		expect((await failure(post())).details).toMatchObject({ code: 'UNEXPECTED_ANSWER', httpStatus: 204 });
	});

	it('does not follow a redirect', async () => {
		const seen: string[] = [];
		answer = (request, response) => {
			seen.push(request.url ?? '');
			response.writeHead(302, { location: '/elsewhere' }).end();
		};
		expect((await failure(post())).details.code).toBe('REDIRECT_REFUSED');
		expect(seen).toEqual(['/x']);
	});

	it.each([
		['before the headers', () => undefined],
		['in the middle of the body', (response) => response.writeHead(200, { 'content-length': 10 }).write('{')],
	] as Array<[string, (response: Parameters<RequestListener>[1]) => unknown]>)(
		'ends a call that takes too long %s',
		async (_when, begin) => {
			answer = (_request, response) => void begin(response);
			expect((await failure(post({ timeout: 50 }))).details).toEqual({
				code: 'TIMEOUT',
				outcomeUnknown: true,
			});
		},
	);

	it('ends a call that drips, though something arrives all the time', async () => {
		answer = (_request, response) => {
			response.writeHead(200);
			const drip = setInterval(() => response.write(' '), 10);
			response.on('close', () => clearInterval(drip));
		};
		expect((await failure(post({ timeout: 100 }))).details.code).toBe('TIMEOUT');
	});

	it('cuts off a giant answer', async () => {
		let written = 0;
		answer = (_request, response) => {
			const pour = () => {
				while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, ' '))) written += 64 * 1024;
			};
			response.on('drain', pour);
			pour();
		};
		expect((await failure(post())).details.code).toBe('ANSWER_TOO_LARGE');
		// The kernel's buffers hold some megabytes as well.
		expect(written).toBeLessThan(8 * 1024 * 1024);
	});

	it('says that the outcome is unknown when the connection is cut after sending', async () => {
		answer = (request) => request.socket.destroy();
		expect((await failure(post())).details).toEqual({ code: 'CONNECTION_LOST', outcomeUnknown: true });
	});

	it('says that nothing was sent when nobody listens', async () => {
		const closed = createTcpServer();
		const port = await portOf(closed);
		closed.close();
		expect((await failure(call(sessionAt(port)))).details).toEqual({
			code: 'CONNECTION_FAILED',
			outcomeUnknown: false,
		});
	});

	it('says that nothing was sent when TLS cannot be set up', async () => {
		const origin = session.origin.replace('http:', 'https:');
		expect((await failure(call({ ...session, origin }))).details).toEqual({
			code: 'CONNECTION_FAILED',
			outcomeUnknown: false,
		});
	});

	describe('that the service cannot have acted on', () => {
		beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0));
		afterEach(() => jest.restoreAllMocks());

		/** Answers with these statuses, one after the other, and the last of them from then on. */
		const statuses = (...list: number[]) => {
			const seen = { count: 0 };
			answer = (_request, response) => {
				const status = list[Math.min(seen.count++, list.length - 1)] ?? 500;
				const body = status === 503 ? { error_code: 'APIGW.0613' } : { id: '1' };
				response.writeHead(status, { 'retry-after': '0' }).end(JSON.stringify(body));
			};
			return seen;
		};

		it('is repeated until it succeeds', async () => {
			const seen = statuses(429, 503, 200);
			expect(await post({ maxRetries: 3 })).toEqual({ id: '1' });
			expect(seen.count).toBe(3);
		});

		it('is repeated as often as allowed and no more, and the error says how often', async () => {
			const seen = statuses(429);
			const error = await failure(post({ maxRetries: 2 }));
			expect(seen.count).toBe(3);
			expect(error.description).toContain('Tried 3 times');
		});

		it('is not repeated once it may have acted', async () => {
			const seen = statuses(429, 500, 200);
			expect((await failure(post({ maxRetries: 5 }))).details.outcomeUnknown).toBe(true);
			expect(seen.count).toBe(2);
		});

		it('is not repeated when the service asks to wait for more than a minute', async () => {
			let seen = 0;
			answer = (_request, response) => {
				seen++;
				response.writeHead(429, { 'retry-after': '61' }).end();
			};
			await failure(post({ maxRetries: 5 }));
			expect(seen).toBe(1);
		});

		it('is repeated when no connection came about', async () => {
			const server = createTcpServer();
			const port = await portOf(server);
			server.close();
			const error = await failure(call(sessionAt(port), { maxRetries: 2 }));
			expect(error.attempts).toBe(3);
		});

		it('holds back the other calls of the run', async () => {
			const times: number[] = [];
			answer = (_request, response) => {
				times.push(performance.now());
				if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end();
				else response.end('{"id":"1"}');
			};
			const callService = await createClient(session, { timeout: 5_000, maxRetries: 1 });
			const first = callService({ method: 'POST', path: '/x' });
			while (times.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
			await new Promise((resolve) => setTimeout(resolve, 50));
			await Promise.all([first, callService({ method: 'POST', path: '/x' })]);
			const [begin = 0, ...others] = times;
			expect(others).toHaveLength(2);
			for (const time of others) expect(time - begin).toBeGreaterThan(900);
		});

		it('waits no longer once the execution is stopped', async () => {
			let seen = 0;
			answer = (_request, response) => {
				seen++;
				response.writeHead(429, { 'retry-after': '30' }).end();
			};
			const stop = new AbortController();
			const stopped = failure(post({ maxRetries: 5, signal: stop.signal }));
			setTimeout(() => stop.abort(), 100);
			expect((await stopped).details.code).toBe('CANCELLED');
			expect(seen).toBe(1);
		});
	});

	it('ends all calls under way when the execution is stopped, with one listener for all', async () => {
		const stop = new AbortController();
		let waiting = 0;
		let listeners = 0;
		answer = () => {
			if (++waiting < 30) return;
			listeners = getEventListeners(stop.signal, 'abort').length;
			stop.abort();
		};
		const calls = Array.from({ length: 30 }, async () => await failure(post({ signal: stop.signal })));
		const codes = (await Promise.all(calls)).map((error) => error.details.code);
		expect(codes).toEqual(Array<string>(30).fill('CANCELLED'));
		expect(listeners).toBe(1);
	});

	it('sends nothing once the execution is stopped', async () => {
		let seen = 0;
		answer = () => seen++;
		const error = await failure(post({ signal: AbortSignal.abort() }));
		expect(error.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		expect(seen).toBe(0);
	});
});
