import {
	assertNotRefused,
	callerVerdict,
	type CallerVerdict,
	isRefused,
	isUnauthorized,
	rememberRefusal,
} from './refusals';
import { unlessStopped } from './stopping';

/**
 * How many requests that are signed with an unproven key may be in flight at once. More than five bad
 * signatures lock a key, and others may use it as well.
 */
const MAX_UNPROVEN = 3;

/** After how many milliseconds a request was mostly not refused: a gateway looks at the signature before all else. */
const UNREFUSED_AFTER = 5_000;

/** How many of them may lack a response, however long: each could still be refused, and five refusals lock a key. */
const MAX_UNANSWERED = 4;

/** How many keys are kept; beyond that the oldest goes, and has to prove itself again. */
const MAX_KEYS = 1_000;

/** When a request may be sent. */
export interface Turn {
	/**
	 * Resolves when the service takes requests.
	 *
	 * @throws {RequestError} if the execution was stopped
	 */
	ready: () => Promise<void>;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
}

/**
 * Limits how many requests of one key are in flight. The first request goes alone, so that a wrong key is refused once.
 * A request that ends without a verdict must not hold up the others for ever: from then on some go side by side.
 */
class KeyLimiter {
	proven = false;

	private limit = 1;

	/** The requests that hold a place. */
	private readonly inFlight = new Set<object>();

	/** The requests that have yet to end, of those that were sent with an unproven key. */
	private readonly unanswered = new Set<object>();

	private wake = () => {};

	private changed = this.nextChange();

	constructor(private readonly key: string) {}

	/** Whether requests are in flight that say more of the key when they end. */
	get busy() {
		return this.inFlight.size + this.unanswered.size > 0;
	}

	/** @returns what gives the place back, or nothing as long as there is none */
	acquire(): (() => void) | undefined {
		const isFull = this.inFlight.size >= this.limit || this.unanswered.size >= MAX_UNANSWERED;
		if (!this.proven && isFull) return undefined;
		const request = {};
		this.inFlight.add(request);
		if (!this.proven) {
			this.unanswered.add(request);
			AbortSignal.timeout(UNREFUSED_AFTER).addEventListener('abort', () => {
				if (this.inFlight.delete(request)) this.record('nothing');
				this.wakeAll();
			});
		}
		return () => {
			this.inFlight.delete(request);
			this.unanswered.delete(request);
			this.wakeAll();
		};
	}

	/** Resolves when a place may have become free. */
	async change(signal?: AbortSignal): Promise<void> {
		await unlessStopped(this.changed, signal);
	}

	/** A refusal takes back what was known. What was sent before it proves nothing any more, and holds up nobody. */
	record(verdict: CallerVerdict) {
		if (verdict !== 'refused' && isRefused(this.key)) return;
		if (verdict !== 'nothing') this.proven = verdict === 'accepted';
		this.limit = verdict === 'refused' ? 1 : MAX_UNPROVEN;
		if (verdict !== 'refused') return;
		this.inFlight.clear();
		this.unanswered.clear();
	}

	private wakeAll() {
		const { wake } = this;
		this.changed = this.nextChange();
		wake();
	}

	private async nextChange() {
		await new Promise<void>((resolve) => (this.wake = resolve));
	}
}

/** What this process knows of keys, by their fingerprints. */
const limiters = new Map<string, KeyLimiter>();

/**
 * Sends one request with a key, as soon as it may be sent. Its place is given back when it ends, and after five seconds at
 * the latest. So one request cannot hold up all later ones; four without a response do, until one of them ends.
 *
 * @param key fingerprint of the key
 * @param turn asked again after each wait
 * @param send sends it; gets to know whether the key is known to be right
 * @throws {RequestError} if the key was refused, now or in the last 15 minutes; then nothing is sent
 * @throws what `send` throws
 */
export async function withAccessKey<Result>(
	key: string,
	turn: Turn,
	send: (proven: boolean) => Promise<Result>,
): Promise<Result> {
	const limiter = limiterOf(key);
	const release = await acquireIn(limiter, key, turn);
	let verdict: CallerVerdict = 'nothing';
	try {
		const result = await send(limiter.proven);
		verdict = 'accepted';
		return result;
	} catch (error) {
		verdict = callerVerdict(error);
		throw isUnauthorized(error) ? rememberRefusal(key, 'access key', error) : error;
	} finally {
		limiter.record(verdict);
		release();
	}
}

async function acquireIn(limiter: KeyLimiter, key: string, { ready, signal }: Turn): Promise<() => void> {
	for (;;) {
		await ready();
		assertNotRefused(key);
		const release = limiter.acquire();
		if (release) return release;
		await limiter.change(signal);
	}
}

function limiterOf(key: string): KeyLimiter {
	const limiter = limiters.get(key) ?? new KeyLimiter(key);
	// The one used last comes last.
	limiters.delete(key);
	limiters.set(key, limiter);
	for (const [oldest, { busy }] of limiters) {
		if (limiters.size <= MAX_KEYS) break;
		if (!busy) limiters.delete(oldest);
	}
	return limiter;
}
