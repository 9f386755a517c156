import { randomBytes } from 'node:crypto';

import { BodyBuffer } from '../../../../../nodes/DataArtsInsight/transport/network/body';
import { MAX_BODY_SIZE } from '../../../../../nodes/DataArtsInsight/transport/network/network';

function collect(sizes: number[]) {
	const parts = sizes.map((size) => randomBytes(size));
	const requested = jest.spyOn(Buffer, 'allocUnsafe');
	const body = new BodyBuffer();
	const added = parts.map((part) => body.add(part));
	const buffers = requested.mock.calls.map(([size]) => size);
	requested.mockRestore();
	return { body, added, buffers, whole: Buffer.concat(parts.filter((_, i) => added[i])) };
}

describe('the body of a response', () => {
	it('is empty at first', () => {
		expect(new BodyBuffer().bytes).toHaveLength(0);
	});

	it.each([
		[[0], [2_048]],
		[[2_048], [2_048]],
		[[2_000, 48], [2_048]],
		[
			[2_048, 1],
			[2_048, 4_096],
		],
		[
			[2_500, 1_500, 97],
			[2_048, 4_096, 8_192],
		],
		[[10_000], [2_048, 10_000]],
		[
			[600_000, 1],
			[2_048, 600_000, MAX_BODY_SIZE],
		],
		[[MAX_BODY_SIZE], [2_048, MAX_BODY_SIZE]],
	])('in chunks of %j bytes takes buffers of %j', (sizes, expected) => {
		const { body, added, buffers, whole } = collect(sizes);
		expect(added).not.toContain(false);
		expect(buffers).toEqual(expected);
		expect(whole.equals(body.bytes)).toBe(true);
	});

	it('is a copy of its chunks', () => {
		const body = new BodyBuffer();
		const chunk = Uint8Array.of(1, 2, 3);
		body.add(chunk);
		chunk.fill(0);
		expect([...body.bytes]).toEqual([1, 2, 3]);
	});

	it.each([[[MAX_BODY_SIZE + 1]], [[MAX_BODY_SIZE, 1]], [[1, MAX_BODY_SIZE]]])(
		'takes no chunk that makes it larger than 1 MiB: %j',
		(sizes) => {
			const { body, added, whole } = collect(sizes);
			expect(added).toEqual([...sizes.slice(1).map(() => true), false]);
			expect(whole.equals(body.bytes)).toBe(true);
			// A smaller chunk still fits in.
			expect(body.add(randomBytes(MAX_BODY_SIZE - whole.length))).toBe(true);
			expect(body.bytes).toHaveLength(MAX_BODY_SIZE);
		},
	);
});
