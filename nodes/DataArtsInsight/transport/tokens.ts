/** A token that was fetched from IAM. */
export interface Token {
	value: string;
	/** Milliseconds for which it is valid. */
	lifetime: number;
}

interface Entry {
	token: Promise<string>;
	/** The token, once it is there. */
	value?: string;
	/** When a new one is needed, on the clock of `performance.now()`. */
	renewAt: number;
	usedAt: number;
}

/** How long before its end a token is renewed, in milliseconds, and the most of its life that this may take. */
const MARGIN = 5 * 60_000;
const MARGIN_SHARE = 0.1;

/** After how many milliseconds without use a token is forgotten. */
const IDLE = 60 * 60_000;

/**
 * The tokens of this process, by what they were made from. They are never written anywhere, and two that were
 * made from different values never meet.
 */
const entries = new Map<string, Entry>();

/**
 * Gives the token for a key, and fetches it if there is none or it is about to end. All who ask while it is being
 * fetched get the same one, or the same error.
 *
 * @param keepFailure for how many milliseconds a failure stands before the token is fetched again
 * @throws what `fetch` throws
 */
export async function getToken(
	key: string,
	fetch: () => Promise<Token>,
	keepFailure: (error: Error) => number,
): Promise<string> {
	const now = performance.now();
	let entry = entries.get(key);
	if (!entry || now >= entry.renewAt) {
		entry = createEntry(fetch, keepFailure);
		entries.set(key, entry);
		forgetWhenIdle(key, entry, IDLE);
	}
	entry.usedAt = now;
	return await entry.token;
}

/**
 * Forgets a token that the service no longer takes.
 *
 * @returns whether it was the one at hand; otherwise another has taken its place already
 */
export function dropToken(key: string, value: string): boolean {
	return entries.get(key)?.value === value && entries.delete(key);
}

function createEntry(fetch: () => Promise<Token>, keepFailure: (error: Error) => number): Entry {
	const token = fetch();
	const entry: Entry = { token: token.then(({ value }) => value), renewAt: Infinity, usedAt: 0 };
	token.then(
		({ value, lifetime }) => {
			entry.value = value;
			entry.renewAt = performance.now() + lifetime - Math.min(MARGIN, lifetime * MARGIN_SHARE);
		},
		(error: Error) => (entry.renewAt = performance.now() + keepFailure(error)),
	);
	return entry;
}

function forgetWhenIdle(key: string, entry: Entry, after: number) {
	// Unlike other timers this one does not keep a process alive that has nothing else to do.
	AbortSignal.timeout(Math.ceil(after)).addEventListener('abort', () => {
		if (entries.get(key) !== entry) return;
		const left = entry.usedAt + IDLE - performance.now();
		if (left > 0) forgetWhenIdle(key, entry, left);
		else entries.delete(key);
	});
}
