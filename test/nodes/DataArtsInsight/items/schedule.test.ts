import crypto from 'node:crypto';

import fc from 'fast-check';

import { schedule, type Work } from '../../../../nodes/DataArtsInsight/items/schedule';

/** What happens to a request each time that it is sent: it is done, fails, or is to be sent again after milliseconds. */
type Outcome = 'done' | 'fails' | number;

const tick = async () => await new Promise((resolve) => setImmediate(resolve));

const until = async (isSo: () => boolean) => {
	while (!isSo()) await tick();
};

/** A work of requests `r0`, `r1`, … whose outcomes are planned. It notes what happens, and counts. */
function plannedWork(plan: Partial<Work<string>> & { outcomes?: (index: number, time: number) => Outcome }) {
	const log: string[] = [];
	const times = new Map<number, number>();
	const counts = { inFlight: 0, mostInFlight: 0, readAhead: 0, mostReadAhead: 0 };
	const { outcomes = () => 'done', ...given } = plan;
	const work: Work<string> = {
		total: 10,
		maxConcurrency: 3,
		read: async (index) => await Promise.resolve(`r${index}`),
		send: async () => await tick().then(() => undefined),
		onError: () => false,
		...given,
	};
	const watched: Work<string> = {
		...work,
		read: async (index) => {
			log.push(`read ${index}`);
			const request = await work.read(index);
			if (request === undefined) return undefined;
			counts.mostReadAhead = Math.max(counts.mostReadAhead, ++counts.readAhead);
			return request;
		},
		send: async (request, index) => {
			const time = (times.get(index) ?? 0) + 1;
			times.set(index, time);
			if (time === 1) counts.readAhead--;
			log.push(`send ${index}`);
			expect(request).toBe(`r${index}`);
			counts.mostInFlight = Math.max(counts.mostInFlight, ++counts.inFlight);
			const delay = await work.send(request, index).finally(() => counts.inFlight--);
			log.push(`end ${index}`);
			const outcome = outcomes(index, time);
			if (outcome === 'fails') throw new Error(`failed ${index}`);
			return outcome === 'done' ? delay : outcome;
		},
		onError: (error, index) => {
			log.push(`error ${index}`);
			return work.onError(error, index);
		},
	};
	const only = (kind: string) =>
		log.filter((line) => line.startsWith(`${kind} `)).map((line) => Number(line.split(' ')[1]));
	return { run: async () => await schedule(watched), log, only, times, counts };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Rejects for the indices that are named. */
const unreadable =
	(...indices: number[]) =>
	async (index: number) =>
		await (indices.includes(index) ? Promise.reject(new Error('unreadable')) : Promise.resolve(`r${index}`));

afterEach(() => jest.useRealTimers());

describe('the requests', () => {
	it('are read and sent in order, as many at the same time as allowed, and each once', async () => {
		const { run, only, counts } = plannedWork({ total: 20, maxConcurrency: 4 });
		expect(await run()).toBe(0);
		expect(only('read')).toEqual(upTo(20));
		expect(only('send')).toEqual(upTo(20));
		expect(counts.mostInFlight).toBe(4);
	});

	it('need not be any', async () => {
		const { run, log } = plannedWork({ total: 0 });
		expect(await run()).toBe(0);
		expect(log).toEqual([]);
	});

	it('are not sent where there is nothing to send', async () => {
		const { run, only } = plannedWork({
			read: async (index) => await Promise.resolve(index % 2 ? `r${index}` : undefined),
		});
		await run();
		expect(only('send')).toEqual([1, 3, 5, 7, 9]);
	});

	it('are awaited to the last, which is the only one in flight', async () => {
		const { run, log } = plannedWork({ total: 3, maxConcurrency: 1 });
		await run();
		expect(log.at(-1)).toBe('end 2');
	});
});

describe('the window of requests that are read ahead', () => {
	it('is filled while others are in flight, and no further', async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => (release = resolve));
		const { run, only, counts } = plannedWork({
			total: 100,
			maxConcurrency: 3,
			send: async () => await held.then(() => undefined),
		});
		const done = run();
		await until(() => only('read').length >= 6);
		await tick();
		expect(only('send')).toEqual([0, 1, 2]);
		expect(only('read')).toEqual([0, 1, 2, 3, 4, 5]);
		release();
		await done;
		expect(counts.mostReadAhead).toBeLessThanOrEqual(3);
	});

	it('lets several requests start at once when several ended together, before anything else is read', async () => {
		const endings: Array<() => void> = [];
		const { run, log, only } = plannedWork({
			total: 9,
			maxConcurrency: 3,
			send: async () => await new Promise<undefined>((resolve) => endings.push(() => resolve(undefined))),
		});
		const done = run();
		await until(() => only('read').length === 6);
		await tick();
		log.length = 0;
		endings.splice(0).forEach((end) => end());
		await until(() => endings.length === 3);
		expect(log.slice(0, 6)).toEqual(['end 0', 'end 1', 'end 2', 'send 3', 'send 4', 'send 5']);
		let isDone = false;
		void done.then(() => (isDone = true));
		await until(() => {
			endings.splice(0).forEach((end) => end());
			return isDone;
		});
	});

	it('is read one after the other', async () => {
		let reading = 0;
		const { run, only } = plannedWork({
			read: async (index) => {
				expect(++reading).toBe(1);
				await tick();
				reading--;
				return `r${index}`;
			},
		});
		await run();
		expect(only('send')).toEqual(upTo(10));
	});

	it('lets a request start while the next is still being read', async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => (release = resolve));
		const { run, only } = plannedWork({
			total: 4,
			maxConcurrency: 2,
			read: async (index) => {
				if (index === 3) await held;
				return `r${index}`;
			},
		});
		const done = run();
		await until(() => only('end').length === 3);
		release();
		await done;
		expect(only('end')).toEqual([0, 1, 2, 3]);
	});
});

describe('a request that cannot be read', () => {
	it('fails once all before it were started, and none behind it is read until then', async () => {
		// The first two end once all behind them was read as far as it can be.
		const slow = async (_request: string, index: number) =>
			await until(() => index > 1 || log.includes('read 3')).then(() => undefined);
		const { run, log } = plannedWork({ total: 8, maxConcurrency: 2, read: unreadable(3), send: slow });
		await run();
		const at = (line: string) => log.indexOf(line);
		expect(at('read 3')).toBeLessThan(at('send 2'));
		expect(at('error 3')).toBeGreaterThan(at('send 2'));
		expect(at('read 4')).toBeGreaterThan(at('error 3'));
		expect(log.filter((line) => line.startsWith('end'))).toHaveLength(7);
	});

	it('does not keep from being sent what would have been sent without reading ahead', async () => {
		const { run, only } = plannedWork({
			total: 8,
			maxConcurrency: 2,
			read: unreadable(3),
			onError: () => true,
		});
		await run();
		expect(only('send')).toEqual([0, 1, 2]);
		expect(only('end')).toEqual([0, 1, 2]);
		expect(only('read')).toEqual([0, 1, 2, 3]);
	});

	it('is not the first error if a request before it fails meanwhile, and then is none at all', async () => {
		const { run, only } = plannedWork({
			total: 8,
			maxConcurrency: 2,
			read: unreadable(3),
			outcomes: (index) => (index === 0 ? 'fails' : 'done'),
			onError: () => true,
		});
		await run();
		expect(only('error')).toEqual([0]);
		expect(only('send')).toEqual([0, 1]);
	});

	it.each([
		['in the middle', [4]],
		['at the end', [9]],
		['everywhere', upTo(10)],
	])('is passed over if the work goes on: %s', async (_where, indices) => {
		const { run, only } = plannedWork({ read: unreadable(...indices) });
		await run();
		expect(only('error')).toEqual(indices);
		expect(only('send')).toEqual(upTo(10).filter((index) => !indices.includes(index)));
	});

	it('may fail without a promise', async () => {
		const errors: number[] = [];
		await schedule({
			total: 4,
			maxConcurrency: 2,
			read: (index) => {
				if (index % 2) throw new Error('unreadable');
				return Promise.resolve('request');
			},
			send: async () => await tick().then(() => undefined),
			onError: (_error, index) => errors.push(index) < 0,
		});
		expect(errors).toEqual([1, 3]);
	});
});

describe('after a stop', () => {
	it('nothing is read or sent any more, and what is in flight is awaited', async () => {
		const { run, log } = plannedWork({
			total: 20,
			maxConcurrency: 3,
			// 0 to 2 end at once; 4 fails once 5 is in flight, and then 3 and 5 end.
			send: async (_request, index) => {
				if (index === 4) await until(() => log.includes('send 5'));
				else if (index > 2) await until(() => log.includes('error 4'));
				return undefined;
			},
			outcomes: (index) => (index === 4 ? 'fails' : 'done'),
			onError: () => true,
		});
		await run();
		const behind = log.slice(log.indexOf('error 4') + 1);
		expect(behind.sort()).toEqual(['end 3', 'end 5']);
	});

	it('the read that has begun is awaited as well, and counts for nothing', async () => {
		let isRead = false;
		const { run, only } = plannedWork({
			total: 5,
			maxConcurrency: 2,
			read: async (index) => {
				if (index === 0) return 'r0';
				for (let i = 0; i < 5; i++) await tick();
				isRead = true;
				throw new Error('unreadable');
			},
			outcomes: () => 'fails',
			onError: () => true,
		});
		await run();
		expect(isRead).toBe(true);
		expect(only('error')).toEqual([0]);
	});

	it('it is told how many requests were to be sent again, those in flight at the stop included', async () => {
		const { run, only } = plannedWork({
			total: 9,
			maxConcurrency: 3,
			outcomes: (index) => (index === 4 ? 'fails' : 60_000),
			onError: () => true,
		});
		expect(await run()).toBe(6);
		expect(only('send')).toEqual(upTo(7));
		expect(only('end').slice(-3)).toEqual([4, 5, 6]);
	});

	it('an error of what is in flight is heard, too', async () => {
		const { run, only } = plannedWork({ outcomes: () => 'fails', onError: () => true });
		await run();
		expect(only('error')).toEqual([0, 1, 2]);
	});
});

describe('a request that is to be sent again', () => {
	it('is sent as soon as it is due, and nothing waits on behind the end', async () => {
		jest.useFakeTimers();
		const start = performance.now();
		const times: number[] = [];
		const done = schedule({
			total: 1,
			maxConcurrency: 1,
			read: async () => await Promise.resolve('request'),
			send: async () => {
				times.push(Math.round(performance.now() - start));
				return await Promise.resolve([30, 60_000][times.length - 1]);
			},
			onError: () => false,
		});
		await jest.advanceTimersByTimeAsync(61_000);
		await done;
		expect(times).toEqual([0, 30, 60_030]);
		expect(jest.getTimerCount()).toBe(0);
	});

	it('is sent in its time though a later one was waited for already', async () => {
		jest.useFakeTimers();
		const start = performance.now();
		const sent: Array<[number, number]> = [];
		const done = schedule({
			total: 2,
			maxConcurrency: 2,
			read: async (index) => await Promise.resolve(index),
			send: async (index) => {
				const again = sent.some(([one]) => one === index);
				sent.push([index, Math.round(performance.now() - start)]);
				if (again) return undefined;
				if (index === 1) await new Promise((resolve) => setTimeout(resolve, 1_010));
				return index === 0 ? 10_000 : 40;
			},
			onError: () => false,
		});
		await jest.advanceTimersByTimeAsync(11_000);
		await done;
		expect(sent).toEqual([
			[0, 0],
			[1, 0],
			[1, 1_050],
			[0, 10_000],
		]);
		expect(jest.getTimerCount()).toBe(0);
	});

	it.each<[string, number, boolean, number]>([
		['sets a timer', 3, false, 1],
		['sets no timer while there is no room for it', 2, false, 0],
		['sets no timer after a stop', 3, true, 0],
	])('%s', async (_what, maxConcurrency, stops, timers) => {
		jest.useFakeTimers();
		let release = () => {};
		const held = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
		const { run, only } = plannedWork({
			total: 4,
			maxConcurrency,
			// The first is sent again later, the second may fail, the others stay in flight.
			send: async (_request, index) => await (index < 2 ? Promise.resolve(undefined) : held),
			outcomes: (index, time) => {
				if (index === 0 && time === 1) return 60_000;
				return index === 1 && stops ? 'fails' : 'done';
			},
			onError: () => stops,
		});
		const done = run();
		// A timer that is not needed any more may last for another 100 ms.
		await jest.advanceTimersByTimeAsync(150);
		expect(only('end')).toEqual([0, 1]);
		expect(jest.getTimerCount()).toBe(timers);
		release();
		await jest.advanceTimersByTimeAsync(61_000);
		expect(await done).toBe(stops ? 1 : 0);
	});

	it('sets no timer where there is none', async () => {
		jest.useFakeTimers({ doNotFake: ['setImmediate'] });
		let release = () => {};
		const held = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
		const done = plannedWork({ total: 1, send: async () => await held }).run();
		await tick();
		expect(jest.getTimerCount()).toBe(0);
		release();
		await done;
	});

	it('takes turns with new ones, so that neither kind waits for all of the other', async () => {
		let now = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => now);
		const { run, only } = plannedWork({
			total: 20,
			maxConcurrency: 1,
			send: async () => await Promise.resolve(undefined),
			outcomes: (index, time) => {
				// The clock stands still until the tenth is sent: from then on all of the first ten are due.
				if (index === 9 && time === 1) now = 1_000;
				return index < 9 && time === 1 ? 500 : 'done';
			},
		});
		await run().finally(() => jest.restoreAllMocks());
		const kinds = only('send')
			.slice(10)
			.map((index) => (index < 10 ? 'due' : 'new'));
		expect(kinds).toHaveLength(19);
		for (let i = 0; i < 16; i++) expect(new Set(kinds.slice(i, i + 2)).size).toBe(2);
	});

	it('is not sent beyond what may be in flight', async () => {
		const { run, counts, times } = plannedWork({
			total: 30,
			maxConcurrency: 4,
			outcomes: (_index, time) => (time < 4 ? 1 : 'done'),
		});
		await run();
		expect(counts.mostInFlight).toBe(4);
		expect(counts.mostReadAhead).toBeLessThanOrEqual(4);
		expect([...times.values()]).toEqual(Array(30).fill(4));
	});

	it('is due at once when the signal is aborted, also while nothing else is left', async () => {
		const stop = new AbortController();
		const { run, only } = plannedWork({
			total: 3,
			signal: stop.signal,
			outcomes: (_index, time) => (time === 1 ? 3_600_000 : 'fails'),
			onError: () => stop.signal.aborted,
		});
		const done = run();
		while (only('end').length < 3) await tick();
		await tick();
		stop.abort();
		expect(await done).toBe(0);
		expect(only('send')).toEqual([0, 1, 2, 0, 1, 2]);
	});

	it('leaves no listener on the signal', async () => {
		const { signal } = new AbortController();
		const added = jest.spyOn(signal, 'addEventListener');
		const removed = jest.spyOn(signal, 'removeEventListener');
		await plannedWork({ signal }).run();
		expect(added).toHaveBeenCalledTimes(1);
		expect(removed.mock.calls).toEqual(added.mock.calls);
	});
});

describe('other work of the process', () => {
	afterEach(() => jest.restoreAllMocks());

	/**
	 * The most milliseconds that pass without a turn for other work, while something costs one millisecond each time. The
	 * clock is moved by that and by the turns alone.
	 */
	async function longestTurn(work: (cost: () => void) => Partial<Work<string>>, total = 1_000) {
		let now = 0;
		let turnStarted = 0;
		let longest = 0;
		let going = true;
		jest.spyOn(performance, 'now').mockImplementation(() => now);
		const other = () => {
			turnStarted = ++now;
			if (going) setImmediate(other);
		};
		setImmediate(other);
		const cost = () => {
			now++;
			longest = Math.max(longest, now - turnStarted);
		};
		await schedule({
			total,
			maxConcurrency: 10,
			read: async () => await Promise.resolve('request'),
			send: async () => await Promise.resolve(undefined),
			onError: () => false,
			...work(cost),
		}).finally(() => {
			going = false;
			jest.restoreAllMocks();
		});
		expect(longest).toBeGreaterThan(1);
		return longest;
	}

	// On a busy machine a wait in which much was read passes for one for input or output: then a turn comes one later.
	const inTime = 2 * 50 + 20;

	it('gets its turn though many requests are read', async () => {
		const most = await longestTurn((cost) => ({
			read: async () => {
				cost();
				return await Promise.resolve('request');
			},
		}));
		expect(most).toBeLessThanOrEqual(inTime);
	});

	it('gets its turn though many requests cannot be read', async () => {
		const most = await longestTurn((cost) => ({
			read: async () => {
				cost();
				return await Promise.reject(new Error('unreadable'));
			},
		}));
		expect(most).toBeLessThanOrEqual(inTime);
	});

	it('gets its turn though many requests end without leaving', async () => {
		const most = await longestTurn((cost) => ({
			send: async () => {
				cost();
				return await Promise.reject(new Error('refused'));
			},
		}));
		expect(most).toBeLessThanOrEqual(inTime);
	});

	it('gets its turn though many delayed requests are due together', async () => {
		const sent = new Set<number>();
		const most = await longestTurn((cost) => ({
			send: async (_request, index) => {
				cost();
				if (sent.has(index)) return await Promise.resolve(undefined);
				sent.add(index);
				return await Promise.resolve(1_500);
			},
		}));
		expect(most).toBeLessThanOrEqual(inTime);
	});

	it('gets no more turns than that', async () => {
		let now = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => now);
		const timers = jest.spyOn(globalThis, 'setTimeout');
		await plannedWork({
			total: 1_000,
			// Nothing is read ahead while a request waits for its place, so no other turn is taken.
			maxConcurrency: 1,
			read: async (index) => {
				now++;
				return await Promise.resolve(`r${index}`);
			},
		}).run();
		expect(timers.mock.calls.length).toBeGreaterThan(10);
		expect(timers.mock.calls.length).toBeLessThanOrEqual(20);
	});

	it('is handled before each request that is read ahead of one that is ready', async () => {
		const waiting: Array<() => void> = [];
		const bytes = jest.spyOn(crypto, 'randomBytes') as jest.SpyInstance;
		bytes.mockImplementation((_size: number, callback: () => void) => waiting.push(callback));
		jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
		const { run, only } = plannedWork({ total: 6, maxConcurrency: 3, send: async () => await held });
		let release = () => {};
		const held = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
		const done = run();
		await until(() => waiting.length === 1);
		// The first three find a free place, and the fourth is the first to be read ahead.
		for (const read of [4, 5, 6]) {
			for (let i = 0; i < 5; i++) await tick();
			expect(only('read')).toEqual(upTo(read));
			waiting.pop()?.();
		}
		bytes.mockRestore();
		jest.useRealTimers();
		release();
		await done;
	});

	it('goes on while all that is left is delayed', async () => {
		const happened: string[] = [];
		await plannedWork({
			total: 1,
			send: async () => {
				happened.push('sent');
				setTimeout(() => happened.push('other work'), 0);
				return await Promise.resolve(happened.length === 1 ? 50 : undefined);
			},
		}).run();
		expect(happened.slice(0, 3)).toEqual(['sent', 'other work', 'sent']);
	});
});

it('for any plan every request ends once, and the limits hold', async () => {
	const outcome = fc.constantFrom<Outcome | 'unreadable' | 'nothing'>(
		'done',
		'fails',
		1,
		30,
		'unreadable',
		'nothing',
	);
	const plans = fc.array(fc.array(outcome, { minLength: 1, maxLength: 3 }), { maxLength: 12 });
	await fc.assert(
		fc.asyncProperty(
			plans,
			fc.integer({ min: 1, max: 4 }),
			fc.boolean(),
			async (plan, maxConcurrency, stops) => {
				const first = (index: number) => plan[index]?.[0];
				const isSent = (index: number) => first(index) !== 'unreadable' && first(index) !== 'nothing';
				const planned = plannedWork({
					total: plan.length,
					maxConcurrency,
					read: async (index) => {
						if (index % 3 === 0) await tick();
						if (first(index) === 'unreadable') throw new Error('unreadable');
						return first(index) === 'nothing' ? undefined : `r${index}`;
					},
					outcomes: (index, time) => {
						const one = plan[index]?.[time - 1] ?? 'done';
						return one === 'unreadable' || one === 'nothing' ? 'done' : one;
					},
					onError: () => stops,
				});
				const left = await planned.run();
				const { only, counts, times } = planned;
				expect(counts.mostInFlight).toBeLessThanOrEqual(maxConcurrency);
				expect(counts.mostReadAhead).toBeLessThanOrEqual(maxConcurrency);
				expect(only('read')).toEqual(upTo(only('read').length));
				// New requests are sent in their order: none is passed over.
				expect([...times.keys()]).toEqual(upTo(plan.length).filter(isSent).slice(0, times.size));
				const errors = only('error');
				expect(new Set(errors).size).toBe(errors.length);
				if (errors.length === 0 || !stops) {
					expect(left).toBe(0);
					expect(only('read')).toEqual(upTo(plan.length));
					expect(times.size).toBe(upTo(plan.length).filter(isSent).length);
				} else {
					// Whatever was started has failed, is done, or is told as left.
					const [stopAt = 0] = errors;
					for (const index of upTo(stopAt).filter(isSent)) expect(times.has(index)).toBe(true);
				}
			},
		),
		{ numRuns: 150 },
	);
});
