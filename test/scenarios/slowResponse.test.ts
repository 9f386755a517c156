import { connectTo } from '../support/cloud/tokenCredential';
import { pooled } from '../support/engine/built';
import { type ScriptedServer, startScriptedServer } from '../support/network/scriptedServer';

// A file of its own: all connections of a process share the timers that are replaced here.
let server: ScriptedServer;
afterEach(async () => {
	jest.restoreAllMocks();
	await server.close();
});

it('the response may take longer than the connect timeout, which ends once the connection is established', async () => {
	const now = performance.now.bind(performance);
	let ahead = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
	const timers: AbortController[] = [];
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
		const timer = new AbortController();
		if (delay <= 10_000) timers.push(timer);
		return timer.signal;
	});
	server = await startScriptedServer(() => {
		// Eleven seconds later.
		ahead = 11_000;
		for (const timer of timers) timer.abort();
		return { body: { id: '1' }, after: 20 };
	});
	const call = connectTo(server.url, { timeout: 30_000, maxRetries: 2 });
	expect(await call({ method: 'POST', path: '/x', body: {} })).toEqual({ id: '1' });
	// n8n's helper has no connect timeout.
	expect(timers.length > 0).toBe(pooled);
	expect(server.seen).toHaveLength(1);
});
