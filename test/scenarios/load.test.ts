import { expectToBearLoad } from '../support/engine/load';

it.each([1, 2])(
	'load: of 2,000 items with faults none is lost, sent twice or out of order (seed %d)',
	async (seed) => {
		await expectToBearLoad(2_000, seed);
	},
	180_000,
);
