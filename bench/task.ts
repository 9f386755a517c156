import { projectId, validToken, workspaceId } from '../test/support/cloud/cloud';

/** One run of a contender. */
export interface Task {
	origin: string;
	items: number;
	/** The most calls at once. */
	concurrency: number;
	/** Milliseconds from one batch of n8n's HTTP Request node to the next; 0 sends everything at once. */
	batchInterval: number;
}

export interface Input {
	name: string;
}

/** Makes a call for each input and gives the answers in the same order. */
export type Run = (task: Task, input: Input[]) => Promise<unknown[]>;

/** What one run cost the process it ran in. */
export interface Cost {
	/** Milliseconds from start to end. */
	time: number;
	/** Milliseconds of processor time. */
	processorTime: number;
	/** The most memory that the process took since it began, in bytes: garbage included. */
	peakMemory: number;
	/** What of the heap was still in use at the end, with the answers in it, in bytes. */
	heldMemory: number;
}

/** What a person fills in as the node's credential. */
export function credential(origin: string) {
	return {
		token: validToken,
		region: 'custom',
		baseUrl: origin,
		projectId,
		workspaceId,
		allowUnauthorizedCerts: true,
	};
}
