/**
 * Fixes the random part of the wait before a retry to this share of its limit, until the mock is restored: with 0
 * there is no back-off.
 */
export function fixBackOff(share: number) {
	return jest.spyOn(Math, 'random').mockReturnValue(share);
}

/** Retries without back-off in each test of the file or `describe` that calls it: most tests are not about the wait. */
export function useNoBackOff() {
	let mock: jest.SpyInstance;
	beforeEach(() => (mock = fixBackOff(0)));
	afterEach(() => mock.mockRestore());
}
