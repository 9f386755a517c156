import { RequestError } from '../errors/errors';
import { isLoginRefused } from './refusals';
import { pause, unlessStopped } from './stopping';

/** A token that was fetched from IAM. */
export interface Token {
	value: string;
	/** Milliseconds for which it is valid. */
	lifetime: number;
}

/** A login that all who need its token wait for. */
interface SharedLogin {
	token: Promise<string>;
	waiting: number;
	end: AbortController;
}

interface Entry {
	value?: string;
	/** When a new token is needed, on the clock of `performance.now()`. */
	renewAt: number;
	/** When the next login may begin. */
	loginAt: number;
	/** Why the last one brought no token. */
	failure?: RequestError;
	login?: SharedLogin;
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

/**
 * The tokens of this process, by what they were made from. They are never written anywhere, and two that were
 * made from different values never meet.
 */
const entries = new Map<string, Entry>();

/**
 * Gives the token for a key, and fetches it if there is none or it is about to end. All who ask while it is being
 * fetched get the same one, or the same error; after an error it is fetched anew for whoever asks next.
 *
 * @param fetch ends when its signal is aborted: then nobody waits for the token any more
 * @param signal aborted when the execution that asks is stopped
 * @throws {RequestError} if the execution was stopped
 * @throws what `fetch` throws
 */
export async function getToken(
	key: string,
	fetch: (signal: AbortSignal) => Promise<Token>,
	signal?: AbortSignal,
): Promise<string> {
	const now = performance.now();
	let entry = entries.get(key);
	if (!entry) {
		entry = { renewAt: now, loginAt: now, usedAt: now };
		entries.set(key, entry);
		forgetWhenIdle(key, entry, IDLE);
	}
	entry.usedAt = now;
	if (entry.value !== undefined && now < entry.renewAt) return entry.value;
	// IAM asked to wait for longer than anybody would.
	if (!entry.login && entry.failure && entry.loginAt - now > MAX_LOGIN_WAIT) throw entry.failure;
	entry.login ??= startLogin(entry, fetch);
	return await join(entry, entry.login, signal);
}

/**
 * Forgets a token that the service no longer takes.
 *
 * @returns whether it was the one at hand; otherwise another has taken its place already
 */
export function dropToken(key: string, value: string): boolean {
	const entry = entries.get(key);
	if (!entry || entry.value !== value) return false;
	entry.value = undefined;
	return true;
}

function startLogin(entry: Entry, fetch: (signal: AbortSignal) => Promise<Token>): SharedLogin {
	const end = new AbortController();
	const token = logIn(entry, fetch, end.signal);
	// Those who wait hear of a failure; if nobody does any more, nobody needs to.
	token.catch(() => undefined);
	return { token, waiting: 0, end };
}

/** Waits for a login; the last one who goes, with what it brought or without, ends it. */
async function join(entry: Entry, login: SharedLogin, signal?: AbortSignal): Promise<string> {
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

async function logIn(
	entry: Entry,
	fetch: (signal: AbortSignal) => Promise<Token>,
	signal: AbortSignal,
): Promise<string> {
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

function keep(entry: Entry, { value, lifetime }: Token): string {
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
function tokenAfter(entry: Entry, failure: RequestError): string {
	const now = performance.now();
	const delay = Math.max(LOGIN_INTERVAL, failure.retry?.after ?? 0);
	entry.loginAt = now + delay;
	entry.failure = failure;
	if (entry.value === undefined || isLoginRefused(failure)) throw failure;
	entry.renewAt = now + Math.max(RENEW_AGAIN, delay);
	return entry.value;
}

function forgetWhenIdle(key: string, entry: Entry, after: number) {
	// Unlike other timers this one does not keep a process alive that has nothing else to do.
	AbortSignal.timeout(Math.ceil(after)).addEventListener('abort', () => {
		const left = entry.usedAt + IDLE - performance.now();
		if (left > 0) forgetWhenIdle(key, entry, left);
		else entries.delete(key);
	});
}
