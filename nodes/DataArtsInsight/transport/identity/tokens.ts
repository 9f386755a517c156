import { RequestError } from '../errors/errors';
import type { HttpResponse } from '../network/network';
import { isLoginRefused } from './refusals';
import { pause, unlessStopped } from './stopping';

/** A token that was fetched from IAM, or temporary keys, which end like one. */
export interface Token<Value> {
	value: Value;
	/** Milliseconds for which it is valid. */
	lifetime: number;
}

/** Fetches a token; ends when its signal is aborted: then nobody waits for the token any more. */
export type FetchToken<Value> = (signal: AbortSignal) => Promise<Token<Value>>;

/** A login that all who need its token wait for. */
interface SharedLogin<Value> {
	token: Promise<Value>;
	waiting: number;
	end: AbortController;
}

interface Entry<Value> {
	value?: Value;
	/** When a new token is needed, on the clock of `performance.now()`. */
	renewAt: number;
	/** When the next login may begin. */
	loginAt: number;
	/** Why the last one brought no token. */
	failure?: RequestError;
	login?: SharedLogin<Value>;
	usedAt: number;
}

/** How long before its end a token is renewed, in milliseconds, and the most of its life that this may take. */
const MARGIN = 5 * 60_000;
const MARGIN_SHARE = 0.1;

/** How far apart two logins are at least, in milliseconds, whatever IAM says of the life of its tokens. */
export const LOGIN_INTERVAL = 2_000;

/** The longest time that somebody waits for the next login, in milliseconds. */
const MAX_LOGIN_WAIT = 60_000;

/** When to ask again for a token that could not be renewed, in milliseconds. */
const RENEW_AGAIN = 60_000;

/** After how many milliseconds without use a token is forgotten. */
const IDLE = 60 * 60_000;

/** How many tokens are kept, each of some thousand characters; beyond that the one used longest ago is forgotten. */
const MAX_TOKENS = 1_000;

/**
 * The tokens of this process, by what they were made from. They are never written anywhere, and two that were
 * made from different values never meet.
 */
export class TokenCache<Value> {
	private readonly entries = new Map<string, Entry<Value>>();

	/**
	 * Gives the token for a key, and fetches it if there is none or it is about to end. All who ask while it is being
	 * fetched get the same one, or the same error; after an error it is fetched anew for whoever asks next.
	 *
	 * @param signal aborted when the execution that asks is stopped
	 * @throws {RequestError} if the execution was stopped
	 * @throws what `fetch` throws
	 */
	async get(key: string, fetch: FetchToken<Value>, signal?: AbortSignal): Promise<Value> {
		const now = performance.now();
		const entry = this.entryOf(key, now);
		entry.usedAt = now;
		if (entry.value !== undefined && now < entry.renewAt) return entry.value;
		// IAM asked to wait for longer than anybody would.
		if (!entry.login && entry.failure && entry.loginAt - now > MAX_LOGIN_WAIT) throw entry.failure;
		entry.login ??= startLogin(entry, fetch);
		return await join(entry, entry.login, signal);
	}

	/** @returns the token at hand, for those who cannot wait for another; nothing if it is about to end */
	peek(key: string): Value | undefined {
		const entry = this.entries.get(key);
		return entry && performance.now() < entry.renewAt ? entry.value : undefined;
	}

	/**
	 * Forgets a token that the service no longer takes.
	 *
	 * @returns whether it was the one at hand; otherwise another has taken its place already
	 */
	drop(key: string, value: Value): boolean {
		const entry = this.entries.get(key);
		if (!entry || entry.value !== value) return false;
		entry.value = undefined;
		return true;
	}

	private entryOf(key: string, now: number): Entry<Value> {
		const known = this.entries.get(key);
		const entry = known ?? { renewAt: now, loginAt: now, usedAt: now };
		// The one used last comes last.
		this.entries.delete(key);
		this.entries.set(key, entry);
		if (!known) {
			this.forgetWhenIdle(key, entry, IDLE);
			this.makeRoom();
		}
		return entry;
	}

	private makeRoom() {
		for (const [oldest, entry] of this.entries) {
			if (this.entries.size <= MAX_TOKENS) return;
			if (entry.login) continue;
			this.entries.delete(oldest);
			// The entry itself stays in memory as long as its timer.
			entry.value = undefined;
		}
	}

	private forgetWhenIdle(key: string, entry: Entry<Value>, after: number) {
		// Unlike other timers this one does not keep a process alive that has nothing else to do.
		AbortSignal.timeout(Math.ceil(after)).addEventListener('abort', () => {
			const left = entry.usedAt + IDLE - performance.now();
			if (left > 0) this.forgetWhenIdle(key, entry, left);
			else if (this.entries.get(key) === entry) this.entries.delete(key);
		});
	}
}

function startLogin<Value>(entry: Entry<Value>, fetch: FetchToken<Value>): SharedLogin<Value> {
	const end = new AbortController();
	const token = logIn(entry, fetch, end.signal);
	// Those who wait hear of a failure; if nobody does any more, nobody needs to.
	token.catch(() => undefined);
	return { token, waiting: 0, end };
}

/** Waits for a login; the last one who goes, with what it brought or without, ends it. */
async function join<Value>(
	entry: Entry<Value>,
	login: SharedLogin<Value>,
	signal?: AbortSignal,
): Promise<Value> {
	login.waiting++;
	try {
		return await unlessStopped(login.token, signal);
	} finally {
		login.waiting--;
		if (login.waiting === 0) {
			entry.login = undefined;
			login.end.abort();
		}
	}
}

async function logIn<Value>(
	entry: Entry<Value>,
	fetch: FetchToken<Value>,
	signal: AbortSignal,
): Promise<Value> {
	await pause(entry.loginAt - performance.now(), signal);
	entry.loginAt = performance.now() + LOGIN_INTERVAL;
	return await fetch(signal).then(
		(token) => keep(entry, token),
		(error: unknown) => {
			if (!(error instanceof RequestError)) throw error;
			return tokenAfter(entry, error);
		},
	);
}

function keep<Value>(entry: Entry<Value>, { value, lifetime }: Token<Value>): Value {
	const now = performance.now();
	entry.value = value;
	entry.failure = undefined;
	entry.loginAt = now + LOGIN_INTERVAL;
	// One that has ended already is used until the service refuses it: another would have ended, too.
	entry.renewAt =
		lifetime <= LOGIN_INTERVAL ? Infinity : now + lifetime - Math.min(MARGIN, lifetime * MARGIN_SHARE);
	return value;
}

/**
 * @returns the token at hand, which may still be good; if it is not, the service says so
 * @throws {RequestError} the failure, if there is no token, or IAM has refused the login
 */
function tokenAfter<Value>(entry: Entry<Value>, failure: RequestError): Value {
	const now = performance.now();
	const delay = Math.max(LOGIN_INTERVAL, failure.retry?.after ?? 0);
	entry.loginAt = now + delay;
	entry.failure = failure;
	if (entry.value === undefined || isLoginRefused(failure)) throw failure;
	entry.renewAt = now + Math.max(RENEW_AGAIN, delay);
	return entry.value;
}

/**
 * How long a token is valid, told by the clock of IAM alone.
 *
 * @param times what IAM says of the token
 * @returns milliseconds
 */
export function lifetimeOf(times: unknown, headers: HttpResponse['headers']): number {
	const { expires_at, issued_at } = (times ?? {}) as Record<string, unknown>;
	const begin = [issued_at, headers.date].map((time) => Date.parse(String(time)));
	const lifetime = Date.parse(String(expires_at)) - (begin.find((time) => !Number.isNaN(time)) ?? Date.now());
	// Without a time it is used until the service refuses it.
	return Number.isNaN(lifetime) ? Infinity : lifetime;
}
