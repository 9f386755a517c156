import { loopbackCertificate } from '../../../simulator';
import { expiredCertificate } from '../../../network/certificates';
import { startCountingService } from '../../../network/countingService';
import { startTcpProxy } from '../../../network/tcpProxy';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../../../network/verify';

const names = makeNames(10);

// No waits between repetitions, should there be any.
beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => jest.restoreAllMocks());

describe.each([1, 10])('with %d under way, a server whose certificate', (maxConcurrency) => {
	it.each([
		['nobody vouches for', loopbackCertificate, 'is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)'],
		['has expired', expiredCertificate, 'has expired (CERT_HAS_EXPIRED)'],
	])('%s gets nothing and is asked once, unless the credential says otherwise', async (_what, tls, why) => {
		const service = await startCountingService({ tls });
		const proxy = await startTcpProxy(service.url);
		const run = async (allowUnauthorizedCerts: boolean) => {
			const { items } = await verify(names, {
				credentials: {
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
