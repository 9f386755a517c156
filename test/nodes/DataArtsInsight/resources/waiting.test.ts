import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { acceptance } from '../../../../nodes/DataArtsInsight/resources/vpcEndpoint/acceptance';
import {
	afterFailedPoll,
	delayBeforeNextPoll,
	leavesStatusOpen,
	statusHints,
} from '../../../../nodes/DataArtsInsight/resources/waiting';
import { InputError, RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';
import { parameterValues } from '../../../support/engine/parameterValues';

const acceptanceWait = { pollInterval: 15_000, maxWait: 300_000 };

describe('waitOptions', () => {
	const read = (options?: object) =>
		acceptance.read({
			getNodeParameter: parameterValues({ options }),
		} as unknown as IExecuteFunctions);

	it('is none unless the switch is on, whatever the other options say', () => {
		for (const options of [undefined, {}, { waitForAcceptance: false }]) {
			expect(read(options)).toBeUndefined();
			expect(read({ ...options, pollInterval: 0, maxWait: 'x' })).toBeUndefined();
		}
	});

	it('refuses a switch that is neither on nor off', () => {
		for (const value of ['true', 1, '']) {
			expect(() => read({ waitForAcceptance: value })).toThrow(
				"'Wait for Acceptance' in the options is neither true nor false",
			);
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
		const offered = acceptance.properties.map(({ name }) => name);
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

describe('afterFailedPoll', () => {
	const error = new RequestError('Broken', 'a', { code: 'HTTP_500', httpStatus: 500, outcomeUnknown: false });
	const refusal = new RequestError('No', 'Ask', { code: 'HTTP_403', httpStatus: 403, outcomeUnknown: false });
	const waiting = (delay?: number) => ({ status: 'creating', json: { id: 1 }, delay: () => delay });

	it('leaves the item as it was until the next poll', () => {
		const failedPolls: string[] = [];
		expect(afterFailedPoll(error, waiting(5), 'it', failedPolls)).toEqual({
			json: { id: 1 },
			sendAgainAfter: 5,
		});
		expect(failedPolls).toEqual([]);
	});

	it('keeps the reason where there is no next poll', () => {
		const failedPolls: string[] = [];
		const sent = afterFailedPoll(error, waiting(), 'it', failedPolls);
		expect(sent).toEqual({ json: { id: 1 }, sendAgainAfter: undefined });
		expect(failedPolls).toEqual(['Broken']);
	});

	it('ends the waiting with a refusal, which tells the last status', () => {
		let thrown: unknown;
		try {
			afterFailedPoll(refusal, waiting(5), 'the thing', []);
		} catch (caught) {
			thrown = caught;
		}
		expect(thrown).toMatchObject({
			message: 'No',
			description: 'Ask. Before this request the thing was creating',
		});
	});

	it('passes on what was thrown where nothing is waited for, and what nobody foresaw', () => {
		expect(() => afterFailedPoll(error, undefined, 'it', [])).toThrow(error);
		const unforeseen = new TypeError('odd');
		expect(() => afterFailedPoll(unforeseen, waiting(5), 'it', [])).toThrow(unforeseen);
	});
});

describe('statusHints', () => {
	const words = {
		field: 'state',
		undecided: ['open'],
		toDo: { open: 'Wait.', shut: 'Knock.' },
		look: 'Look again',
	};
	const itemsOf = (...states: unknown[]) =>
		states.map((state) => ({ json: { state } })) as INodeExecutionData[];
	const messages = (...[items, ...more]: [INodeExecutionData[], typeof acceptanceWait?, string[]?]) =>
		statusHints(items, words, ...more).map(({ message }) => message);

	it('tell about each status in the order of its words, and about no other', () => {
		expect(messages(itemsOf('shut', 'open', 'fine', undefined, 5, 'shut'))).toEqual([
			'1 of 6 items: open. Wait.',
			'2 of 6 items: shut. Knock.',
		]);
	});

	it('say how long was waited for what is undecided', () => {
		expect(messages(itemsOf('shut', 'open'), acceptanceWait)).toEqual([
			'1 of 2 items: open after 300 seconds. Wait.',
			'1 of 2 items: shut. Knock.',
		]);
	});

	it('say how to see the present status where the last poll brought none', () => {
		expect(messages(itemsOf('fine'), acceptanceWait, ['late'])).toEqual([
			'Status: as it was before, since the last request brought no response (late). Look again.',
		]);
	});
});
