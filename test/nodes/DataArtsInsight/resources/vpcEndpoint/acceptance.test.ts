import type { INodeExecutionData } from 'n8n-workflow';

import {
	acceptanceHints,
	isPending,
} from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/acceptance';

const acceptanceWait = { pollInterval: 15_000, maxWait: 300_000 };

it('an endpoint is undecided while its owner or Huawei Cloud is still to act', () => {
	expect(['pendingAcceptance', 'creating'].every(isPending)).toBe(true);
	expect(['accepted', 'rejected', 'failed', 'deleting', 'new', '', undefined, 5].some(isPending)).toBe(false);
});

describe('acceptanceHints', () => {
	const itemsOf = (...statuses: Array<string | undefined>): INodeExecutionData[] =>
		statuses.map((status) => ({ json: status === undefined ? {} : { vpc_ep_client_status: status } }));
	const messages = (...given: Parameters<typeof acceptanceHints>) =>
		acceptanceHints(...given).map(({ message }) => message);

	it('are warnings beside the output', () => {
		expect(acceptanceHints(itemsOf('rejected'))).toEqual([
			{
				message: 'Status: rejected. The owner of the endpoint service refused the connection. Talk to them.',
				type: 'warning',
				location: 'outputPane',
			},
		]);
	});

	it('count the items of each status that somebody has to do something about', () => {
		const items = itemsOf(
			'accepted',
			'failed',
			'deleting',
			'pendingAcceptance',
			'new',
			'failed',
			'creating',
			undefined,
		);
		expect(messages(items)).toEqual([
			expect.stringMatching(/^1 of 8 items: pendingAcceptance\. Ask the owner/),
			expect.stringMatching(/^1 of 8 items: creating\. The endpoint is still being created/),
			expect.stringMatching(/^2 of 8 items: failed\. The endpoint cannot be used/),
			expect.stringMatching(/^1 of 8 items: deleting\. The endpoint cannot be used/),
		]);
	});

	it('say how long an undecided endpoint was waited for, and only there', () => {
		expect(messages(itemsOf('creating', 'failed'), acceptanceWait)).toEqual([
			expect.stringMatching(/^1 of 2 items: creating after 300 seconds\. /),
			expect.stringMatching(/^1 of 2 items: failed\. /),
		]);
	});

	it('are none where all is well, and for no items', () => {
		expect(messages(itemsOf('accepted', undefined), acceptanceWait, [])).toEqual([]);
		expect(messages([])).toEqual([]);
	});

	it('say why the last polls brought no status', () => {
		const again = 'Run the node again to see the present status.';
		expect(messages(itemsOf('accepted', 'accepted', 'accepted'), acceptanceWait, ['lost', 'late'])).toEqual([
			`2 of 3 items: as it was before, since the last request brought no response (lost). ${again}`,
		]);
		expect(messages(itemsOf('accepted'), acceptanceWait, ['lost'])).toEqual([
			`Status: as it was before, since the last request brought no response (lost). ${again}`,
		]);
	});
});
