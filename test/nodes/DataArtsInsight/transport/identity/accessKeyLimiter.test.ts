import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { withAccessKey } from '../../../../../nodes/DataArtsInsight/transport/identity/accessKeyLimiter';

const failure = (httpStatus?: number, code = 'A') =>
	new RequestError('no', 'Do', { code, httpStatus, outcomeUnknown: false });

/** A refusal stands so long, in milliseconds. */
const KEPT = 15 * 60_000;

/** What a library may reject with. */
const notAnError = 'odd' as unknown as Error;

let count = 0;
/** Another one for each test: the process keeps what it knows. */
const newKey = () => `key-${++count}`;
const turn = { ready: async () => await Promise.resolve() };
/** Lets all go on that can. */
const settle = async () => await new Promise((resolve) => setImmediate(resolve));

/** Rings when requests count as not refused. */
let timers: Array<{ after: number; ring: () => void }> = [];
const ringAll = async () => {
	for (const { ring } of timers.splice(0)) ring();
	await settle();
};
beforeEach(() => {
	timers = [];
	jest.spyOn(AbortSignal, 'timeout').mockImplementation((after) => {
		const timer = new AbortController();
		timers.push({ after, ring: () => timer.abort() });
		return timer.signal;
	});
});
afterEach(async () => {
	// A key that has requests in flight is kept, which the next test would notice.
	for (const one of all.splice(0)) await one.endAll();
	jest.restoreAllMocks();
});

/** Lets time pass at once. */
function passTime(milliseconds: number) {
	const [now, date] = [performance.now(), Date.now()];
	jest.spyOn(performance, 'now').mockReturnValue(now + milliseconds);
	jest.spyOn(Date, 'now').mockReturnValue(date + milliseconds);
}

const all: Requests[] = [];

/** Requests with a key, each of which ends when the test says so. */
class Requests {
	/** Whether the key was known to be right, for each that has begun. */
	readonly begun: boolean[] = [];

	/** What became of each, in the order of their ends. */
	readonly ends: string[] = [];

	private readonly endings: Array<(error?: Error) => void> = [];

	constructor(private readonly key: string) {
		all.push(this);
	}

	async start(number: number, signal?: AbortSignal) {
		for (let i = 0; i < number; i++) {
			void withAccessKey(this.key, { ...turn, signal }, async (proven) => {
				this.begun.push(proven);
				return await new Promise<string>((resolve, reject) =>
					this.endings.push((error) => (error ? reject(error) : resolve('good'))),
				);
			}).then(
				(result) => this.ends.push(result),
				(error: Error) => this.ends.push(error.message),
			);
		}
		await settle();
	}

	/** Ends one of them: well, or with an error. */
	async end(index: number, error?: Error) {
		this.endings[index]?.(error);
		await settle();
	}

	async endAll() {
		for (let i = 0; i < this.endings.length; i++) await this.end(i);
	}
}

/** Sends one request, and tells whether the key was known to be right. */
const isProven = async (key: string) =>
	await withAccessKey(key, turn, async (proven) => await Promise.resolve(proven));

describe('a key of which nothing is known', () => {
	it('is checked by one request alone, and once that is accepted by all', async () => {
		const requests = new Requests(newKey());
		await requests.start(10);
		expect(requests.begun).toEqual([false]);
		await requests.end(0);
		expect(requests.begun).toEqual([false, ...Array<boolean>(9).fill(true)]);
		for (let i = 1; i < 10; i++) await requests.end(i);
		expect(requests.ends).toEqual(Array(10).fill('good'));
	});

	it('is proven by an error of somebody who knows the caller, too', async () => {
		const key = newKey();
		const requests = new Requests(key);
		await requests.start(1);
		await requests.end(0, failure(404));
		expect(requests.ends).toEqual(['no']);
		expect(await isProven(key)).toBe(true);
	});

	it('is sent by three at once after one that says nothing', async () => {
		const requests = new Requests(newKey());
		await requests.start(10);
		await requests.end(0, failure(500));
		expect(requests.begun).toHaveLength(4);
		await requests.end(1, failure(500));
		expect(requests.begun).toHaveLength(5);
	});

	it('is sent by three more once the first was not refused for 5 s, whose end frees no second place', async () => {
		const requests = new Requests(newKey());
		await requests.start(10);
		expect(timers.map(({ after }) => after)).toEqual([5_000]);
		await ringAll();
		expect(requests.begun).toHaveLength(4);
		await requests.end(0, failure(500));
		expect(requests.begun).toHaveLength(4);
		await requests.end(1, failure(500));
		expect(requests.begun).toHaveLength(5);
	});

	it('that is refused is sent once, however many wait', async () => {
		const key = newKey();
		const requests = new Requests(key);
		await requests.start(5);
		await requests.end(0, failure(401));
		expect(requests.begun).toHaveLength(1);
		expect(requests.ends).toEqual(Array(5).fill('no'));
		await expect(isProven(key)).rejects.toMatchObject({
			description: expect.stringContaining('Nothing was sent: the same access key was refused') as string,
		});
	});

	it('lets those go who wait for it when their execution is stopped', async () => {
		const requests = new Requests(newKey());
		const stop = new AbortController();
		await requests.start(1);
		await requests.start(1, stop.signal);
		stop.abort();
		await settle();
		expect(requests.ends).toEqual([expect.stringMatching(/cancel/)]);
		await requests.end(0);
		expect(requests.begun).toHaveLength(1);
	});

	it.each<[string, () => Promise<never>, unknown]>([
		[
			'at once',
			() => {
				throw new TypeError('odd');
			},
			new TypeError('odd'),
		],
		['later', async () => await Promise.reject(new TypeError('odd')), new TypeError('odd')],
		['with what is no error', async () => await Promise.reject<never>(notAnError), notAnError],
	])(
		'gets its place back from a request that fails %s, whose error is passed on',
		async (_how, send, error) => {
			const key = newKey();
			const failed = withAccessKey(key, turn, send).catch((reason: unknown) => reason);
			expect(await failed).toEqual(error);
			const requests = new Requests(key);
			await requests.start(10);
			expect(requests.begun).toEqual([false, false, false]);
		},
	);

	it('gets its place back after 5 s from a request, but four without a response hold up all others', async () => {
		const requests = new Requests(newKey());
		await requests.start(10);
		for (let i = 0; i < 3; i++) {
			await ringAll();
			expect(requests.begun).toHaveLength(4);
		}
		// One that brings no response after all makes room for one more.
		await requests.end(0, failure());
		expect(requests.begun).toHaveLength(5);
		await requests.endAll();
		expect(requests.ends).toEqual(['no', ...Array<string>(9).fill('good')]);
	});

	it('is refused four times at most where each refusal takes long, and five would lock it', async () => {
		const requests = new Requests(newKey());
		await requests.start(20);
		for (let i = 0; i < 5; i++) await ringAll();
		for (let i = 0; i < 20; i++) await requests.end(i, failure(401));
		expect(requests.begun.length).toBeLessThan(5);
		expect(requests.ends).toEqual(Array(20).fill('no'));
	});

	it('is asked whether it is its turn again after each wait', async () => {
		const key = newKey();
		const requests = new Requests(key);
		await requests.start(1);
		const ready = jest.fn(turn.ready);
		const second = expect(
			withAccessKey(key, { ready }, async () => await Promise.resolve('sent')),
		).rejects.toThrow('The service takes no requests');
		await settle();
		expect(ready).toHaveBeenCalledTimes(1);
		ready.mockRejectedValue(new Error('The service takes no requests'));
		await requests.end(0);
		await second;
		expect(ready).toHaveBeenCalledTimes(2);
	});
});

describe('a key that was right', () => {
	it('needs no timer, and any number goes at once', async () => {
		const key = newKey();
		await isProven(key);
		timers = [];
		const requests = new Requests(key);
		await requests.start(10);
		expect(requests.begun).toEqual(Array(10).fill(true));
		expect(timers).toEqual([]);
	});

	it('stays so whatever comes that says nothing', async () => {
		const key = newKey();
		await isProven(key);
		const requests = new Requests(key);
		await requests.start(1);
		await requests.end(0, failure(500));
		expect(await isProven(key)).toBe(true);
	});

	it('and is refused then has to be checked anew, by one alone, when the refusal stands no more', async () => {
		const key = newKey();
		await isProven(key);
		const requests = new Requests(key);
		await requests.start(1);
		await requests.end(0, failure(401));
		passTime(KEPT);
		await requests.start(5);
		expect(requests.begun).toEqual([true, false]);
	});
});

describe('what was sent before a refusal', () => {
	it('holds up nobody once the refusal stands no more, even if it never ends', async () => {
		const key = newKey();
		await isProven(key);
		const requests = new Requests(key);
		await requests.start(2);
		await requests.end(0, failure(401));
		passTime(KEPT);
		await ringAll();
		await requests.start(1);
		expect(requests.begun).toEqual([true, true, false]);
	});

	it('proves nothing any more, however it ends', async () => {
		const key = newKey();
		const requests = new Requests(key);
		await requests.start(1);
		await requests.end(0, failure(500));
		await requests.start(3);
		await requests.end(1, failure(401));
		await requests.end(2);
		await requests.end(3, failure(500));
		passTime(KEPT);
		await requests.start(5);
		expect(requests.begun.slice(4)).toEqual([false]);
	});

	it('does not count as not refused after 5 s, even if the refusal stands no more since the clock was set', async () => {
		const requests = new Requests(newKey());
		await requests.start(1);
		await requests.end(0, failure(401));
		const date = Date.now();
		jest.spyOn(Date, 'now').mockReturnValue(date + 20 * 60_000);
		await ringAll();
		await requests.start(5);
		expect(requests.begun).toHaveLength(2);
	});
});

describe('of 1000 keys', () => {
	const prove = async (number: number) => {
		for (let i = 0; i < number; i++) await isProven(newKey());
	};

	it('the one that was not used for longest goes when there is another', async () => {
		const [old, used] = [newKey(), newKey()];
		await isProven(old);
		await isProven(used);
		await prove(998);
		expect(await isProven(used)).toBe(true);
		await prove(1);
		expect(await isProven(used)).toBe(true);
		expect(await isProven(old)).toBe(false);
	});

	it('none goes as long as there is room', async () => {
		const key = newKey();
		await isProven(key);
		await prove(999);
		expect(await isProven(key)).toBe(true);
	});

	it('none goes that has requests in flight', async () => {
		const requests = new Requests(newKey());
		await requests.start(1);
		await prove(1_001);
		await requests.start(1);
		expect(requests.begun).toEqual([false]);
		await requests.end(0);
		expect(requests.begun).toEqual([false, true]);
	});
});
