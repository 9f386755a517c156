import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import {
	acceptanceHints,
	acceptanceOptions,
	isPending,
	readAcceptanceWait,
	delayBeforeNextPoll,
	leavesStatusOpen,
} from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/acceptance';
import { InputError, RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { parameterValues } from '../../../../support/engine/parameterValues';

const acceptanceWait = { pollInterval: 15_000, maxWait: 300_000 };

describe('readAcceptanceWait', () => {
	const read = (options?: object) =>
		readAcceptanceWait({
			getNodeParameter: parameterValues({ options }),
		} as unknown as IExecuteFunctions);

	it('is none unless the switch is on, whatever the other options say', () => {
		for (const options of [undefined, {}, { waitForAcceptance: false }, { waitForAcceptance: 'true' }]) {
			expect(read(options)).toBeUndefined();
			expect(read({ ...options, pollInterval: 0, maxWait: 'x' })).toBeUndefined();
		}
	});

	it('is in milliseconds, by default a poll each 15 seconds for five minutes', () => {
		expect(read({ waitForAcceptance: true })).toEqual(acceptanceWait);
		expect(read({ waitForAcceptance: true, pollInterval: 1, maxWait: 3600 })).toEqual({
			pollInterval: 1_000,
			maxWait: 3_600_000,
		});
	});

	it('is read from the options that the form offers', () => {
		const offered = acceptanceOptions.map(({ name }) => name);
		expect(offered).toEqual(['maxWait', 'pollInterval', 'waitForAcceptance']);
	});

	it('refuses what is out of range and names the option', () => {
		for (const value of [0, 3601, 1.5]) {
			expect(() => read({ waitForAcceptance: true, pollInterval: value })).toThrow(InputError);
			expect(() => read({ waitForAcceptance: true, pollInterval: value })).toThrow("'Poll Interval'");
			expect(() => read({ waitForAcceptance: true, maxWait: value })).toThrow("'Max Wait'");
		}
	});
});

it('an endpoint is undecided while its owner or Huawei Cloud is still to act', () => {
	expect(['pendingAcceptance', 'creating'].every(isPending)).toBe(true);
	expect(['accepted', 'rejected', 'failed', 'deleting', 'new', '', undefined, 5].some(isPending)).toBe(false);
});

describe('delayBeforeNextPoll', () => {
	beforeEach(() => jest.spyOn(performance, 'now').mockReturnValue(1_000_000));
	afterEach(() => jest.restoreAllMocks());
	const delayAfter = (waited: number) => delayBeforeNextPoll(1_000_000 - waited, acceptanceWait);

	it('is the poll interval, and at the end what is left of the longest wait', () => {
		expect(delayAfter(0)).toBe(15_000);
		expect(delayAfter(285_000)).toBe(15_000);
		expect(delayAfter(285_001)).toBe(14_999);
		expect(delayAfter(299_999)).toBe(1);
	});

	it('is none once the longest wait is over', () => {
		expect(delayAfter(300_000)).toBeUndefined();
		expect(delayAfter(400_000)).toBeUndefined();
	});
});

describe('a failed poll', () => {
	const failed = (code: string, httpStatus?: number, retry?: { throttled: boolean }) =>
		new RequestError('m', 'a', { code, httpStatus, outcomeUnknown: false }, { retry });

	it.each<[string, RequestError]>([
		['500', failed('HTTP_500', 500)],
		['504', failed('APIGW.0201', 504)],
		['429 that may be sent again', failed('APIGW.0308', 429, { throttled: true })],
		['no connection', failed('CONNECTION_FAILED', undefined, { throttled: false })],
		['a lost connection', failed('CONNECTION_LOST')],
		['a sign-in page', failed('UNEXPECTED_ANSWER', 200)],
	])('that ended by %s leaves open what became of the endpoint', (_what, error) => {
		expect(leavesStatusOpen(error)).toBe(true);
	});

	it.each<[string, RequestError]>([
		['404', failed('DataArtsInsight.24010003', 404)],
		['499', failed('HTTP_499', 499)],
		['a response that says no', failed('HTTP_200', 200)],
		['an egress policy', failed('BLOCKED')],
		['the stop of the execution', failed('CANCELLED')],
	])('that ended by %s ends the waiting', (_what, error) => {
		expect(leavesStatusOpen(error)).toBe(false);
	});
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
