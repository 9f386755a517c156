import type { CellResult, GrowthResult, Sample } from './measure';

export function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = (sorted.length - 1) / 2;
	return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** Milliseconds an item, of the median run. */
export function timePerItem(samples: Sample[]): number {
	return median(samples.map(({ time, items }) => time / items));
}

/** The most memory of any run, in MB. */
export function peak(samples: Sample[]): number {
	return Math.max(...samples.map(({ peakMemory }) => peakMemory)) / 1e6;
}

export function held(samples: Sample[]): number {
	return median(samples.map(({ heldMemory }) => heldMemory)) / 1e6;
}

/** How many MB the node's process took more than that of a node that only passes its items on. */
export function memoryOverN8n(result: GrowthResult): number[] {
	return result.samples.map(({ node, passOn }) => peak(node) - peak(passOn));
}

export interface Ratio {
	median: number;
	low: number;
	high: number;
}

/** How many times as long one took as the other, from the rounds' own ratios. */
export function compare({ samples }: CellResult, slow: string, fast: string): Ratio {
	const other = samples[fast] ?? [];
	const ratios = (samples[slow] ?? []).map(({ time }, round) => time / (other[round]?.time ?? NaN));
	return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

export const showRatio = ({ median: middle, low, high }: Ratio) =>
	`${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
