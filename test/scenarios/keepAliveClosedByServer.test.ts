import { startCountingService } from '../support/cloud/countingService';
import { startSeparateService } from '../support/cloud/separateService';
import { detailsOf, expectOneOutputEach, makeNames, postsOf, verify } from '../support/engine/verify';
import { loopbackCertificate } from '../support/cloud';

it('connections that a server closes soon cost no item, even if n8n was busy meanwhile', async () => {
	const service = await startSeparateService({ keepAliveTimeout: 20, hint: false });
	try {
		for (let round = 0; round < 10; round++) {
			const { items } = await verify(
				makeNames(10).map((name) => `${name}.${round}`),
				{ credentials: service.credentials, options: { maxRetries: 0 } },
			);
			expect(detailsOf(items)).toEqual(Array(10).fill(undefined));
			// As a Code node would: the close arrives, and nobody hears of it.
			const end = performance.now() + 60;
			while (performance.now() < end);
		}
	} finally {
		await service.close();
	}
});

describe.each([1, 20])('with %d under way', (maxConcurrency) => {
	it.each([
		['ends', 'end', undefined],
		['breaks off', 'destroy', loopbackCertificate],
	] as const)(
		'a server that %s each connection right behind its answer, without a word, costs hardly an item',
		async (_how, closeBehind, tls) => {
			const names = makeNames(400);
			let fewest = names.length;
			// Once more if need be: on a busy machine the server's end may come much later than its answer.
			for (let tries = 0; tries < 2 && fewest >= names.length / 100; tries++) {
				const service = await startSeparateService({ closeBehind, tls, hint: false });
				const { items } = await verify(names, {
					credentials: service.credentials,
					options: { maxConcurrency, maxRetries: 0 },
				});
				const seen = await service.seen();
				await service.close();
				expectOneOutputEach(items, names);
				expect(Math.max(...postsOf(seen, names))).toBe(1);
				const failed = detailsOf(items).filter((details) => details !== undefined);
				for (const { outcomeUnknown } of failed) expect(outcomeUnknown).toBe(true);
				fewest = Math.min(fewest, failed.length);
			}
			expect(fewest).toBeLessThan(names.length / 100);
		},
	);
});

it.each([5, 20])(
	'a gateway that ends each connection with its answer of number %d gets no more of them than that takes',
	async (answersEach) => {
		const names = makeNames(100);
		const service = await startCountingService({ answersEach, latency: 5 });
		const { items } = await verify(names, {
			credentials: service.credentials,
			options: { maxConcurrency: 10, maxRetries: 0 },
		});
		await service.close();
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(postsOf(service, names)).toEqual(names.map(() => 1));
		expect(service.connections).toBeLessThanOrEqual((names.length / answersEach) * 1.3 + 10);
		expect(service.mostUnderWay).toBe(10);
	},
);

it.each([1_000, 2_000])(
	'a server that keeps an idle connection for %d ms and says so gets no connection for each call',
	async (keepAliveTimeout) => {
		const names = makeNames(20);
		const service = await startCountingService({ keepAliveTimeout });
		const { items } = await verify(names, {
			credentials: service.credentials,
			options: { maxConcurrency: 1, maxRetries: 0 },
		});
		await service.close();
		expect(detailsOf(items)).toEqual(names.map(() => undefined));
		expect(service.connections).toBeLessThanOrEqual(2);
	},
);
