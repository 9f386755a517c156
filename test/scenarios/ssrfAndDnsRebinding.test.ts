// First: n8n reads its policy while it is imported.
import '../support/network/egressPolicy';

import { getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net';

import type { NodeEgressFilter } from 'n8n-workflow';

import type { RequestError } from '../../nodes/DataArtsInsight/transport/errors/errors';
import { transport } from '../support/engine/built';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { startSilentAddress } from '../support/network/silentAddress';
import { setProxies, startHttpProxy } from '../support/network/httpProxy';
import { expectOneOutputEach, makeNames, verify } from '../support/engine/verify';

const { createClient, readCredential } = transport;

const names = makeNames(5);
let service: CountingService;
beforeEach(async () => {
	setProxies();
	jest.spyOn(Math, 'random').mockReturnValue(0);
	service = await startCountingService({ host: '0.0.0.0' });
});
afterEach(async () => {
	setProxies();
	jest.restoreAllMocks();
	await service.close();
});

const at = (host: string) => `http://${host}:${new URL(service.url).port}`;
const run = async (baseUrl: string, maxConcurrency = 10) => {
	const { items } = await verify(names, {
		credentials: { ...service.credentials, baseUrl },
		options: { maxConcurrency, maxRetries: 2 },
	});
	expectOneOutputEach(items, names);
	return items;
};

describe("n8n's own egress policy", () => {
	describe.each([1, 10])('with %d under way', (maxConcurrency) => {
		it.each(['127.0.0.1', 'localhost', '127.1.2.3'])('keeps calls away from %s', async (host) => {
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

		it('lets calls through to an address that the list allows', async () => {
			const items = await run(at('127.0.0.9'), maxConcurrency);
			expect(items.map(({ json }) => json.vpc_ep_server_name)).toEqual(names);
		});
	});

	it('keeps calls away from a proxy that is blocked', async () => {
		const proxy = await startHttpProxy();
		setProxies({ HTTPS_PROXY: proxy.url });
		for (const { json } of await run(at('127.0.0.9').replace('http:', 'https:')))
			expect(json.details).toMatchObject({ code: 'BLOCKED' });
		expect([...proxy.tunnels, ...proxy.plain]).toEqual([]);
		await proxy.close();
	});
});

describe('a policy that is asked again while connecting', () => {
	/** Lets every address pass at first; the lookup does what it is told. */
	const filter = (lookup: NodeEgressFilter['createSecureLookup']): NodeEgressFilter => ({
		validateUrl: () => Promise.resolve({ ok: true, result: undefined }),
		validateConnectionHost: () => ({ ok: true, result: undefined }),
		createSecureLookup: lookup,
		validateRedirectSync: () => undefined,
	});

	const call = async (egress: NodeEgressFilter, baseUrl = at('localhost'), signal?: AbortSignal) => {
		const session = readCredential({ ...service.credentials, baseUrl });
		const callService = await createClient(session, { timeout: 1_000, maxRetries: 2, egress, signal });
		return await callService({ method: 'POST', path: '/x', body: { vpc_ep_server_name: 'a' } });
	};
	const failure = async (egress: NodeEgressFilter, baseUrl?: string, signal?: AbortSignal) =>
		await call(egress, baseUrl, signal).then(
			() => undefined,
			(error: RequestError) => error,
		);

	it('has the last word: a name that leads elsewhere by then is not connected to', async () => {
		let asked = 0;
		const error = await failure(
			filter(() => (_host, options, callback) => {
				asked++;
				callback(new Error('This address is restricted'), options.all ? [] : '');
			}),
		);
		expect(error?.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		expect(asked).toBe(1);
		expect(service.connections).toBe(0);
	});

	it('decides where the connection goes', async () => {
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

	it('may find no such name, which is repeated like everywhere else', async () => {
		let asked = 0;
		const error = await failure(
			filter(() => (_host, options, callback) => {
				asked++;
				callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), options.all ? [] : '');
			}),
		);
		expect(error?.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
		expect(error?.message).toContain('the host name could not be resolved');
		expect(asked).toBe(3);
	});

	it('is asked for the name of the proxy as well', async () => {
		setProxies({ HTTPS_PROXY: 'http://localhost:1' });
		const asked: string[] = [];
		const egress = filter(() => (host, options, callback) => {
			asked.push(host);
			callback(new Error('This address is restricted'), options.all ? [] : '');
		});
		const error = await failure(egress, at('insight.invalid').replace('http:', 'https:'));
		expect(error?.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		expect(asked).toEqual(['localhost']);
	});

	it('leads on where the first addresses of a name are dead, though n8n has turned that off', async () => {
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

	it('leads on where the first address of a name is silent, within a second', async () => {
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

	it('finds no connection that was made under another policy', async () => {
		const pass = () =>
			filter(() => (_host, options, callback) => {
				if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
				else callback(null, '127.0.0.1', 4);
			});
		const [one, other] = [pass(), pass()];
		for (const egress of [one, other, one, other]) await call(egress);
		expect(service.connections).toBe(2);
	});

	describe('that is stopped', () => {
		const stop = () => new AbortController();

		it('while it resolves the name, is not waited for', async () => {
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

		it('while the connection is looked up, is not waited for', async () => {
			const stopping = stop();
			const egress = filter(() => () => void setTimeout(() => stopping.abort(), 20));
			const error = await failure(egress, undefined, stopping.signal);
			expect(error?.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		});

		it('in the very moment of its answer, sends nothing', async () => {
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
