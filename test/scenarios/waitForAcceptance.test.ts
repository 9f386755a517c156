import { setTimeout as sleep } from 'node:timers/promises';

import type { INodeParameters } from 'n8n-workflow';

import { endpointServices, faultServerName, type Simulator, startSimulator } from '../support/cloud';
import { toItems, type NodeRun, runNode } from '../support/engine/runNode';

const { salesWarehouse, webShop, financeLedger, customerRecords, newReporting, oldBilling } =
	endpointServices;

let simulator: Simulator;
beforeAll(async () => (simulator = await startSimulator()));
beforeEach(() => simulator.reset());
afterAll(async () => await simulator.close());

/** Verifies by name with some options; `hints` are what the editor shows. */
async function verify(options: INodeParameters, list: string[], settings: Partial<NodeRun> = {}) {
	const credential = simulator.credentials;
	const result = await runNode({ options }, { credential, input: toItems(...list), ...settings });
	const hints = result.run.data.resultData.runData['DataArts Insight']?.at(-1)?.hints ?? [];
	return {
		...result,
		statuses: result.items.map(({ json }) => json.vpc_ep_client_status ?? json.error),
		hints: hints.map(({ message }) => message),
	};
}

const waiting = { waitForAcceptance: true, pollInterval: 1 };

const requestedNames = () =>
	simulator.requests.map(({ body }) => (JSON.parse(body) as Record<string, string>).vpc_ep_server_name);

async function onceRequested(times: number) {
	while (simulator.requests.length < times) await sleep(5);
}

describe('waiting for acceptance', () => {
	it('verifies again until the owner accepts, and is still one item', async () => {
		const running = verify(waiting, [financeLedger.name]);
		await onceRequested(2);
		simulator.accept(financeLedger.name);
		const { statuses, items, hints } = await running;
		expect(statuses).toEqual(['accepted']);
		expect(items[0]?.pairedItem).toEqual({ item: 0 });
		expect(requestedNames()).toEqual(Array(3).fill(financeLedger.name));
		expect(hints).toEqual([]);
		const [first = 0, second = 0, third = 0] = simulator.requests.map(({ at }) => at);
		expect(second - first).toBeGreaterThanOrEqual(990);
		expect(third - second).toBeGreaterThanOrEqual(990);
	});

	it('waits for an endpoint that is being created, too', async () => {
		const { statuses } = await verify(waiting, [newReporting.name]);
		expect(statuses).toEqual(['accepted']);
		expect(simulator.requests).toHaveLength(2);
	});

	it.each([
		['accepted', salesWarehouse.name],
		['rejected', oldBilling.name],
		['failed', faultServerName('status-failed')],
		['deleting', faultServerName('status-deleting')],
		['underReview', faultServerName('status-unknown')],
	])('ends at once where the status is %s', async (status, name) => {
		const { statuses } = await verify(waiting, [name]);
		expect(statuses).toEqual([status]);
		expect(simulator.requests).toHaveLength(1);
	});

	it('gives out the last status when Max Wait is over, with a hint', async () => {
		const { statuses, hints } = await verify({ ...waiting, maxWait: 2 }, [financeLedger.name, webShop.name]);
		expect(statuses).toEqual(['pendingAcceptance', 'accepted']);
		expect(requestedNames().filter((name) => name === financeLedger.name)).toHaveLength(3);
		expect(hints).toEqual([
			'1 of 2 items: pendingAcceptance after 2 seconds. Ask the owner of the endpoint service to accept the endpoint in the VPC Endpoint console, then run the node again.',
		]);
	});

	it('polls a last time when Max Wait is over, however long the interval', async () => {
		const { statuses } = await verify({ ...waiting, pollInterval: 3600, maxWait: 1 }, [newReporting.name]);
		expect(statuses).toEqual(['accepted']);
	});

	it('holds no other item back, and keeps their order', async () => {
		const list = [financeLedger.name, customerRecords.name, webShop.name, salesWarehouse.name];
		const running = verify({ ...waiting, maxConcurrency: 1 }, list);
		await onceRequested(4);
		expect(requestedNames()).toEqual(list);
		simulator.accept(financeLedger.name);
		simulator.accept(customerRecords.name);
		const { statuses, items } = await running;
		expect(statuses).toEqual(Array(4).fill('accepted'));
		expect(items.map(({ json }) => json.vpc_ep_server_name)).toEqual(list);
		expect(simulator.requests).toHaveLength(6);
	});

	it('cancel: ends and sends nothing more', async () => {
		const stop = new AbortController();
		const running = verify(waiting, [financeLedger.name, customerRecords.name], { signal: stop.signal });
		await onceRequested(2);
		await sleep(50);
		stop.abort();
		const stopped = performance.now();
		const { run } = await running;
		expect(run.status).toBe('canceled');
		expect(performance.now() - stopped).toBeLessThan(500);
		await sleep(1200);
		expect(simulator.requests).toHaveLength(2);
	});

	it('cancel: does not log in again (token expired)', async () => {
		const brief = await startSimulator({ tokenLifetime: 200 });
		const stop = new AbortController();
		const running = verify(waiting, [financeLedger.name], {
			credential: brief.passwordCredentials,
			signal: stop.signal,
		});
		while (brief.requests.length < 2) await sleep(5);
		await sleep(300);
		stop.abort();
		const { run } = await running;
		expect(run.status).toBe('canceled');
		expect(brief.logins).toBe(1);
		await brief.close();
	});

	it('goes on after a poll that fails (500, 502, 504, 429, 503, reset, timeout)', async () => {
		const faults = [
			'apigw-0601',
			'apigw-0201-502',
			'apigw-0201-504',
			'apigw-0308',
			'apigw-0613',
			'connection-reset',
			'sign-in-page',
			'no-answer',
		] as const;
		const outcomes = faults.map(async (fault) => {
			const cloud = await startSimulator();
			const running = verify({ ...waiting, maxRetries: 0, timeout: 500 }, [financeLedger.name], {
				credential: cloud.credentials,
			});
			const onceRequested = async (times: number) => {
				while (cloud.requests.length < times) await sleep(5);
			};
			await onceRequested(1);
			cloud.failNext(fault);
			await onceRequested(2);
			cloud.accept(financeLedger.name);
			const { statuses, hints } = await running;
			const { length } = cloud.requests;
			await cloud.close();
			return { fault, statuses, hints, length };
		});
		expect(await Promise.all(outcomes)).toEqual(
			faults.map((fault) => ({ fault, statuses: ['accepted'], hints: [], length: 3 })),
		);
	});

	it('gives out the last status where the last poll fails (500), with a hint', async () => {
		const running = verify({ ...waiting, maxWait: 1, simplify: true }, [financeLedger.name, webShop.name]);
		await onceRequested(2);
		simulator.failNext('apigw-0601', 5);
		const { statuses, items, hints } = await running;
		expect(statuses).toEqual(['pendingAcceptance', 'accepted']);
		expect(items[0]?.json.vpc_ep_server_name).toBe(financeLedger.name);
		expect(hints).toEqual([
			expect.stringMatching(/^1 of 2 items: pendingAcceptance after 1 seconds/),
			expect.stringMatching(/^1 of 2 items: as it was before, .*\(Internal server error \(APIGW\.0601\)\)/),
		]);
	});

	it('polls in time while many items are still being sent', async () => {
		const slow = await startSimulator({ latency: 40 });
		const list = [financeLedger.name, ...Array<string>(70).fill(salesWarehouse.name)];
		await verify({ ...waiting, maxWait: 2, maxConcurrency: 1 }, list, { credential: slow.credentials });
		const times = slow.requests
			.filter(({ body }) => body.includes(financeLedger.name))
			.map(({ at }) => at - (slow.requests[0]?.at ?? 0));
		// Max Wait is over well before the list was sent once.
		expect(times).toHaveLength(3);
		const sent = (slow.requests.at(-1)?.at ?? 0) - (slow.requests[0]?.at ?? 0);
		expect(times[2]).toBeLessThan(sent - 200);
		expect(slow.requests.at(-1)?.body).toContain(salesWarehouse.name);
		await slow.close();
	});

	it('ends with a poll that is refused (403), and the error tells the last status', async () => {
		const running = verify(waiting, [financeLedger.name], { onError: 'continueErrorOutput' });
		await onceRequested(1);
		simulator.failNext('insight-20010003');
		const { errorOutput } = await running;
		const details = errorOutput[0]?.json.details as Record<string, string>;
		expect(details.description).toContain('Ask an administrator');
		expect(details.description).toContain('Before this request the VPC endpoint was pendingAcceptance');
		expect(simulator.requests).toHaveLength(2);
	});

	it('without Continue On Fail ends with the error of another item, which tells how many still waited', async () => {
		const { error } = await verify({ ...waiting, maxConcurrency: 1 }, [
			financeLedger.name,
			webShop.name,
			'cn-north-4.no-such-service',
			salesWarehouse.name,
		]);
		expect(error?.description).toContain('Of 4 items: 1 completed, 1 not sent, 1 still waiting');
		expect(simulator.requests).toHaveLength(3);
	});

	it('Retry On Fail verifies again what was still waiting, and nothing that was done', async () => {
		const running = verify(waiting, [webShop.name, newReporting.name, financeLedger.name], {
			settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
		});
		await onceRequested(3);
		simulator.failNext('insight-20010003');
		await onceRequested(4);
		simulator.accept(financeLedger.name);
		const { statuses } = await running;
		expect(statuses).toEqual(Array(3).fill('accepted'));
		expect(requestedNames().filter((name) => name === webShop.name)).toHaveLength(1);
	});

	it.each([
		[{ pollInterval: 0 }, "'Poll Interval' in the options is not a whole number from 1 to 3600"],
		[{ pollInterval: 1.5 }, "'Poll Interval'"],
		[{ maxWait: 3601 }, "'Max Wait' in the options is not a whole number from 1 to 3600"],
		[{ maxWait: 'long' }, "'Max Wait'"],
	])('takes no options like %j', async (options, message) => {
		const { error } = await verify({ ...waiting, ...options }, [webShop.name]);
		expect(error?.message).toContain(message);
		expect(simulator.requests).toHaveLength(0);
	});
});

describe('without waiting', () => {
	it('a pending endpoint comes out at once, whatever the other two options say', async () => {
		const { statuses } = await verify({ pollInterval: 0, maxWait: -1 }, [financeLedger.name]);
		expect(statuses).toEqual(['pendingAcceptance']);
		expect(simulator.requests).toHaveLength(1);
	});

	it('a hint tells about each status that somebody has to do something about', async () => {
		const { hints } = await verify({}, [
			financeLedger.name,
			customerRecords.name,
			newReporting.name,
			oldBilling.name,
			webShop.name,
			faultServerName('status-failed'),
			faultServerName('status-unknown'),
		]);
		expect(hints).toEqual([
			expect.stringMatching(/^2 of 7 items: pendingAcceptance\. Ask the owner/),
			expect.stringMatching(/^1 of 7 items: creating\. /),
			expect.stringMatching(/^1 of 7 items: rejected\. .*Talk to them\.$/),
			expect.stringMatching(/^1 of 7 items: failed\. .*VPC Endpoint console\.$/),
		]);
	});

	it('the hint of a single item is short', async () => {
		const { hints } = await verify({}, [newReporting.name]);
		expect(hints).toEqual([
			'Status: creating. The endpoint is still being created. Run the node again in a minute.',
		]);
	});

	it('there is no hint where all is well', async () => {
		expect((await verify({}, [webShop.name])).hints).toEqual([]);
	});
});
