import { expectToBearLoad } from '../support/engine/load';

it('50,000 items with faults among them: none is lost, doubled or out of place', async () => {
	await expectToBearLoad(50_000, 2024);
}, 600_000);
