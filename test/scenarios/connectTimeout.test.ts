import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeEgressFilter } from 'n8n-workflow';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { transport } from '../support/engine/built';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { fixBackOff } from '../support/network/backOff';
import { setProxies } from '../support/network/httpProxy';
import { startTcpProxy } from '../support/network/tcpProxy';
import { useTlsService } from '../support/network/tlsService';
import { detailsOf, makeNames, postsOf, verify } from '../support/engine/runNode';

const { createClient, readCredential } = transport;

const names = makeNames(10);
let service: CountingService;
useTlsService((started) => (service = started));

const took = async <Result>(running: Promise<Result>) => {
	const begin = performance.now();
	const result = await running;
	return { result, milliseconds: performance.now() - begin };
};

describe('the connect timeout of 10 seconds', () => {
	// All at once, as it takes its time.
	it('applies to the server, an HTTP proxy, a SOCKS proxy and DNS, and not to a slow response', async () => {
		const mute = await startTcpProxy(service.url);
		mute.behaviour = () => ({ onRequest: 'hang' });
		const slow = await startCountingService({ latency: 11_000 });
		const address = `127.0.0.1:${mute.port}`;
		const start = (credential: object) => verify(names, { credential, options: { maxRetries: 0 } });

		setProxies({ HTTPS_PROXY: `http://${address}` });
		const throughProxy = took(start(service.credentials));
		while (mute.used < names.length) await sleep(5);
		setProxies({ HTTPS_PROXY: `socks5://${address}` });
		const throughSocks = took(start(service.credentials));
		while (mute.used < 2 * names.length) await sleep(5);
		setProxies();
		const direct = took(start({ ...service.credentials, baseUrl: `https://${address}` }));
		const egress: NodeEgressFilter = {
			validateUrl: async () => await new Promise<never>(() => undefined),
			validateConnectionHost: () => ({ ok: true, result: undefined }),
			createSecureLookup: () => () => undefined,
			validateRedirectSync: () => undefined,
		};
		const call = createClient(readCredential(service.credentials), {
			timeout: 1_000,
			maxRetries: 0,
			egress,
		});
		const unresolved = took(
			call({ method: 'POST', doubt: 'It may have acted', path: '/x' }).catch((error: RequestError) => ({
				details: error.details,
			})),
		);
		const patient = start(slow.credentials);

		for (const { result, milliseconds } of await Promise.all([throughProxy, throughSocks, direct])) {
			for (const details of detailsOf(result.items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
			}
			for (const { json } of result.items) expect(json.error).toContain('the host did not answer');
			expect(milliseconds).toBeGreaterThan(9_900);
			expect(milliseconds).toBeLessThan(13_000);
		}
		const { result, milliseconds } = await unresolved;
		expect(result).toEqual({ details: { code: 'CONNECTION_FAILED', outcomeUnknown: false } });
		expect(milliseconds).toBeLessThan(13_000);
		// Once the connection stands, only the node's own limit counts.
		const { items } = await patient;
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(postsOf(slow, names)).toEqual(names.map(() => 1));
		expect(service.posts.size).toBe(0);
		await mute.close();
		await slow.close();
	}, 25_000);
});

it('a reset connection delays no other request', async () => {
	const proxy = await startTcpProxy(service.url);
	proxy.behaviour = (connection) => (connection === 1 ? { onAccept: 'reset' } : {});
	fixBackOff(0.999);
	const credential = readCredential({ ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` });
	const call = createClient(credential, { timeout: 5_000, maxRetries: 1 });
	const post = (name: string) =>
		took(
			call({ method: 'POST', doubt: 'It may have acted', path: '/x', body: { vpc_ep_server_name: name } }),
		);
	const first = post('first');
	while (proxy.connections === 0) await sleep(5);
	await sleep(50);
	expect((await post('second')).milliseconds).toBeLessThan(500);
	expect((await first).milliseconds).toBeGreaterThan(900);
	await proxy.close();
});
