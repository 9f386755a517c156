import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Connection } from '../../../../nodes/DataArtsInsight/transport/network/connection';
import { RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { Pace } from '../../../../nodes/DataArtsInsight/transport/pace';
import {
	type OutgoingRequest,
	readAnswer,
	withRetries,
	sendRequest,
} from '../../../../nodes/DataArtsInsight/transport/repeat';
import { findRoute } from '../../../../nodes/DataArtsInsight/transport/network/route';

afterEach(() => jest.restoreAllMocks());

const context = { creates: true, secrets: ['MIIsecret'], unauthorized: () => 'Log in again' };

/** The error that is thrown, or of a promise the one that it is rejected with. */
const failureOf = async (act: () => unknown) => {
	try {
		await act();
	} catch (error) {
		return error;
	}
	return undefined;
};

describe('readAnswer', () => {
	const read = (status: number, text: string, headers = {}) => readAnswer({ status, headers, text }, context);

	it.each([200, 201, 299])(
		'takes an object with the status %d for the answer, with its headers',
		(status) => {
			const headers = { 'x-request-id': '7' };
			expect(read(status, '{"id":"1"}', headers)).toEqual({ object: { id: '1' }, headers });
		},
	);

	it.each([
		[300, '{"id":"1"}', 'HTTP_300'],
		[404, '{"error_code":"EPS.0001"}', 'EPS.0001'],
		[500, 'no JSON', 'HTTP_500'],
		[200, '{"is_success":false,"error_code":"DLI.0999"}', 'DLI.0999'],
		[199, '{"id":"1"}', 'UNEXPECTED_ANSWER'],
		[200, '[]', 'UNEXPECTED_ANSWER'],
		[200, 'null', 'UNEXPECTED_ANSWER'],
		[200, '', 'UNEXPECTED_ANSWER'],
	])('takes the status %d with %s for the error %s', async (status, text, code) => {
		const error = await failureOf(() => read(status, text));
		expect(error).toBeInstanceOf(RequestError);
		expect(error).toMatchObject({ details: { code, httpStatus: status } });
	});

	it('takes a call that is said to have been carried out for a success', () => {
		expect(read(200, '{"is_success":true}').object).toEqual({ is_success: true });
	});

	it('passes on no secret that the service repeats', () => {
		expect(JSON.stringify(read(200, '{"a":"token MIIsecret","b":1}'))).not.toContain('MIIsecret');
		expect(read(200, '{"a":"token MIIsecret","b":1}').object.b).toBe(1);
	});

	it('passes on no __proto__, which would change the object that it is copied to', () => {
		const { object } = read(200, '{"__proto__":{"admin":true},"a":1}');
		expect(Object.keys(object)).toEqual(['a']);
	});

	it('does not look through what cannot hold a secret', () => {
		const entries = jest.spyOn(Object, 'entries');
		read(200, '{"a":"b"}');
		expect(entries).not.toHaveBeenCalled();
	});
});

describe('sendRequest', () => {
	let server: Server;
	let connections: number;
	let text: string;
	let origin: string;
	beforeEach(async () => {
		connections = 0;
		server = createServer((_request, response) => response.end(text)).listen(0, '127.0.0.1');
		server.on('connection', () => connections++);
		await once(server, 'listening');
		origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		// No connection gets too old while the machine is busy.
		jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
	});
	afterEach(() => {
		server.closeAllConnections();
		server.close();
	});

	const send = async (change: Partial<OutgoingRequest> = {}, creates = true) => {
		const request = { method: 'POST' as const, origin, path: '/x', headers: {}, body: '{}', ...change };
		const route = await findRoute(origin, false);
		return await sendRequest(route, request, { timeout: 60_000, maxRetries: 0 }, { ...context, creates });
	};

	it.each([
		['{"a":1}', 1],
		['  \r\n {"a":1}', 1],
		[' {"a":', 1],
		['x{"a":1}', 2],
		['[{"a":1}]', 2],
		['<html>', 2],
		['', 2],
	])('after the answer %j has used %d connections for two requests', async (answer, expected) => {
		text = answer;
		await failureOf(send);
		await failureOf(send);
		expect(connections).toBe(expected);
	});

	it('takes any object if nothing says which are answers', async () => {
		text = '{"a":1}';
		expect((await send()).object).toEqual({ a: 1 });
	});

	it('takes an answer to what was asked, and keeps the connection', async () => {
		text = '{"a":1}';
		const isAnswer = jest.fn(() => true);
		for (let i = 0; i < 2; i++) expect((await send({ isAnswer })).object).toEqual({ a: 1 });
		expect(isAnswer).toHaveBeenCalledWith({ a: 1 });
		expect(connections).toBe(1);
	});

	it.each([true, false])(
		'refuses an answer to something else, and closes the connection (creates: %j)',
		async (creates) => {
			text = '{"a":1}';
			for (let i = 0; i < 2; i++) {
				const error = await failureOf(async () => await send({ isAnswer: () => false }, creates));
				expect(error).toBeInstanceOf(RequestError);
				expect(error).toMatchObject({
					message: 'The service answered without what was asked for',
					details: { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: creates },
				});
			}
			expect(connections).toBe(2);
		},
	);

	it('that cannot read an answer does not know what became of the call', async () => {
		text = '{"a":1}';
		const isAnswer = () => {
			throw new TypeError('odd');
		};
		expect(await failureOf(async () => await send({ isAnswer }))).toMatchObject({
			message: 'The service answered without anything that could be read',
			details: { code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: true },
		});
	});

	it.each([
		['before there was a connection: nothing was sent', false],
		['once there was one: it may have been sent', true],
	])('meets an error that nobody foresaw %s', async (_when, handedOver) => {
		const unforeseen = () => {
			throw new TypeError('odd');
		};
		const route = {
			host: 'insight.example.com',
			withConnection: async <Result>(use: (connection: Connection) => Promise<Result>) =>
				handedOver
					? await use({ client: { dispatch: unforeseen } } as unknown as Connection)
					: await Promise.reject(new TypeError('odd')),
		};
		const request = { method: 'POST' as const, origin, path: '/x', headers: {}, body: '{}' };
		const limits = { timeout: 60_000, maxRetries: 0 };
		const error = await failureOf(async () => await sendRequest(route, request, limits, context));
		expect(error).toBeInstanceOf(RequestError);
		expect(error).toMatchObject({ details: { outcomeUnknown: handedOver } });
	});
});

describe('repeatSafely', () => {
	const limits = { timeout: 1_000, maxRetries: 0 };
	const failed = (httpStatus?: number) =>
		new RequestError('No', 'Check it', { code: 'X', httpStatus, outcomeUnknown: false });
	let now: number;
	beforeEach(() => {
		now = 1_000_000;
		jest.spyOn(performance, 'now').mockImplementation(() => now);
	});

	it('makes no call once the execution was stopped, and nothing is unknown then', async () => {
		const attempt = jest.fn(async () => await Promise.resolve('done'));
		const signal = AbortSignal.abort();
		const error = await failureOf(async () => await withRetries({ ...limits, signal }, new Pace(), attempt));
		expect(error).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		expect(attempt).not.toHaveBeenCalled();
	});

	it.each<[string, Error, boolean]>([
		['the status 404', failed(404), true],
		['the status 499', failed(499), true],
		['the status 500', failed(500), false],
		['no status', failed(), false],
		['an error that nobody foresaw', new TypeError('odd'), false],
	])('a call that ends with %s: the service has taken it is %j', async (_how, error, taken) => {
		const pace = new Pace();
		pace.slowDown(0, failed(429));
		now += 5 * 60_000;
		expect(
			await failureOf(async () => await withRetries(limits, pace, async () => await Promise.reject(error))),
		).toBe(error);
		// Only a run whose every call is throttled for five minutes is given up.
		pace.slowDown(0, failed(429));
		expect(pace.closed() === undefined).toBe(taken);
	});
});
