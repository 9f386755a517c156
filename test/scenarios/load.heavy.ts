import { expectToBearLoad } from '../support/engine/load';

it('load: of 50,000 items with faults none is lost, sent twice or out of order', async () => {
	await expectToBearLoad(50_000, 2024);
}, 600_000);
