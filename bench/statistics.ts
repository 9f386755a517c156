import type { GrowthResult, Sample } from './measure';

export function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = (sorted.length - 1) / 2;
	return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** A run of so many items, in milliseconds. */
export type Timed = Pick<Sample, 'time' | 'items'>;

/** Milliseconds an item, of the median run. */
export function timePerItem(samples: Timed[]): number {
	return median(samples.map(({ time, items }) => time / items));
}

/** The most memory of any run, in MB. */
export function peak(samples: Array<Pick<Sample, 'peakMemory'>>): number {
	return Math.max(...samples.map(({ peakMemory }) => peakMemory)) / 1e6;
}

export function held(samples: Sample[]): number {
	return median(samples.map(({ heldMemory }) => heldMemory)) / 1e6;
}

/** The memory that a run took at most, in MB: the median of the runs, each in a process of its own. */
export function typicalPeak(samples: Sample[]): number {
	return median(samples.map(({ peakMemory }) => peakMemory)) / 1e6;
}

/** How many MB the processes of the pooled build took more than those of a node that only passes its items on. */
export function memoryOverN8n(result: GrowthResult): Spread[] {
	return result.samples.map(({ pooled, passOn }) => {
		const more = pooled.map(({ peakMemory }) => peakMemory / 1e6 - typicalPeak(passOn));
		return spread(more);
	});
}

export interface Spread {
	median: number;
	low: number;
	high: number;
}

export function spread(values: number[]): Spread {
	return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** How many times as long one took as the other, from the rounds' own ratios. */
export function compare(samples: Record<string, Timed[]>, slow: string, fast: string): Spread {
	const other = samples[fast] ?? [];
	const ratios = (samples[slow] ?? []).map(({ time }, round) => time / (other[round]?.time ?? NaN));
	return spread(ratios);
}

export const showSpread = ({ median: middle, low, high }: Spread, digits = 2) =>
	`${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
