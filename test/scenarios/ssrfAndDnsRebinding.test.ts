// First: n8n reads its policy while it is imported.
import '../support/network/egressPolicy';

import { promises as dns } from 'node:dns';
import { getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ICredentialsDecrypted, NodeEgressFilter } from 'n8n-workflow';

import type { DataArtsInsight } from '../../nodes/DataArtsInsight/DataArtsInsight.node';
import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { built, helpers, OUR_NODE, pooled, testHelpers, transport } from '../support/engine/built';
import { searchList } from '../support/engine';
import { loopbackCertificate, startSimulator } from '../support/cloud';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { startScriptedServer } from '../support/network/scriptedServer';
import { startSilentAddress } from '../support/network/silentAddress';
import { setProxies, startHttpProxy } from '../support/network/httpProxy';
import { expectOneOutputEach, makeNames, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

const { createClient, readCredential } = transport;

const names = makeNames(5);
let service: CountingService;
useNoBackOff();
beforeEach(async () => {
	setProxies();
	service = await startCountingService({ host: '0.0.0.0' });
});
afterEach(async () => {
	setProxies();
	await service.close();
});

const at = (host: string) => `http://${host}:${new URL(service.url).port}`;
const run = async (baseUrl: string, maxConcurrency = 10) => {
	const { items } = await verify(names, {
		credential: { ...service.credentials, baseUrl },
		options: { maxConcurrency, maxRetries: 2 },
	});
	expectOneOutputEach(items, names);
	return items;
};

describe("n8n's egress (SSRF) policy", () => {
	describe.each([1, 10])('with %d in flight', (maxConcurrency) => {
		it.each(['127.0.0.1', 'localhost', '127.1.2.3'])('blocks %s', async (host) => {
			for (const { json } of await run(at(host), maxConcurrency)) {
				expect(json.error).toBe(`n8n is not allowed to call ${new URL(at(host)).host}`);
				expect(json.details).toMatchObject({
					code: 'BLOCKED',
					outcomeUnknown: false,
					description: expect.stringContaining('N8N_SSRF_ALLOWED_HOSTNAMES') as string,
				});
			}
			expect(service.posts.size).toBe(0);
			expect(service.connections).toBe(0);
		});

		it('lets an address through that N8N_SSRF_ALLOWED_IP_RANGES allows', async () => {
			const items = await run(at('127.0.0.9'), maxConcurrency);
			expect(items.map(({ json }) => json.vpc_ep_server_name)).toEqual(names);
		});
	});

	it('a proxy at a blocked address', async () => {
		await service.close();
		service = await startCountingService({ host: '127.0.0.9', tls: loopbackCertificate });
		const proxy = await startHttpProxy();
		setProxies({ HTTPS_PROXY: proxy.url });
		const items = await run(at('127.0.0.9').replace('http:', 'https:'));
		// The operator named the proxy, so n8n's helper does not ask the policy about it.
		for (const { json } of items) {
			if (pooled) expect(json.details).toMatchObject({ code: 'BLOCKED', outcomeUnknown: false });
			else expect(json.details).toBeUndefined();
		}
		expect(proxy.tunnels).toHaveLength(pooled ? 0 : names.length);
		await proxy.close();
	});

	it('blocks a service behind a proxy', async () => {
		const proxy = await startHttpProxy();
		setProxies({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, ALL_PROXY: proxy.url });
		for (const scheme of ['https:', 'http:']) {
			for (const { json } of await run(at('127.0.0.1').replace('http:', scheme)))
				expect(json.details).toMatchObject({ code: 'BLOCKED', outcomeUnknown: false });
		}
		expect([...proxy.tunnels, ...proxy.plain]).toEqual([]);
		await proxy.close();
	});

	it('DNS rebinding is blocked: the address that is connected to is checked as well', async () => {
		// n8n keeps for a second what an earlier test has found.
		await sleep(1_100);
		// As n8n asks: before it connects all addresses of the name, and while it connects once more.
		let lookups = 0;
		const lookup = jest.spyOn(dns, 'lookup').mockImplementation((async () => {
			const address = lookups++ === 0 ? '127.0.0.9' : '127.0.0.1';
			await new Promise((resolve) => setTimeout(resolve, 1));
			return [{ address, family: 4 }];
		}) as unknown as typeof dns.lookup);
		const { items } = await verify(names.slice(0, 1), {
			credential: { ...service.credentials, baseUrl: at('localhost') },
			options: { maxRetries: 0 },
		}).finally(() => lookup.mockRestore());
		expect(items[0]?.json.details).toMatchObject({ code: 'BLOCKED', outcomeUnknown: false });
		expect(lookups).toBe(2);
		expect(service.connections).toBe(0);
	});
});

it("n8n's egress (SSRF) policy and the test of a credential", async () => {
	const server = await startScriptedServer(() => ({ body: { connections: [], total_count: 0 } }));
	const data = { ...service.credentials, baseUrl: server.url };
	const credential = { id: '1', name: 'Test', type: 'dataArtsInsightApi', data } as ICredentialsDecrypted;
	const node = (await built).nodes[OUR_NODE] as DataArtsInsight;
	const { status, message } = await node.methods.credentialTest.dataArtsInsightApiTest.call(
		testHelpers,
		credential,
	);
	// n8n's helper asks the policy. For a transport of our own n8n does not offer the policy to the test.
	expect({ status, message }).toEqual(
		pooled
			? { status: 'OK', message: expect.any(String) as string }
			: {
					status: 'Error',
					message: expect.stringContaining(
						`n8n is not allowed to call ${new URL(server.url).host}`,
					) as string,
				},
	);
	expect(server.seen).toHaveLength(pooled ? 1 : 0);
	await server.close();
});

/** n8n's helper takes no other policy than n8n's own. */
(pooled ? describe : describe.skip)('an egress (SSRF) policy at connect', () => {
	/** Lets every address pass at first; the lookup does what it is told. */
	const filter = (lookup: NodeEgressFilter['createSecureLookup']): NodeEgressFilter => ({
		validateUrl: () => Promise.resolve({ ok: true, result: undefined }),
		validateConnectionHost: () => ({ ok: true, result: undefined }),
		createSecureLookup: lookup,
		validateRedirectSync: () => undefined,
	});

	const call = async (egress: NodeEgressFilter, baseUrl = at('localhost'), signal?: AbortSignal) => {
		const credential = readCredential({ ...service.credentials, baseUrl });
		const callService = createClient(credential, {
			timeout: 1_000,
			maxRetries: 2,
			helpers: { ...helpers, getSecureEgressFilter: () => egress },
			signal,
		});
		return await callService({
			method: 'POST',
			doubt: 'It may have acted',
			path: '/x',
			body: { vpc_ep_server_name: 'a' },
		});
	};
	const failure = async (egress: NodeEgressFilter, baseUrl?: string, signal?: AbortSignal) =>
		await call(egress, baseUrl, signal).then(
			() => undefined,
			(error: RequestError) => error,
		);

	it('DNS rebinding is blocked', async () => {
		let lookups = 0;
		const error = await failure(
			filter(() => (_host, options, callback) => {
				lookups++;
				callback(new Error('This address is restricted'), options.all ? [] : '');
			}),
		);
		expect(error?.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		expect(lookups).toBe(1);
		expect(service.connections).toBe(0);
	});

	it('decides which address is connected to', async () => {
		await service.close();
		// Only there, where localhost does not lead.
		service = await startCountingService({ host: '127.0.0.9' });
		const answer = await call(
			filter(() => (_host, options, callback) => {
				if (options.all) callback(null, [{ address: '127.0.0.9', family: 4 }]);
				else callback(null, '127.0.0.9', 4);
			}),
		);
		expect(answer.vpc_ep_server_name).toBe('a');
	});

	it('retries a host name that DNS does not know (ENOTFOUND)', async () => {
		let lookups = 0;
		const error = await failure(
			filter(() => (_host, options, callback) => {
				lookups++;
				callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), options.all ? [] : '');
			}),
		);
		expect(error?.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
		expect(error?.message).toContain('the host name could not be resolved');
		expect(lookups).toBe(3);
	});

	it('retries a host name that its own DNS lookup does not know (ENOTFOUND)', async () => {
		// What n8n's own policy does with such a name: its promise is rejected with the error of the name resolution.
		let lookups = 0;
		const egress: NodeEgressFilter = {
			validateUrl: () => {
				lookups++;
				return Promise.reject(
					Object.assign(new Error('getaddrinfo ENOTFOUND insight.invalid'), { code: 'ENOTFOUND' }),
				);
			},
			validateConnectionHost: () => ({ ok: true, result: undefined }),
			createSecureLookup: () => () => undefined,
			validateRedirectSync: () => undefined,
		};
		const credential = readCredential({ ...service.credentials, baseUrl: 'https://insight.invalid' });
		const call = createClient(credential, {
			timeout: 1_000,
			maxRetries: 2,
			helpers: { ...helpers, getSecureEgressFilter: () => egress },
		});
		const error: unknown = await call({ method: 'POST', doubt: 'It may have acted', path: '/x' }).catch(
			(reason: unknown) => reason,
		);
		expect(error).toMatchObject({
			message: 'No connection to insight.invalid: the host name could not be resolved',
			details: { code: 'CONNECTION_FAILED', outcomeUnknown: false },
		});
		// As often as without a policy.
		expect(lookups).toBe(3);
	});

	it('DNS rebinding of the proxy is blocked as well', async () => {
		setProxies({ HTTPS_PROXY: 'http://localhost:1' });
		const hosts: string[] = [];
		const egress = filter(() => (host, options, callback) => {
			hosts.push(host);
			callback(new Error('This address is restricted'), options.all ? [] : '');
		});
		const error = await failure(egress, at('insight.invalid').replace('http:', 'https:'));
		expect(error?.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		expect(hosts).toEqual(['localhost']);
	});

	it('tries the next DNS address where the first ones refuse (happy eyeballs)', async () => {
		const before = getDefaultAutoSelectFamily();
		setDefaultAutoSelectFamily(false);
		await service.close();
		service = await startCountingService({ host: '127.0.0.9' });
		const egress = filter(() => (_host, options, callback) => {
			const addresses = [
				{ address: '::1', family: 6 },
				{ address: '127.0.0.7', family: 4 },
				{ address: '127.0.0.9', family: 4 },
			];
			if (options.all) callback(null, addresses);
			else callback(null, '::1', 6);
		});
		const answer = await call(egress).finally(() => setDefaultAutoSelectFamily(before));
		expect(answer.vpc_ep_server_name).toBe('a');
	});

	it('tries the next DNS address within a second where the first does not answer (happy eyeballs)', async () => {
		const before = getDefaultAutoSelectFamily();
		setDefaultAutoSelectFamily(false);
		await service.close();
		service = await startCountingService({ host: '127.0.0.9' });
		const silent = await startSilentAddress('127.0.0.7', Number(new URL(service.url).port));
		const egress = filter(() => (_host, options, callback) => {
			const addresses = ['127.0.0.7', '127.0.0.9'].map((address) => ({ address, family: 4 }));
			if (options.all) callback(null, addresses);
			else callback(null, '127.0.0.7', 4);
		});
		const begin = performance.now();
		const answer = await call(egress).finally(() => setDefaultAutoSelectFamily(before));
		const took = performance.now() - begin;
		await silent.close();
		expect(answer.vpc_ep_server_name).toBe('a');
		expect(took).toBeGreaterThan(400);
		expect(took).toBeLessThan(2_000);
	});

	it('does not use a keep-alive connection of another policy', async () => {
		const pass = () =>
			filter(() => (_host, options, callback) => {
				if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
				else callback(null, '127.0.0.1', 4);
			});
		const [one, other] = [pass(), pass()];
		for (const egress of [one, other, one, other]) await call(egress);
		expect(service.connections).toBe(2);
	});

	describe('cancel', () => {
		const stop = () => new AbortController();

		it('during the DNS lookup of the policy ends at once', async () => {
			const stopping = stop();
			const egress = {
				...filter(() => () => undefined),
				validateUrl: async () => {
					setTimeout(() => stopping.abort(), 20);
					return await new Promise<never>(() => undefined);
				},
			};
			const error = await failure(egress, undefined, stopping.signal);
			expect(error?.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		});

		it('during the DNS lookup of the connection ends at once', async () => {
			const stopping = stop();
			const egress = filter(() => () => void setTimeout(() => stopping.abort(), 20));
			const error = await failure(egress, undefined, stopping.signal);
			expect(error?.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		});

		it('at the moment of the decision sends nothing', async () => {
			const stopping = stop();
			const egress = {
				...filter(() => (_host, options, callback) => {
					if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
					else callback(null, '127.0.0.1', 4);
				}),
				validateUrl: () => {
					stopping.abort();
					return Promise.resolve({ ok: true as const, result: undefined });
				},
			};
			const error = await failure(egress, undefined, stopping.signal);
			expect(error?.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
			expect(service.posts.size).toBe(0);
		});
	});
});

it("n8n's egress (SSRF) policy blocks the login at IAM", async () => {
	const iam = await startScriptedServer(() => ({}));
	const simulator = await startSimulator();
	const credential = {
		...simulator.passwordCredentials,
		baseUrl: simulator.url.replace('127.0.0.1', '127.0.0.9'),
		iamUrl: iam.url,
	};
	const { items } = await verify(['a', 'b'], { credential });
	expect(items).toHaveLength(2);
	for (const { json } of items)
		expect(json.details).toMatchObject({ code: 'BLOCKED', outcomeUnknown: false });
	expect(iam.seen).toEqual([]);
	await iam.close();
	await simulator.close();
});

it("n8n's egress (SSRF) policy blocks the list of endpoint services", async () => {
	const service = await startScriptedServer(() => ({ body: { endpoint_services: [], total_count: 0 } }));
	const credential = {
		region: 'custom',
		baseUrl: service.url,
		token: 'MIItoken',
		projectId: 'p',
		workspaceId: 'w',
	};
	const search = async (vpcepUrl: string) =>
		await searchList(OUR_NODE, 'searchEndpointServices', {
			types: await built,
			credentials: { dataArtsInsightApi: { ...credential, vpcepUrl } },
		});
	await expect(search(service.url)).rejects.toThrow('could not be listed');
	expect(service.seen).toEqual([]);
	await service.close();
});
