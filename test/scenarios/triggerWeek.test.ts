import type { IDataObject } from 'n8n-workflow';

import {
	dataSourceTypes,
	endpointServices,
	type FaultName,
	type Simulator,
	startSimulator,
} from '../support/cloud';
import { decide, requestEndpoint } from '../support/cloud/endpointActions';
import { ActiveTrigger } from '../support/engine/activeTrigger';
import { built } from '../support/engine/built';
import { insightTrigger } from '../support/engine/workflow';
import { useNoBackOff } from '../support/network/backOff';

/*
 * A week of polls, one every two hours of the simulated clock. Meanwhile endpoints are asked for, accepted and rejected, the
 * service throttles and fails, tokens expire, n8n starts again, and polls overlap.
 */

const TWO_HOURS = 2 * 3_600_000;
const POLLS = 7 * 12;

const { webShop, financeLedger, customerRecords, oldBilling } = endpointServices;
const services = [webShop, financeLedger, customerRecords, oldBilling];

/** Those that a few requests in a row meet. A login that is refused would not be tried again for minutes. */
const faults: FaultName[] = [
	'apigw-0308',
	'endpoint-0022',
	'apigw-0601',
	'apigw-0613',
	'endpoint-2003',
	'connection-reset',
	'broken-json',
	'sign-in-page',
];

const STATUS_OF: Record<string, string | undefined> = { waiting: 'pendingAcceptance', accepted: 'accepted' };

let simulator: Simulator;
/** What meets some requests in a row, after so many others: so it is the list that fails, or some endpoint services. */
let planned: { fault: FaultName; times: number; after: number } | undefined;
beforeAll(
	async () => (simulator = await startSimulator({ acceptTime: 1.5 * TWO_HOURS, endpointQuota: 1000 })),
);
beforeEach(() => {
	simulator.reset();
	const { requests } = simulator;
	jest.spyOn(requests, 'push').mockImplementation((...received) => {
		if (planned && planned.after-- === 0) simulator.failNext(planned.fault, planned.times);
		return Array.prototype.push.apply(requests, received);
	});
});
afterEach(() => jest.restoreAllMocks());
afterAll(async () => await simulator.close());
useNoBackOff();

/** Numbers below a limit that are the same for the same seed. */
function seeded(seed: number): (limit: number) => number {
	let state = seed;
	return (limit) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return (state >> 8) % limit;
	};
}

/** The statuses of all endpoints as they are now. */
function statuses(): Map<string, string> {
	const all = services.flatMap(({ id }) => simulator.connectionsOf(id));
	return new Map(all.map(({ id, status }) => [id, status]));
}

/** The faults that no request has met yet would meet those of the next poll. */
async function useUpFaults() {
	const { url, credentials } = simulator;
	const headers = { 'X-Auth-Token': credentials.token };
	const path = `/v1/${credentials.projectId}/vpc-endpoint-services`;
	for (let isGood = false; !isGood;) {
		isGood = await fetch(url + path, { headers }).then(
			async (response) => response.ok && (await response.text()).includes('"endpoint_services"'),
			() => false,
		);
	}
}

async function changeSomething(random: (limit: number) => number) {
	const service = services[random(services.length)] ?? webShop;
	const known = simulator.connectionsOf(service.id);
	const one = known[random(known.length || 1)];
	const dice = random(3);
	if (!one || dice === 0) {
		await requestEndpoint(simulator, service, dataSourceTypes[random(dataSourceTypes.length)]);
	} else {
		await decide(simulator, service, one.id, dice === 1 ? 'receive' : 'reject');
	}
}

interface Moment {
	truth: Map<string, string>;
	/** Whether nothing went wrong, so that all changes must have been seen. */
	clean: boolean;
	reports: IDataObject[];
}

async function aWeek(event: string, durable: boolean, seed: number): Promise<Moment[]> {
	const random = seeded(seed);
	const trigger = new ActiveTrigger(insightTrigger({ event }), {
		types: await built,
		credentials: { dataArtsInsightApi: simulator.passwordCredentials },
		durable,
	});
	await requestEndpoint(simulator, webShop);
	await requestEndpoint(simulator, financeLedger);
	await trigger.activate();
	// With durable cursors n8n drops what the poll of an activation has remembered.
	if (durable) await trigger.poll();
	const moments: Moment[] = [{ truth: statuses(), clean: true, reports: trigger.items }];

	for (let count = 1; count <= POLLS; count++) {
		simulator.clockOffset += TWO_HOURS;
		for (let changes = random(3); changes > 0; changes--) await changeSomething(random);
		const before = trigger.items.length;
		const fault = random(4) === 0 ? faults[random(faults.length)] : undefined;
		if (fault) planned = { fault, times: 1 + random(6), after: random(6) };
		const truth = statuses();
		const dice = random(20);
		if (dice === 0) {
			// n8n tries an activation again that was refused.
			for (let isRefused = true, tries = 0; isRefused; tries++) {
				if (tries > 20) throw new Error('Every activation was refused');
				isRefused = await trigger.activate('init').then(
					() => false,
					() => true,
				);
			}
		} else if (dice === 1) {
			await Promise.all([trigger.poll(), trigger.poll()]);
		} else if (dice === 2) {
			const superseded = trigger.poll();
			await trigger.activate('update').catch(() => undefined);
			await superseded;
		} else {
			await trigger.poll();
		}
		planned = undefined;
		if (fault) await useUpFaults();
		moments.push({ truth, clean: !fault, reports: trigger.items.slice(before) });
	}
	expect(trigger.errors.length).toBeGreaterThan(3);
	return moments;
}

/** Each report is true, fits the event, and is the only one while the endpoint kept its status. */
function wrongReports(moments: Moment[], event: string): unknown[] {
	const last = new Map<string, number>();
	const wrong: unknown[] = [];
	moments.forEach(({ truth, reports }, index) => {
		for (const report of reports) {
			const id = report.id as string;
			const status = truth.get(id);
			const keptSince =
				moments.slice(0, index).findLastIndex((moment) => moment.truth.get(id) !== status) + 1;
			const fits = report.status === status && report.previous_status !== status;
			const isFirst = (last.get(id) ?? -1) < keptSince;
			if (!fits || !isFirst || (STATUS_OF[event] ?? status) !== status) wrong.push({ index, report });
			last.set(id, index);
		}
	});
	return wrong;
}

/** Where an endpoint had another status than the last time when nothing went wrong, it was reported meanwhile. */
function missedReports(moments: Moment[], event: string): unknown[] {
	const clean = moments.flatMap((moment, index) => (moment.clean ? [index] : []));
	const missed: unknown[] = [];
	clean.slice(1).forEach((index, place) => {
		const previous = clean[place] ?? 0;
		for (const [id, status] of moments[index]?.truth ?? []) {
			if (moments[previous]?.truth.get(id) === status || (STATUS_OF[event] ?? status) !== status) continue;
			const reports = moments.slice(previous + 1, index + 1).flatMap((moment) => moment.reports);
			if (!reports.some((report) => report.id === id && report.status === status)) {
				missed.push({ index, id, status });
			}
		}
	});
	return missed;
}

it.each([
	['statusChanged', false, 1],
	['waiting', false, 3],
	['accepted', true, 4],
] as const)(
	'a week: %s, durable cursors %s: no change is missed, none is reported twice',
	async (event, durable, seed) => {
		const moments = await aWeek(event, durable, seed);
		expect(wrongReports(moments, event)).toEqual([]);
		expect(missedReports(moments, event)).toEqual([]);
		expect(moments.flatMap(({ reports }) => reports).length).toBeGreaterThan(event === 'waiting' ? 5 : 10);
	},
	// Thousands of requests, on a machine that may be busy.
	180_000,
);
