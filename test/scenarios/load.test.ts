import { expectToBearLoad } from '../support/engine/load';

it.each([1, 2])(
	'2,000 items with faults among them: none is lost, doubled or out of place (seed %d)',
	async (seed) => {
		await expectToBearLoad(2_000, seed);
	},
);
