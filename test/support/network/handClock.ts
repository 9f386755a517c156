/** A clock that goes only by hand. */
export interface HandClock {
	/** Lets milliseconds pass, and rings all timers: those that are early have to see it by the time. */
	pass: (milliseconds: number) => void;
	/** Lets milliseconds pass in which no timer rings. */
	wait: (milliseconds: number) => void;
	/** The milliseconds of all timers that are set, in the order in which they were. */
	delays: () => number[];
}

/** Puts a clock that goes only by hand in the place of `performance.now` and `AbortSignal.timeout`, for each test of a file. */
export function useHandClock(): HandClock {
	let now: number;
	let timers: Array<{ delay: number; end: AbortController }>;
	const wait = (milliseconds: number) => void (now += milliseconds);
	const pass = (milliseconds: number) => {
		wait(milliseconds);
		for (const { end } of timers.splice(0)) end.abort();
	};
	beforeEach(() => {
		now = 1_000_000;
		timers = [];
		jest.spyOn(performance, 'now').mockImplementation(() => now);
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((delay) => {
			const end = new AbortController();
			timers.push({ delay, end });
			return end.signal;
		});
	});
	afterEach(() => {
		// So that no deadline waits for a timer of an earlier test.
		pass(1_000_000_000);
		jest.restoreAllMocks();
	});
	return { pass, wait, delays: () => timers.map(({ delay }) => delay) };
}
