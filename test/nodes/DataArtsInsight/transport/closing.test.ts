import { startSeparateService } from '../../../network/separateService';
import { detailsOf, makeNames, verify } from '../../../network/verify';

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
			const end = performance.now() + 32;
			while (performance.now() < end);
		}
	} finally {
		await service.close();
	}
});
