import type { IExecuteFunctions, INodeExecutionData, INodeProperties, NodeExecutionHint } from 'n8n-workflow';

import { wholeNumber } from '../parameters';

/*
 * What becomes of a VPC endpoint after it was asked for: the owner of the endpoint service accepts it or not.
 *
 * Sources: Huawei Cloud, DataArts Insight API Reference, "Verifying a VPC Endpoint Service and Creating a VPC
 * Endpoint", for the first two statuses; VPC Endpoint API Reference, "Querying VPC Endpoints", for the others.
 */

const waitForAcceptance: INodeProperties = {
	displayName: 'Wait for Acceptance',
	name: 'waitForAcceptance',
	type: 'boolean',
	default: false,
	description:
		'Whether to verify again and again, until the endpoint is accepted or can no longer be. For hours or days use a Wait node instead.',
};

const pollInterval: INodeProperties = {
	displayName: 'Poll Interval',
	name: 'pollInterval',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 3600 },
	default: 15,
	description: "With 'Wait for Acceptance': how many seconds to wait before verifying again",
};

const maxWait: INodeProperties = {
	displayName: 'Max Wait',
	name: 'maxWait',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 3600 },
	default: 300,
	description:
		"With 'Wait for Acceptance': how many seconds an item may wait, up to 3600. After them it comes out with its last status.",
};

export const acceptanceOptions = [maxWait, pollInterval, waitForAcceptance];

/** How long to wait for acceptance, in milliseconds. */
export interface Patience {
	pollInterval: number;
	maxWait: number;
}

/**
 * The options that say whether to wait, for the whole run.
 *
 * @returns nothing if the node is not to wait
 * @throws {InputError} that names the option, if it is not a whole number in its range
 */
export function readPatience(context: IExecuteFunctions): Patience | undefined {
	const options = context.getNodeParameter('options', 0, {});
	if (options.waitForAcceptance !== true) return undefined;
	return {
		pollInterval: wholeNumber(options, pollInterval) * 1000,
		maxWait: wholeNumber(options, maxWait) * 1000,
	};
}

/** Whether the owner of the endpoint service or Huawei Cloud is still going to decide about an endpoint. */
export function isUndecided(status: unknown): status is string {
	return status === 'pendingAcceptance' || status === 'creating';
}

/**
 * How long to wait before verifying an undecided endpoint again.
 *
 * @param since when its first status came, by `performance.now()`
 * @returns milliseconds; nothing if the time is up
 */
export function restBeforeNextLook(since: number, { pollInterval, maxWait }: Patience): number | undefined {
	const left = since + maxWait - performance.now();
	return left > 0 ? Math.min(pollInterval, left) : undefined;
}

/** What to do where an endpoint cannot be used yet, or never. */
const TO_DO: Record<string, string> = {
	pendingAcceptance:
		'Ask the owner of the endpoint service to accept the endpoint in the VPC Endpoint console, then run the node again.',
	creating: 'Huawei Cloud is still at it. Run the node again in a minute.',
	rejected: 'The owner of the endpoint service refused the connection. Talk to them.',
	failed: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
	deleting: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
};

/**
 * What the editor tells about the items that somebody has to do something about, one line for each status.
 *
 * @param items what the node gives out
 */
export function acceptanceHints(items: INodeExecutionData[], patience?: Patience): NodeExecutionHint[] {
	const counts = new Map<unknown, number>();
	for (const { json } of items) {
		counts.set(json.vpc_ep_client_status, (counts.get(json.vpc_ep_client_status) ?? 0) + 1);
	}
	return Object.entries(TO_DO).flatMap(([status, toDo]) => {
		const count = counts.get(status);
		if (!count) return [];
		const waited = isUndecided(status) && patience ? ` after ${patience.maxWait / 1000} seconds` : '';
		const which = items.length === 1 ? 'Status' : `${count} of ${items.length} items`;
		return [
			{
				message: `${which}: ${status}${waited}. ${toDo}`,
				type: 'warning' as const,
				location: 'outputPane' as const,
			},
		];
	});
}
