/** The clock stands still but for what the run waits, which sleeps for 100 ms at most at a time and passes at once, until the mocks are restored. */
export function hurry() {
	let now = Math.ceil(performance.now());
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	const { setTimeout: start } = globalThis;
	const sleep = (done: (...words: unknown[]) => void, milliseconds = 0, ...words: unknown[]) => {
		if (milliseconds > 100) return start(done, milliseconds, ...words);
		now += milliseconds;
		return start(done, 0, ...words);
	};
	jest.spyOn(globalThis, 'setTimeout').mockImplementation(sleep as typeof setTimeout);
}
