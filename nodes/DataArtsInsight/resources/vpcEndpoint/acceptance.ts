import type { IExecuteFunctions, INodeExecutionData, INodeProperties, NodeExecutionHint } from 'n8n-workflow';

import type { RequestError } from '../../transport/errors/errors';
import { wholeNumber } from '../../items/parameters';

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

/** How often to poll for acceptance, and for how long, in milliseconds. */
export interface AcceptanceWait {
	pollInterval: number;
	maxWait: number;
}

/**
 * The options that say whether to wait, for the whole run.
 *
 * @returns nothing if the node is not to wait
 * @throws {InputError} that names the option, if it is not a whole number in its range
 */
export function readAcceptanceWait(context: IExecuteFunctions): AcceptanceWait | undefined {
	const options = context.getNodeParameter('options', 0, {});
	if (options.waitForAcceptance !== true) return undefined;
	return {
		pollInterval: wholeNumber(options, pollInterval) * 1000,
		maxWait: wholeNumber(options, maxWait) * 1000,
	};
}

/** Whether the owner of the endpoint service, or Huawei Cloud, has still to decide about an endpoint. */
export function isPending(status: unknown): status is string {
	return status === 'pendingAcceptance' || status === 'creating';
}

/**
 * How long to wait before verifying an undecided endpoint again.
 *
 * @param since when its first status came, by `performance.now()`
 * @returns milliseconds; nothing if the time is up
 */
export function delayBeforeNextPoll(
	since: number,
	{ pollInterval, maxWait }: AcceptanceWait,
): number | undefined {
	const left = since + maxWait - performance.now();
	return left > 0 ? Math.min(pollInterval, left) : undefined;
}

/**
 * Whether a poll that failed leaves the endpoint's status open: then the next poll asks again. A refusal by the service ends
 * the waiting, and so does what keeps any request from being sent.
 */
export function leavesStatusOpen({ details: { code, httpStatus }, retry }: RequestError): boolean {
	if (['BLOCKED', 'CANCELLED'].includes(code)) return false;
	return !httpStatus || httpStatus >= 500 || retry !== undefined || code === 'UNEXPECTED_ANSWER';
}

/** What to do where an endpoint cannot be used yet, or never. */
const TO_DO: Record<string, string> = {
	pendingAcceptance:
		'Ask the owner of the endpoint service to accept the endpoint in the VPC Endpoint console, then run the node again.',
	creating: 'The endpoint is still being created. Run the node again in a minute.',
	rejected: 'The owner of the endpoint service refused the connection. Talk to them.',
	failed: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
	deleting: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
};

/**
 * What the editor tells about the items that somebody has to do something about, one line for each status.
 *
 * @param items what the node gives out
 * @param failedPolls why the last poll failed for items whose time was up, one text for each of them
 */
export function acceptanceHints(
	items: INodeExecutionData[],
	acceptanceWait?: AcceptanceWait,
	failedPolls: string[] = [],
): NodeExecutionHint[] {
	const counts = new Map<unknown, number>();
	for (const { json } of items) {
		counts.set(json.vpc_ep_client_status, (counts.get(json.vpc_ep_client_status) ?? 0) + 1);
	}
	const whichOf = (count: number) => (items.length === 1 ? 'Status' : `${count} of ${items.length} items`);
	const messages = Object.entries(TO_DO).flatMap(([status, toDo]) => {
		const count = counts.get(status);
		if (!count) return [];
		const waited =
			isPending(status) && acceptanceWait ? ` after ${acceptanceWait.maxWait / 1000} seconds` : '';
		return [`${whichOf(count)}: ${status}${waited}. ${toDo}`];
	});
	if (failedPolls.length > 0) {
		messages.push(
			`${whichOf(failedPolls.length)}: as it was before, since the last request brought no response (${failedPolls[0]}). Run the node again to see the present status.`,
		);
	}
	return messages.map((message) => ({ message, type: 'warning', location: 'outputPane' }));
}
