import type { INodeExecutionData, NodeExecutionHint } from 'n8n-workflow';

import { statusHints, type StatusWords, type Wait, waitOptions } from '../waiting';

/*
 * What becomes of a VPC endpoint after it was asked for: the owner of the endpoint service accepts it or not.
 *
 * Sources: Huawei Cloud, DataArts Insight API Reference, "Verifying a VPC Endpoint Service and Creating a VPC
 * Endpoint", for the first two statuses; VPC Endpoint API Reference, "Querying VPC Endpoints", for the others.
 */

/** The options that let the node wait for the owner. */
export const acceptance = waitOptions(
	{
		displayName: 'Wait for Acceptance',
		name: 'waitForAcceptance',
		type: 'boolean',
		default: false,
		description:
			'Whether to verify again and again, until the endpoint is accepted or can no longer be. For hours or days use a Wait node instead.',
	},
	'verifying again',
	{ pollInterval: 15, maxWait: 300 },
);

const UNDECIDED = ['pendingAcceptance', 'creating'];

/** Whether the owner of the endpoint service, or Huawei Cloud, has still to decide about an endpoint. */
export function isPending(status: unknown): status is string {
	return UNDECIDED.some((undecided) => undecided === status);
}

const words: StatusWords = {
	field: 'vpc_ep_client_status',
	undecided: UNDECIDED,
	toDo: {
		pendingAcceptance:
			'Ask the owner of the endpoint service to accept the endpoint in the VPC Endpoint console, then run the node again.',
		creating: 'The endpoint is still being created. Run the node again in a minute.',
		rejected: 'The owner of the endpoint service refused the connection. Talk to them.',
		failed: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
		deleting: 'The endpoint cannot be used. Check it in the VPC Endpoint console.',
	},
	look: 'Run the node again to see the present status',
};

/** What the editor tells about the endpoints that cannot be used yet, or never: see {@link statusHints}. */
export function acceptanceHints(
	items: INodeExecutionData[],
	acceptanceWait?: Wait,
	failedPolls: string[] = [],
): NodeExecutionHint[] {
	return statusHints(items, words, acceptanceWait, failedPolls);
}
