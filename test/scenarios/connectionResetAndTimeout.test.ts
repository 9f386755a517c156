import {
	documentedFaults,
	type FaultName,
	faultNames,
	harmlessFaults,
	loopbackCertificate,
	startSimulator,
	validToken,
} from '../support/cloud';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { pooled } from '../support/engine/built';
import { startTcpProxy, type TcpProxy, type NetworkBehaviour } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

/** Milliseconds that a call may take where it is known to take too long. */
const TIMEOUT = 1_000;
const names = makeNames(20);

const isRefusedCaller = (fault: FaultName) =>
	new Map(Object.entries(documentedFaults)).get(fault)?.status === 401;

// No waits between repetitions: how long they are is tested elsewhere.
useNoBackOff();

async function verifyThrough(
	proxy: TcpProxy,
	service: CountingService,
	maxConcurrency: number,
	{ list = names, timeout = 20_000 } = {},
) {
	const scheme = new URL(service.url).protocol;
	const { items, run } = await verify(list, {
		credential: { ...service.credentials, baseUrl: `${scheme}//127.0.0.1:${proxy.port}` },
		options: { maxConcurrency, maxRetries: 2, timeout },
	});
	expectOneOutputEach(items, list);
	// The errors of n8n's helper hold the request.
	expect(JSON.stringify([run, items])).not.toContain(validToken);
	return items;
}

/** What is said of a request that was certainly not sent. */
const NOT_SENT = {
	code: 'CONNECTION_FAILED',
	outcomeUnknown: false,
	description: expect.stringMatching(/^(?!.*may exist)(?=.*Nothing was sent).*Tried 3 times/s) as string,
};

/** What is said of a request that may have been sent. */
const MAY_HAVE_ACTED = {
	code: 'CONNECTION_LOST',
	outcomeUnknown: true,
	description: expect.stringMatching(/^(?!.*Nothing was sent).*a VPC endpoint may exist/s) as string,
};

/**
 * Whether it is known that a connection that ends so during the TLS handshake carried nothing. n8n's helper tells of a reset
 * what it would tell of one later, unless the operating system tells it of the reset while it is still connecting.
 */
const isKnownNotSent = ({ onAccept, onRequest, onResponse }: NetworkBehaviour) =>
	pooled || (onAccept ?? onRequest ?? onResponse?.end) !== 'reset';

describe.each([1, 10])('with %d in flight, a network that', (maxConcurrency) => {
	describe('breaks an established connection:', () => {
		let service: CountingService;
		let proxy: TcpProxy;
		beforeEach(async () => {
			service = await startCountingService();
			proxy = await startTcpProxy(service.url);
		});
		afterEach(async () => {
			await proxy.close();
			await service.close();
		});

		it.each<[string, NetworkBehaviour, string, number]>([
			['closes it before the request is forwarded', { onRequest: 'cut' }, 'CONNECTION_LOST', 0],
			['reset before the request is forwarded', { onRequest: 'reset' }, 'CONNECTION_LOST', 0],
			[
				'closes it once the service has the request',
				{ onResponse: { after: 0, end: 'cut' } },
				'CONNECTION_LOST',
				1,
			],
			[
				'reset once the service has the request',
				{ onResponse: { after: 0, end: 'reset' } },
				'CONNECTION_LOST',
				1,
			],
			['closes it within the headers', { onResponse: { after: 40, end: 'cut' } }, 'CONNECTION_LOST', 1],
			['reset within the headers', { onResponse: { after: 40, end: 'reset' } }, 'CONNECTION_LOST', 1],
			['closes it within the body', { onResponse: { after: 400, end: 'cut' } }, 'CONNECTION_LOST', 1],
			['reset within the body', { onResponse: { after: 400, end: 'reset' } }, 'CONNECTION_LOST', 1],
		])('%s: no retry, and an endpoint may exist', async (_what, behaviour, code, posts) => {
			proxy.behaviour = () => behaviour;
			const items = await verifyThrough(proxy, service, maxConcurrency);
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ ...MAY_HAVE_ACTED, code });
			}
			expect(postsOf(service, names)).toEqual(names.map(() => posts));
			// Such a connection is of no more use, so each further one would be a further attempt.
			expect(proxy.used).toBe(names.length);
		});

		it.each<[string, NetworkBehaviour, number]>([
			['drops the request', { onRequest: 'hang' }, 0],
			['drops the response', { onResponse: { after: 0, end: 'hang' } }, 1],
			['drops the rest of the response', { onResponse: { after: 400, end: 'hang' } }, 1],
			['sends the response a few bytes at a time', { drip: { bytes: 10, every: 20 } }, 1],
			['sends the response too late', { delay: TIMEOUT * 2 }, 1],
		])('%s: timeout, no retry', async (_what, behaviour, posts) => {
			proxy.behaviour = () => behaviour;
			const few = names.slice(0, maxConcurrency === 1 ? 2 : 10);
			const started = performance.now();
			const items = await verifyThrough(proxy, service, maxConcurrency, { list: few, timeout: TIMEOUT });
			expect(performance.now() - started).toBeLessThan((few.length / maxConcurrency) * TIMEOUT + 2_000);
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'TIMEOUT', outcomeUnknown: true });
			}
			expect(postsOf(service, few)).toEqual(few.map(() => posts));
			expect(proxy.used).toBe(few.length);
		});

		it.each<[string, NetworkBehaviour]>([
			['has a latency', { delay: 5 }],
			['splits the response into small packets', { drip: { bytes: 100, every: 1 } }],
		])(
			'%s: every item succeeds, and the pooled build uses its connections again',
			async (_what, behaviour) => {
				proxy.behaviour = () => behaviour;
				const items = await verifyThrough(proxy, service, maxConcurrency);
				expect(detailsOf(items)).toEqual(names.map(() => undefined));
				expect(postsOf(service, names)).toEqual(names.map(() => 1));
				expect(proxy.connections).toBe(pooled ? maxConcurrency : names.length);
				expect(proxy.bytesDown).toBeGreaterThan(names.length * 500);
			},
		);

		it('resets the first connections: only the requests on them are lost', async () => {
			proxy.behaviour = (connection) =>
				connection <= maxConcurrency ? { onResponse: { after: 400, end: 'reset' } } : {};
			const items = await verifyThrough(proxy, service, maxConcurrency);
			expect(detailsOf(items).filter((details) => details?.outcomeUnknown)).toHaveLength(maxConcurrency);
			expect(items.filter(({ json }) => json.id)).toHaveLength(names.length - maxConcurrency);
			expect(postsOf(service, names)).toEqual(names.map(() => 1));
		});
	});

	describe('lets no connection be established:', () => {
		let service: CountingService;
		let proxy: TcpProxy;
		beforeEach(async () => {
			service = await startCountingService({ tls: loopbackCertificate });
			proxy = await startTcpProxy(service.url);
		});
		afterEach(async () => {
			await proxy.close();
			await service.close();
		});

		const within: Array<[string, NetworkBehaviour]> = [
			['closes it when it is accepted', { onAccept: 'cut' }],
			['reset when it is accepted', { onAccept: 'reset' }],
			['closes it at the beginning of the TLS handshake', { onRequest: 'cut' }],
			['reset at the beginning of the TLS handshake', { onRequest: 'reset' }],
			['closes it in the middle of the TLS handshake', { onResponse: { after: 100, end: 'cut' } }],
			['reset in the middle of the TLS handshake', { onResponse: { after: 100, end: 'reset' } }],
		];

		it.each(within)('%s: Max Retries where it is known that nothing was sent', async (_what, behaviour) => {
			proxy.behaviour = () => behaviour;
			const items = await verifyThrough(proxy, service, maxConcurrency);
			for (const details of detailsOf(items)) {
				const unknown = !isKnownNotSent(behaviour) && details?.outcomeUnknown;
				expect(details).toMatchObject(unknown ? MAY_HAVE_ACTED : NOT_SENT);
			}
			if (isKnownNotSent(behaviour)) expect(proxy.connections).toBe(names.length * 3);
			expect(proxy.connections).toBeLessThanOrEqual(names.length * 3);
			expect(service.posts.size).toBe(0);
		});

		it.each(within)('%s, at first: a retry succeeds, and nothing is sent twice', async (_what, behaviour) => {
			const bad = maxConcurrency === 1 ? 2 : 10;
			proxy.behaviour = (connection) => (connection <= bad ? behaviour : {});
			const items = await verifyThrough(proxy, service, maxConcurrency);
			const lost = detailsOf(items).filter((details) => details !== undefined);
			for (const details of lost) expect(details).toMatchObject(MAY_HAVE_ACTED);
			expect(lost.length).toBeLessThanOrEqual(isKnownNotSent(behaviour) ? 0 : bad);
			expect(postsOf(service, names)).toEqual(detailsOf(items).map((details) => (details ? 0 : 1)));
			expect(proxy.connections).toBe(bad + (pooled ? maxConcurrency : names.length - lost.length));
		});

		it('ECONNREFUSED: Max Retries, and nothing was sent', async () => {
			await proxy.close();
			const items = await verifyThrough(proxy, service, maxConcurrency);
			for (const { json } of items) {
				expect(json.error).toBe(`No connection to 127.0.0.1:${proxy.port}: it was refused`);
			}
			for (const details of detailsOf(items)) {
				expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
				expect(details?.description).toContain('Tried 3 times');
			}
			expect(service.posts.size).toBe(0);
		});
	});
});

describe.each([1, 10])('with %d in flight, a service', (maxConcurrency) => {
	// These make the caller wait for a second, or until the time is up.
	const slow: FaultName[] = ['throttled-retry-after', 'no-answer', 'slow-drip'];
	const repeated: FaultName[] = ['apigw-0308', 'apig-0308', 'iam-0012', 'apigw-0613', 'endpoint-0022'];
	const unknown: FaultName[] = [
		'sign-in-page',
		'html-502',
		'plain-503',
		'empty-200',
		'json-array',
		'no-id',
		'broken-json',
		'giant',
		'connection-reset',
		'truncated',
		'no-answer',
		'slow-drip',
	];
	const isUnknown = (fault: FaultName) => {
		const { status } = Object.hasOwn(documentedFaults, fault)
			? documentedFaults[fault as keyof typeof documentedFaults]
			: { status: 0 };
		return unknown.includes(fault) || (status >= 500 && !repeated.includes(fault));
	};

	it('with every fault it can have: only what throttles and 503 of the gateway get a retry', async () => {
		const simulator = await startSimulator();
		// After a 401 the token is not sent any more.
		const quick = faultNames.filter(
			(fault) => ![...slow, ...harmlessFaults].includes(fault) && !isRefusedCaller(fault),
		);
		const hanging: FaultName[] = ['no-answer', 'slow-drip'];
		// Most of them thrice, so that each is met by others before and behind it.
		const list = [...quick, ...hanging, ...quick, ...quick].map((fault, index) => ({
			fault,
			name: `cn-north-4.fault-${fault}.item-${index}`,
		}));
		const wanted = list.map(({ name }) => name);
		const { items } = await verify(wanted, {
			credential: simulator.credentials,
			// Long enough for the others on a busy machine.
			options: { maxConcurrency, maxRetries: 2, timeout: 5_000 },
		});
		await simulator.close();

		expectOneOutputEach(items, wanted);
		const posts = new Map<string, number>();
		for (const { method, path, body } of simulator.requests) {
			expect([method, path]).toEqual(['POST', expect.stringContaining('/connections/vpc-endpoint')]);
			const { vpc_ep_server_name: name } = JSON.parse(body) as { vpc_ep_server_name: string };
			posts.set(name, (posts.get(name) ?? 0) + 1);
		}
		const details = detailsOf(items);
		expect(
			list.map(({ name, fault }, index) => [fault, posts.get(name), details[index]?.outcomeUnknown]),
		).toEqual(list.map(({ fault }) => [fault, repeated.includes(fault) ? 3 : 1, isUnknown(fault)]));
	});
});
