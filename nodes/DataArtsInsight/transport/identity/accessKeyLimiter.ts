import { RequestError } from '../errors/errors';
import { assertNotRefused, isRefused, rememberRefusal } from './refusals';
import { unlessStopped } from './stopping';

/**
 * How many requests may be out at once that are signed with a key of which nothing is known. More than five bad
 * signatures lock a key, and others may use it as well.
 */
const MAX_UNPROVEN = 3;

/** After how many milliseconds a request was not refused: a gateway looks at the signature before all else. */
const UNREFUSED_AFTER = 5_000;

/** How many keys are kept; beyond that the oldest goes, and has to prove itself again. */
const MAX_KEYS = 1_000;

/** When a request may be sent. */
export interface Turn {
	/**
	 * Resolves when the service takes calls.
	 *
	 * @throws {RequestError} if the execution was stopped
	 */
	ready: () => Promise<void>;
	/** Aborted when the execution is stopped. */
	signal?: AbortSignal;
}

/** What an attempt tells of who made it. */
export type CallerVerdict = 'accepted' | 'refused' | 'nothing';

/**
 * Whether the service knows who called. Whatever it says itself, it says to somebody whom it knows; but a proxy, a
 * gateway that is too busy or has no such API, and a page that is no answer say nothing.
 *
 * @param error what the attempt ended with, if it failed
 */
export function callerVerdict(error: unknown): CallerVerdict {
	if (!(error instanceof RequestError)) return 'nothing';
	const { code, httpStatus = 0 } = error.details;
	if (httpStatus === 401) return 'refused';
	if (code === 'UNEXPECTED_ANSWER' || /^APIGW?\.01/.test(code)) return 'nothing';
	if (httpStatus >= 200 && httpStatus < 300) return 'accepted';
	return httpStatus >= 400 && httpStatus < 500 && ![407, 408, 429].includes(httpStatus)
		? 'accepted'
		: 'nothing';
}

/** @returns whether the service did not accept who called */
export function isUnauthorized(error: unknown): error is RequestError {
	return callerVerdict(error) === 'refused';
}

/**
 * What is known of one key. The first request goes alone, so that a key which is not right is refused once. One that
 * ends without a verdict must not hold up the others for ever: from then on some go side by side.
 */
class KeyLimiter {
	proven = false;

	private limit = 1;

	private out = 0;

	private wake = () => {};

	private changed = this.nextChange();

	constructor(private readonly key: string) {}

	/** @returns whether there are requests out, or nothing is known that would be lost */
	get busy() {
		return this.out > 0;
	}

	/** @returns what gives the place back, or nothing as long as there is none */
	takePlace(): (() => void) | undefined {
		if (!this.proven && this.out >= this.limit) return undefined;
		this.out++;
		let held = true;
		const giveBack = () => {
			if (held) this.out--;
			held = false;
			this.wakeAll();
		};
		if (!this.proven) {
			AbortSignal.timeout(UNREFUSED_AFTER).addEventListener('abort', () => {
				if (held) this.learn('nothing');
				giveBack();
			});
		}
		return giveBack;
	}

	/** Resolves when a place may have become free. */
	async change(signal?: AbortSignal): Promise<void> {
		await unlessStopped(this.changed, signal);
	}

	/** A refusal takes back what was known, and what was sent before it proves nothing any more. */
	learn(verdict: CallerVerdict) {
		if (verdict !== 'refused' && isRefused(this.key)) return;
		if (verdict !== 'nothing') this.proven = verdict === 'accepted';
		this.limit = verdict === 'refused' ? 1 : MAX_UNPROVEN;
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
const trials = new Map<string, KeyLimiter>();

/**
 * Makes one attempt with a key, as soon as it may be made.
 *
 * @param key fingerprint of the key
 * @param turn asked again after each wait
 * @param attempt makes it; hears whether the key is known to be right
 * @throws {RequestError} if the key was refused, now or in the last 15 minutes; then nothing is sent
 * @throws what the attempt throws
 */
export async function withAccessKey<Result>(
	key: string,
	turn: Turn,
	attempt: (proven: boolean) => Promise<Result>,
): Promise<Result> {
	const trial = trialOf(key);
	const giveBack = await placeIn(trial, key, turn);
	let verdict: CallerVerdict = 'nothing';
	try {
		const result = await attempt(trial.proven).catch((error: unknown) => {
			verdict = callerVerdict(error);
			throw isUnauthorized(error) ? rememberRefusal(key, 'access key', error) : error;
		});
		verdict = 'accepted';
		return result;
	} finally {
		trial.learn(verdict);
		giveBack();
	}
}

async function placeIn(trial: KeyLimiter, key: string, { ready, signal }: Turn): Promise<() => void> {
	for (;;) {
		await ready();
		assertNotRefused(key);
		const giveBack = trial.takePlace();
		if (giveBack) return giveBack;
		await trial.change(signal);
	}
}

function trialOf(key: string): KeyLimiter {
	const trial = trials.get(key) ?? new KeyLimiter(key);
	// The one used last comes last.
	trials.delete(key);
	trials.set(key, trial);
	for (const [oldest, { busy }] of trials) {
		if (trials.size <= MAX_KEYS) break;
		if (!busy) trials.delete(oldest);
	}
	return trial;
}
