export interface LockoutRule {
	/** So many failures lock. */
	failures: number;
	/** Milliseconds in which they have to happen. */
	within: number;
	/** Milliseconds from the last of them to the end of the lock. */
	lockedFor: number;
}

/** Locks whoever fails too often. What is tried during a lock neither counts nor prolongs it. */
export class Lockout<Key> {
	private readonly failures = new Map<Key, number[]>();
	private readonly lockedUntil = new Map<Key, number>();

	/** @param now the simulated clock: milliseconds since 1970 */
	constructor(
		private readonly rule: LockoutRule,
		private readonly now: () => number,
	) {}

	isLocked(key: Key): boolean {
		return this.now() < (this.lockedUntil.get(key) ?? -Infinity);
	}

	addFailure(key: Key): void {
		const { failures, within, lockedFor } = this.rule;
		const now = this.now();
		const recent = [...(this.failures.get(key) ?? []), now].filter((at) => at > now - within);
		this.failures.set(key, recent);
		if (recent.length < failures) return;
		this.lockedUntil.set(key, now + lockedFor);
		this.forgive(key);
	}

	/** Forgets the failures so far, yet opens no lock. */
	forgive(key: Key): void {
		this.failures.delete(key);
	}

	reset(): void {
		this.failures.clear();
		this.lockedUntil.clear();
	}
}
