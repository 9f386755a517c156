import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	NodeExecutionHint,
} from 'n8n-workflow';

import { readCollection, switchOf, wholeNumber } from '../items/parameters';
import type { Sent } from '../items/runItems';
import { RequestError } from '../transport/errors/errors';

/** How often to poll for a status, and for how long, in milliseconds. */
export interface Wait {
	pollInterval: number;
	maxWait: number;
}

/** The options of an operation that can wait until something is decided, and how they are read. */
export interface WaitOptions {
	properties: INodeProperties[];
	/**
	 * What the options say for the whole run.
	 *
	 * @returns nothing if the node is not to wait
	 * @throws {InputError} that names the option, if it is no switch or not a whole number in its range
	 */
	read: (context: IExecuteFunctions) => Wait | undefined;
}

/**
 * Makes the options of an operation that can wait.
 *
 * @param toggle the switch that turns the waiting on
 * @param again what happens at each poll, as in "before verifying again"
 * @param presets the defaults, in seconds
 */
export function waitOptions(
	toggle: INodeProperties,
	again: string,
	presets: { pollInterval: number; maxWait: number },
): WaitOptions {
	const seconds: Pick<INodeProperties, 'type' | 'typeOptions'> = {
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 3600 },
	};
	const pollInterval: INodeProperties = {
		displayName: 'Poll Interval',
		name: 'pollInterval',
		...seconds,
		default: presets.pollInterval,
		description: `With '${toggle.displayName}': how many seconds to wait before ${again}`,
	};
	const maxWait: INodeProperties = {
		displayName: 'Max Wait',
		name: 'maxWait',
		...seconds,
		default: presets.maxWait,
		description: `With '${toggle.displayName}': how many seconds an item may wait, up to 3600. After them it comes out with its last status.`,
	};
	return {
		properties: [maxWait, pollInterval, toggle],
		read: (context) => {
			const options = readCollection(context, 'options', 0);
			const isOn = switchOf(options[toggle.name] ?? false, `'${toggle.displayName}' in the options`);
			if (!isOn) return undefined;
			return {
				pollInterval: wholeNumber(options, pollInterval) * 1000,
				maxWait: wholeNumber(options, maxWait) * 1000,
			};
		},
	};
}

/**
 * How long to wait before asking again for a status that is undecided.
 *
 * @param since when the first status came, by `performance.now()`
 * @returns milliseconds; nothing if the time is up
 */
export function delayBeforeNextPoll(since: number, { pollInterval, maxWait }: Wait): number | undefined {
	const left = since + maxWait - performance.now();
	return left > 0 ? Math.min(pollInterval, left) : undefined;
}

/**
 * Whether a poll that failed leaves the status open: then the next poll asks again. A refusal by the service ends the
 * waiting, and so does what keeps any request from being sent.
 */
export function leavesStatusOpen({ details: { code, httpStatus }, retry }: RequestError): boolean {
	if (['BLOCKED', 'CANCELLED'].includes(code)) return false;
	return !httpStatus || httpStatus >= 500 || retry !== undefined || code === 'UNEXPECTED_ANSWER';
}

/** What is known of an item while something is waited for. */
export interface Waiting {
	/** The last status that was read, and what the item is with it. */
	status: string;
	json: IDataObject;
	/** How long to wait before the next poll, in milliseconds; nothing if the time is up. */
	delay: () => number | undefined;
}

/**
 * What comes of an item whose request failed. While something is waited for, the next poll asks again unless this
 * failure ends the waiting; when the time is up, the item comes out as it was.
 *
 * @param waiting nothing if the request was no poll
 * @param what the thing that has the status, as in "the VPC endpoint"
 * @param failedPolls gets the reason, where the last poll brought no status
 * @throws what the request threw, with the last status
 */
export function afterFailedPoll(
	error: unknown,
	waiting: Waiting | undefined,
	what: string,
	failedPolls: string[],
): Sent {
	if (!waiting || !(error instanceof RequestError)) throw error;
	if (!leavesStatusOpen(error)) {
		throw error.with({ notes: [`Before this request ${what} was ${waiting.status}`] });
	}
	const sendAgainAfter = waiting.delay();
	if (sendAgainAfter === undefined) failedPolls.push(error.message);
	return { json: waiting.json, sendAgainAfter };
}

/** The words of {@link statusHints}. */
export interface StatusWords {
	/** The field of an item that holds its status. */
	field: string;
	/** The statuses that are waited for. */
	undecided: readonly string[];
	/** What to do about each status that somebody has to do something about. */
	toDo: Record<string, string>;
	/** How to see the present status, as a sentence without its full stop. */
	look: string;
}

/**
 * What the editor tells about the items that somebody has to do something about, one line for each status.
 *
 * @param items what the node gives out
 * @param wait given if the run has waited for a decision
 * @param failedPolls why the last poll failed for items whose time was up, one text for each of them
 */
export function statusHints(
	items: INodeExecutionData[],
	{ field, undecided, toDo, look }: StatusWords,
	wait?: Wait,
	failedPolls: string[] = [],
): NodeExecutionHint[] {
	const counts = new Map<unknown, number>();
	for (const { json } of items) counts.set(json[field], (counts.get(json[field]) ?? 0) + 1);
	const whichOf = (count: number) => (items.length === 1 ? 'Status' : `${count} of ${items.length} items`);
	const messages = Object.entries(toDo).flatMap(([status, text]) => {
		const count = counts.get(status);
		if (!count) return [];
		const waited = wait && undecided.includes(status) ? ` after ${wait.maxWait / 1000} seconds` : '';
		return [`${whichOf(count)}: ${status}${waited}. ${text}`];
	});
	if (failedPolls.length > 0) {
		messages.push(
			`${whichOf(failedPolls.length)}: as it was before, since the last request brought no response (${failedPolls[0]}). ${look}.`,
		);
	}
	return messages.map((message) => ({ message, type: 'warning', location: 'outputPane' }));
}
