import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import {
	endpointServices,
	expiredCertificate,
	futureCertificate,
	loopbackCertificate,
	startSimulator,
} from '../support/cloud';
import { startCountingService } from '../support/cloud/countingService';
import { pooled } from '../support/engine/built';
import { startTcpProxy } from '../support/network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

const names = makeNames(10);

// No waits between repetitions, should there be any.
useNoBackOff();

describe.each([1, 10])('with %d in flight, a server whose TLS certificate', (maxConcurrency) => {
	it.each([
		[
			'is self-signed',
			loopbackCertificate,
			'is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
			/certificate authority/,
		],
		['has expired', expiredCertificate, 'has expired (CERT_HAS_EXPIRED)', /renew the certificate/],
		['is not valid yet', futureCertificate, 'is not valid yet (CERT_NOT_YET_VALID)', /clock/],
	])('%s gets nothing and no retry, unless Ignore SSL Issues is on', async (_what, tls, why, remedy) => {
		const service = await startCountingService({ tls });
		const proxy = await startTcpProxy(service.url);
		const run = async (allowUnauthorizedCerts: boolean) => {
			const { items } = await verify(names, {
				credential: {
					...service.credentials,
					baseUrl: `https://127.0.0.1:${proxy.port}`,
					allowUnauthorizedCerts,
				},
				options: { maxConcurrency, maxRetries: 3 },
			});
			expectOneOutputEach(items, names);
			return items;
		};
		try {
			// The other way round at the end, too: a connection that was let through must not serve a stricter credential.
			for (const allowed of [false, true, false]) {
				const before = { connections: proxy.connections, posts: postsOf(service, names) };
				const items = await run(allowed);
				if (allowed) {
					expect(detailsOf(items)).toEqual(names.map(() => undefined));
					expect(postsOf(service, names)).toEqual(names.map(() => 1));
					continue;
				}
				for (const { json } of items) {
					expect(json.error).toBe(`No connection to 127.0.0.1:${proxy.port}: its certificate ${why}`);
				}
				for (const details of detailsOf(items)) {
					expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
					expect(details?.description).toMatch(/Nothing was sent.*Ignore SSL Issues/);
					expect(details?.description).toMatch(remedy);
					expect(/certificate authority/.test(details?.description ?? '')).toBe(why.includes('trusted'));
				}
				expect(proxy.connections - before.connections).toBe(names.length);
				expect(postsOf(service, names)).toEqual(before.posts);
			}
		} finally {
			await proxy.close();
			await service.close();
		}
	});
});

describe('environment of Node.js', () => {
	const run = promisify(execFile);
	const project = resolve(__dirname, '../..');
	const script = `
		const helpers = {};
		if (${!pooled}) {
			require('reflect-metadata');
			const { OutboundHttp } = require('@n8n/backend-network');
			helpers.httpRequest = require('@n8n/di').Container.get(OutboundHttp).requests().request;
		}
		const { createClient, readCredential } = require(process.env.TRANSPORT);
		const call = createClient(readCredential(JSON.parse(process.env.CREDENTIALS)), { helpers, timeout: 20_000, maxRetries: 0 });
		call({ method: 'POST', path: '/x', body: { vpc_ep_server_name: 'a' }, doubt: 'It may have acted' })
			.then(() => 'sent', ({ message, description }) => message + '. ' + description)
			.then((outcome) => process.stdout.write(outcome, () => process.exit()));`;

	/** What becomes of one call in it. */
	async function callWith(credential: object, environment: Record<string, string>) {
		const service = await startCountingService({ tls: loopbackCertificate, host: '0.0.0.0' });
		try {
			const { port } = new URL(service.url);
			const env = {
				...environment,
				TRANSPORT: resolve(project, 'dist/nodes/DataArtsInsight/transport'),
				CREDENTIALS: JSON.stringify({
					...service.credentials,
					baseUrl: `https://127.0.0.1:${port}`,
					allowUnauthorizedCerts: false,
					...credential,
				}).replaceAll('PORT', port),
			};
			const { stdout } = await run(process.execPath, ['-e', script], { env, cwd: project });
			return { outcome: stdout.trim(), posts: service.posts.size };
		} finally {
			await service.close();
		}
	}

	it('NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing: the credential decides', async () => {
		const { outcome, posts } = await callWith({}, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
		expect(outcome).toContain('(DEPTH_ZERO_SELF_SIGNED_CERT)');
		expect(posts).toBe(0);
	});

	describe('with NODE_EXTRA_CA_CERTS', () => {
		const file = join(tmpdir(), `loopback-${process.pid}.pem`);
		beforeAll(async () => await writeFile(file, loopbackCertificate.cert));
		afterAll(async () => await rm(file));
		const trusting = { NODE_EXTRA_CA_CERTS: file };

		it('TLS certificates of that authority are accepted', async () => {
			expect(await callWith({}, trusting)).toEqual({ outcome: 'sent', posts: 1 });
		});

		it('a TLS certificate for another host is refused, and the advice speaks of the address', async () => {
			const { outcome, posts } = await callWith({ baseUrl: 'https://127.0.0.2:PORT' }, trusting);
			expect(outcome).toContain('its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)');
			expect(outcome).toContain('it has to be the name that the certificate is for');
			expect(outcome).not.toContain('authority');
			expect(posts).toBe(0);
		});
	});
});

it('a server without TLS gets nothing at an https address, and no retry', async () => {
	const service = await startCountingService();
	const { items } = await verify(names, {
		credential: { ...service.credentials, baseUrl: service.url.replace('http:', 'https:') },
		options: { maxRetries: 0 },
	});
	await service.close();
	// n8n's helper tells of a TLS handshake that fails what it would tell of garbage that comes later.
	const outcome = pooled
		? { code: 'CONNECTION_FAILED', outcomeUnknown: false }
		: { code: 'CONNECTION_LOST', outcomeUnknown: true };
	for (const details of detailsOf(items)) expect(details).toMatchObject(outcome);
	expect(service.posts.size).toBe(0);
});

it('a login at a private cloud with a self-signed TLS certificate needs Ignore SSL Issues', async () => {
	const simulator = await startSimulator({ tls: loopbackCertificate });
	const login = async (allowUnauthorizedCerts: boolean) => {
		const credential = { ...simulator.passwordCredentials, allowUnauthorizedCerts };
		const { items } = await verify([endpointServices.webShop.name], {
			credential,
			options: { maxRetries: 0 },
		});
		return items[0]?.json.error;
	};
	try {
		expect(await login(false)).toContain('certificate is not trusted');
		expect(simulator.logins).toBe(0);
		expect(await login(true)).toBeUndefined();
		expect(simulator.logins).toBe(1);
	} finally {
		await simulator.close();
	}
});
