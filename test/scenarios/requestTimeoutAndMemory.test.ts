import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { ClientLimits } from '../../nodes/DataArtsInsight/transport/client';
import { connectTo } from '../support/cloud/tokenCredential';

const MIB = 1024 * 1024;
/** The longest time that somebody can allow a call, in milliseconds. */
const HOUR = 3_600_000;

let server: Server;
let answer: RequestListener;
beforeAll(async () => {
	server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
	await once(server, 'listening');
});
afterAll(() => {
	server.close();
	server.closeAllConnections();
});

function start(limits: Partial<ClientLimits> = {}) {
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const call = connectTo(url, { timeout: HOUR, ...limits });
	return async () => await call({ method: 'POST', path: '/x' });
}

// First, as a connection that is used again waits for a timer.
it('a timeout of an hour holds: no other limit ends the request', async () => {
	let response: ServerResponse | undefined;
	answer = (_request, given) => (response = given);
	const turn = async () => await new Promise((resolve) => setImmediate(resolve));
	const call = start();
	// undici's clock counts its own timers, so they are what has to go by.
	jest.useFakeTimers({
		doNotFake: [
			'Date',
			'hrtime',
			'nextTick',
			'performance',
			'queueMicrotask',
			'setImmediate',
			'clearImmediate',
		],
	});
	try {
		const result = call();
		while (!response) await turn();
		jest.advanceTimersByTime(HOUR / 2);
		response.writeHead(200, { 'Content-Length': 10 }).write('{"id"');
		for (let turns = 0; turns < 50; turns++) await turn();
		jest.advanceTimersByTime(HOUR / 4);
		response.end(':"1"}');
		expect(await result).toEqual({ id: '1' });
	} finally {
		jest.useRealTimers();
	}
});

it('memory leak: neither timeout nor execution keeps anything of an ended request', async () => {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const body = JSON.stringify({ id: '1', text: 'x'.repeat(MIB - 100) });
	answer = (_request, response) => response.end(body);
	const execution = new AbortController();
	const call = start({ signal: execution.signal });
	const memory = () => {
		collectGarbage();
		return process.memoryUsage().arrayBuffers;
	};
	await call();
	const before = memory();
	for (let round = 0; round < 30; round++) await call();
	// What is under way is freed a little later, on a busy machine later still; what is kept never is.
	for (let tries = 0; tries < 100 && memory() - before > 10 * MIB; tries++) await sleep(50);
	expect(memory() - before).toBeLessThan(10 * MIB);
	expect(execution.signal.aborted).toBe(false);
});
