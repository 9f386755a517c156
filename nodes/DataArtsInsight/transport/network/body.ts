import { MAX_BODY_SIZE } from './network';

/** The first size of the buffer, in bytes. Most bodies fit in, and Node.js takes buffers of up to 4 KB from a pool. */
const FIRST_SIZE = 2 * 1024;

/**
 * Collects the body of a response. Chunks are copied: a chunk of one byte kept by itself would hold on to all that was read
 * with it.
 */
export class BodyBuffer {
	private buffer = Buffer.allocUnsafe(FIRST_SIZE);

	private size = 0;

	/** @returns whether it was added; not if the body would be larger than {@link MAX_BODY_SIZE} then */
	add(chunk: Uint8Array): boolean {
		const size = this.size + chunk.length;
		if (size > MAX_BODY_SIZE) return false;
		if (size > this.buffer.length) {
			const larger = Buffer.allocUnsafe(Math.min(MAX_BODY_SIZE, Math.max(size, 2 * this.buffer.length)));
			this.buffer.copy(larger, 0, 0, this.size);
			this.buffer = larger;
		}
		this.buffer.set(chunk, this.size);
		this.size = size;
		return true;
	}

	/** What was collected so far. */
	get bytes(): Uint8Array {
		return this.buffer.subarray(0, this.size);
	}
}
