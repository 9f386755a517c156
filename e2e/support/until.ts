import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until `look` returns something truthy, and returns that.
 *
 * @param what for the error: what is awaited
 * @param timeout in milliseconds
 * @param interval between two polls, in milliseconds
 * @throws Error after the timeout
 */
export async function until<Found>(
	what: string,
	look: () => Found | undefined | Promise<Found | undefined>,
	timeout = 30_000,
	interval = 100,
): Promise<Found & {}> {
	for (const start = Date.now(); Date.now() - start < timeout; await sleep(interval)) {
		const found = await look();
		if (found) return found;
	}
	throw new Error(`Not within ${timeout / 1000} seconds: ${what}`);
}
