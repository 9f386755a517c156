import { setTimeout as sleep } from 'node:timers/promises';

import type { INodeParameters } from 'n8n-workflow';

import {
	documentedFaults,
	endpointServices,
	type FaultName,
	faultNames,
	harmlessFaults,
	type Simulator,
	startSimulator,
} from '../support/cloud';
import { detailsOf, runNode } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

/*
 * Every operation of the owner's side meets every fault that the simulated cloud knows. Verify and Create has suites of
 * its own for that.
 */

/** A connection of `financeLedger` that waits for acceptance, of those that the simulator has from the start. */
const WAITING = 'b7000000-0000-4000-8000-000000000002';
const endpointService = { __rl: true, mode: 'id', value: endpointServices.financeLedger.id };
const decision = { endpointService, endpointId: WAITING };

interface Row {
	name: string;
	parameters: INodeParameters;
	method: 'GET' | 'POST';
	/** Whether it may be sent again although it may have acted. */
	repeatable: boolean;
}

const row = (
	[resource, operation]: [string, string],
	method: Row['method'],
	parameters: INodeParameters,
	repeatable = true,
): Row => ({
	name: `${resource}: ${operation}`,
	parameters: { resource, operation, ...parameters },
	method,
	repeatable,
});

const rows: Row[] = [
	row(['endpointService', 'getAll'], 'GET', {}),
	row(['endpointService', 'get'], 'GET', { endpointService }),
	row(['endpointConnection', 'getAll'], 'GET', { endpointService }),
	row(['endpointConnection', 'accept'], 'POST', decision),
	row(['endpointConnection', 'reject'], 'POST', decision),
	row(['whitelist', 'getAll'], 'GET', { endpointService }),
	row(['whitelist', 'add'], 'POST', { endpointService, permission: 'a1b2c3' }, false),
];

const MAX_RETRIES = 2;
const hanging: FaultName[] = ['no-answer', 'slow-drip'];
// The first makes the caller wait for a second.
const faults = faultNames.filter(
	(fault) => !['throttled-retry-after', ...hanging, ...harmlessFaults].includes(fault),
);

/** The service has certainly not acted, and says when to come back. */
const throttled: FaultName[] = ['apigw-0308', 'apig-0308', 'iam-0012', 'apigw-0613', 'endpoint-0022'];
/** No response that could be read came, though it was sent. */
const lost: FaultName[] = ['connection-reset', 'truncated'];
/** Something answered, but not the service. */
const foreign: FaultName[] = ['sign-in-page', 'empty-200', 'json-array', 'no-id', 'broken-json', 'giant'];

const statusOf = (fault: FaultName) => new Map(Object.entries(documentedFaults)).get(fault)?.status ?? 0;
const isServerFault = (fault: FaultName) =>
	['html-502', 'plain-503'].includes(fault) || (statusOf(fault) >= 500 && !throttled.includes(fault));
const mayHaveActed = (fault: FaultName) => [...lost, ...foreign].includes(fault) || isServerFault(fault);
/** Of a list that is too large to be read a smaller page is asked for. */
const asksForLess = (fault: FaultName, { parameters }: Row) =>
	fault === 'giant' && parameters.operation === 'getAll';
const isRepeated = (fault: FaultName, operation: Row) =>
	throttled.includes(fault) ||
	asksForLess(fault, operation) ||
	(operation.repeatable && (lost.includes(fault) || isServerFault(fault)));

let simulator: Simulator;
useNoBackOff();
beforeAll(async () => (simulator = await startSimulator({ moreConnections: 3 })));
afterAll(async () => await simulator.close());

/** Runs an operation whose requests meet a fault, so often that no retry gets around it. */
async function meet(fault: FaultName, { parameters }: Row, timeout = 10_000) {
	simulator.reset();
	simulator.failNext(fault, MAX_RETRIES + 1);
	// After a 401 a token is not sent any more.
	const credential = { ...simulator.credentials, token: simulator.issueToken() };
	const options = { maxRetries: MAX_RETRIES, timeout };
	const result = await runNode({ ...parameters, options }, { credential, onError: 'continueRegularOutput' });
	expect(JSON.stringify([result.run, result.items])).not.toContain(credential.token.slice(0, 40));
	return { details: detailsOf(result.items)[0], items: result.items };
}

describe.each(rows)('$name', (operation) => {
	const { method, parameters } = operation;
	const sent = () => simulator.requests.filter((request) => request.method === method).length;

	it('is sent again only where that does no harm, says whether it may have acted, and shows no secret', async () => {
		for (const fault of faults) {
			const { details, items } = await meet(fault, operation);
			expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }]);
			expect([fault, sent(), details?.outcomeUnknown]).toEqual([
				fault,
				isRepeated(fault, operation) ? MAX_RETRIES + 1 : 1,
				method === 'POST' && mayHaveActed(fault),
			]);
			expect(details?.description.length).toBeGreaterThan(20);
		}
	}, 180_000);

	it.each(hanging)('%s: ends with the timeout and is not sent again', async (fault) => {
		const { details } = await meet(fault, operation, 300);
		expect(details).toMatchObject({ code: 'TIMEOUT', outcomeUnknown: method === 'POST' });
		expect(sent()).toBe(1);
	});

	it('ends with the execution, and sends nothing more', async () => {
		simulator.reset();
		simulator.failNext('no-answer');
		const stop = new AbortController();
		const running = runNode(parameters, { credential: simulator.credentials, signal: stop.signal });
		while (simulator.requests.length === 0) await sleep(2);
		stop.abort();
		expect((await running).run.status).toBe('canceled');
		expect(simulator.requests).toHaveLength(1);
	});

	it('with Retry On Fail is sent again by n8n for the item that failed alone', async () => {
		simulator.reset();
		simulator.failNext('apigw-0201-400');
		const { run, items } = await runNode(parameters, {
			credential: simulator.credentials,
			settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
		});
		expect(run.status).toBe('success');
		expect(items.length).toBeGreaterThan(0);
		expect(sent()).toBe(2);
	});
});
