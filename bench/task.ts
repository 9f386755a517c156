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
		allowUnauthorizedCerts: false,
	};
}

/** So many items, each with a name of its own. */
export function makeInput(items: number): Input[] {
	return Array.from({ length: items }, (_, index) => ({
		name: `cn-north-4.service-${index}.4f1c8a2e-6b3d-4e57-9a10-d2c7b5e8f634`,
	}));
}

/** A fast contender that lost or mixed up answers would have won nothing. @throws Error if this one did */
export function check(contender: string, input: Input[], answers: unknown[]): void {
	const good =
		answers.length === input.length &&
		input.every(({ name }, index) => {
			const { name: passedOn, vpc_ep_server_name = passedOn } = answers[index] as Record<string, unknown>;
			return vpc_ep_server_name === name;
		});
	if (!good) throw new Error(`${contender} did not give one answer for each item in their order`);
}
