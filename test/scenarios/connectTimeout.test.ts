import { setTimeout as sleep } from 'node:timers/promises';

import type { NodeEgressFilter } from 'n8n-workflow';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { helpers, pooled, transport } from '../support/engine/built';
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

/** Milliseconds that a request may take where its connection is never established. */
const TIMEOUT = 5_000;

/**
 * What becomes of such a request. n8n's helper knows one timeout only, which ends the request without a word on whether it
 * was sent.
 */
const ending = pooled
	? { after: 10_000, code: 'CONNECTION_FAILED', outcomeUnknown: false, error: 'the host did not answer' }
	: { after: TIMEOUT, code: 'TIMEOUT', outcomeUnknown: true, error: 'did not answer in time' };

/** Of proxies, n8n's helper takes HTTP proxies only. */
const schemes = pooled ? ['http', 'socks5'] : ['http'];

describe('a connection that is not established', () => {
	// All at once, as it takes its time.
	it('ends after 10 seconds in the pooled build, after the timeout in the other, and a slow response does not', async () => {
		const mute = await startTcpProxy(service.url);
		mute.behaviour = () => ({ onRequest: 'hang' });
		const slow = await startCountingService({ latency: 11_000 });
		const address = `127.0.0.1:${mute.port}`;
		const start = (credential: object, timeout = TIMEOUT) =>
			took(verify(names, { credential, options: { maxRetries: 0, timeout } }));

		const running: Array<ReturnType<typeof start>> = [];
		for (const scheme of schemes) {
			setProxies({ HTTPS_PROXY: `${scheme}://${address}` });
			running.push(start(service.credentials));
			while (mute.used < running.length * names.length) await sleep(5);
		}
		setProxies();
		running.push(start({ ...service.credentials, baseUrl: `https://${address}` }));
		const egress: NodeEgressFilter = {
			validateUrl: async () => await new Promise<never>(() => undefined),
			validateConnectionHost: () => ({ ok: true, result: undefined }),
			createSecureLookup: () => () => undefined,
			validateRedirectSync: () => undefined,
		};
		const call = createClient(readCredential(service.credentials), {
			timeout: TIMEOUT,
			maxRetries: 0,
			helpers: {
				getSecureEgressFilter: () => egress,
				// Where n8n's helper sends, the policy is in the helper.
				httpRequest: async () => await new Promise<never>(() => undefined),
			},
		});
		const unresolved = took(
			call({ method: 'POST', doubt: 'It may have acted', path: '/x' }).catch((error: RequestError) => ({
				details: error.details,
			})),
		);
		const patient = start(slow.credentials, 30_000);

		const { after, error, ...details } = ending;
		for (const { result, milliseconds } of await Promise.all(running)) {
			for (const { json } of result.items) {
				expect(json).toMatchObject({ error: expect.stringContaining(error) as string, details });
			}
			expect(milliseconds).toBeGreaterThan(after - 100);
			expect(milliseconds).toBeLessThan(after + 4_000);
		}
		const { result, milliseconds } = await unresolved;
		expect(result).toEqual({ details });
		expect(milliseconds).toBeLessThan(after + 4_000);
		// Once the connection is established, only the node's own timeout counts.
		const { items } = (await patient).result;
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(postsOf(slow, names)).toEqual(names.map(() => 1));
		expect(service.posts.size).toBe(0);
		await mute.close();
		await slow.close();
	}, 40_000);
});

it('a connection that breaks before it is established delays no other request', async () => {
	const proxy = await startTcpProxy(service.url);
	// Of a reset n8n's helper does not tell that nothing was sent, so the request would not be sent again.
	proxy.behaviour = (connection) => (connection === 1 ? { onAccept: pooled ? 'reset' : 'cut' } : {});
	fixBackOff(0.999);
	const credential = readCredential({ ...service.credentials, baseUrl: `https://127.0.0.1:${proxy.port}` });
	const call = createClient(credential, { helpers, timeout: 20_000, maxRetries: 1 });
	const post = (name: string) =>
		took(
			call({ method: 'POST', doubt: 'It may have acted', path: '/x', body: { vpc_ep_server_name: name } }),
		);
	const first = post('first');
	while (proxy.connections === 0) await sleep(5);
	await sleep(50);
	expect((await post('second')).milliseconds).toBeLessThan(900);
	expect((await first).milliseconds).toBeGreaterThan(900);
	await proxy.close();
});
