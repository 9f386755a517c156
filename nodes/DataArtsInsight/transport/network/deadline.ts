import type { StopReason } from './failure';

/** A task that can be ended from this side. */
export interface Abortable {
	stop: (reason: StopReason) => void;
}

/**
 * Ends tasks whose time is up. Tasks with the same timeout share one timer. `AbortSignal.timeout` cannot be cleared, so one
 * timer a task would take more than half of the memory of a run over 100,000 items.
 */
class Deadline {
	/** When each task began, in that order, and so in the order in which their time is up. */
	private readonly running = new Map<Abortable, number>();

	private armed = false;

	constructor(private readonly timeout: number) {}

	add(task: Abortable) {
		this.running.set(task, performance.now());
		if (!this.armed) this.arm(this.timeout);
	}

	delete(task: Abortable) {
		this.running.delete(task);
	}

	private arm(delay: number) {
		this.armed = true;
		AbortSignal.timeout(Math.ceil(delay)).addEventListener('abort', () => this.sweep());
	}

	private sweep() {
		this.armed = false;
		for (const [task, begin] of this.running) {
			const left = begin + this.timeout - performance.now();
			if (left > 0) return this.arm(left);
			this.running.delete(task);
			task.stop('timeout');
		}
	}
}

const deadlines = new Map<number, Deadline>();

/** @param timeout milliseconds */
export function deadlineAfter(timeout: number): Deadline {
	const deadline = deadlines.get(timeout) ?? new Deadline(timeout);
	deadlines.set(timeout, deadline);
	return deadline;
}

const tasksOf = new WeakMap<AbortSignal, Set<Abortable>>();

/** The tasks that a signal ends. They share one listener, since Node.js warns of a leak at the eleventh. */
export function abortedBy(signal: AbortSignal): Set<Abortable> {
	let tasks = tasksOf.get(signal);
	if (!tasks) {
		const added = new Set<Abortable>();
		signal.addEventListener('abort', () => added.forEach((one) => one.stop('cancelled')));
		tasksOf.set(signal, added);
		tasks = added;
	}
	return tasks;
}
