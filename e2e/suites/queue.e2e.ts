import { randomUUID } from 'node:crypto';

import type { INode } from 'n8n-workflow';

import { verifiable } from '../../publishing/project';
import { type Simulator, startSimulator } from '../../test/support/cloud';
import { type Execution, N8n } from '../support/n8n';
import { note } from '../support/notes';
import { PACKAGE_NAME } from '../support/packageInstall';
import { type Registry, startRegistry } from '../support/registry';
import { DATABASE_OWNER, type Server, startPostgres, startRedis } from '../support/servers';
import { until } from '../support/until';
import { chain, insightNode } from '../support/workflows';

const EXECUTIONS = 200;
/** How many executions each worker has finished before one of them is killed. */
const BEFORE_THE_KILL = 20;
/** How many requests the caller of the webhook sends at once. */
const AT_A_TIME = 20;
/** How long the simulated cloud takes for a response, in milliseconds. */
const LATENCY = 300;

const webhook: INode = {
	id: 'webhook',
	name: 'Webhook',
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2,
	position: [0, 0],
	webhookId: randomUUID(),
	parameters: { httpMethod: 'POST', path: 'verify', responseMode: 'onReceived', options: {} },
};

/** Each execution verifies a service of its own. Its name tells which execution has sent a request. */
const SERVICE = 'cn-north-4.fault-extra-fields.execution-';
const verify = insightNode({ vpcEpServerName: `=${SERVICE}{{ $execution.id }}` });

const cleanUps: Array<() => Promise<void>> = [];
let simulator: Simulator;
let main: N8n;
let survivor: N8n;
let victim: N8n;

/** The executions as n8n reports them at the end. */
let executions: Execution[];
/** The executions that the killed worker had started and not finished. */
let interrupted: string[];

beforeAll(async () => {
	simulator = await startSimulator({ latency: LATENCY });
	cleanUps.push(() => simulator.close());
	const redis = await startRedis();
	cleanUps.push(() => redis.stop());
	const postgres = await startPostgres();
	cleanUps.push(() => postgres.stop());
	const registry = await startRegistry();
	cleanUps.push(() => registry.stop());
	await registry.publish(verifiable.file, 'latest');
	const env = environment(redis, postgres, registry);
	main = n8nNamed('main', env);
	survivor = n8nNamed('survivor', env);
	victim = n8nNamed('victim', env);
	// The main process migrates the database and installs the listed package, so it starts first.
	await main.start();
	await Promise.all([survivor.startWorker(5), victim.startWorker(5)]);

	await main.createCredential(simulator.passwordCredentials);
	const workflowId = await main.importWorkflow(chain('Queued', webhook, verify));
	await main.activate(workflowId);
	await Promise.all([
		callWebhook(`${main.url}/webhook/verify`),
		untilInTheMiddle().then(() => victim.kill()),
	]);
	interrupted = begunOnly(victim);
	executions = await allFinished();
}, 600_000);

afterAll(async () => {
	for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

it('queue mode: both workers run executions until one is killed with requests in flight', () => {
	expect(finished(victim).size).toBeGreaterThanOrEqual(BEFORE_THE_KILL);
	expect(finished(survivor).size).toBeGreaterThan(finished(victim).size);
	expect(interrupted.length).toBeGreaterThan(0);
	// Each worker shares one login among its executions.
	expect(simulator.logins).toBe(2);
});

it('queue mode: every execution ends, with success or as one of the killed worker', () => {
	expect(new Set(executions.map(({ id }) => id)).size).toBe(EXECUTIONS);
	const failed = executions.filter(({ status }) => status !== 'success');
	for (const { status, data } of failed) {
		expect({ status, message: data.resultData.error?.message }).toEqual({
			status: 'error',
			message: expect.stringContaining('failed to be processed too many times') as string,
		});
	}
	expect(failed.length).toBeGreaterThan(0);
	// All of them were on the killed worker. It may have taken an execution from the queue and not started it.
	const elsewhere = new Set([...matches(survivor, 'started'), ...matches(victim, 'finished')]);
	expect(failed.filter(({ id }) => elsewhere.has(id))).toEqual([]);
});

it('queue mode: each execution sends one request, and another only where n8n runs it again', () => {
	const count = (id: string) => calls().filter((called) => called === id).length;
	const runs = (id: string) =>
		[survivor, victim].flatMap((worker) => [...matches(worker, 'started')]).filter((begun) => begun === id)
			.length;
	const wrong = executions.flatMap(({ id, status }) => {
		const [sent, ran] = [count(id), runs(id)];
		return sent > ran || (status === 'success' && sent === 0) ? [{ id, status, sent, ran }] : [];
	});
	expect(wrong).toEqual([]);
	expect(new Set(calls())).toEqual(new Set(executions.map(({ id }) => id).filter((id) => count(id) > 0)));

	const failed = executions.filter(({ status }) => status !== 'success');
	const again = executions.map(({ id }) => id).filter((id) => runs(id) > 1);
	note(
		'Queue mode',
		[
			`${EXECUTIONS} executions on two workers, one killed after ${finished(victim).size}`,
			`${EXECUTIONS - failed.length} succeeded`,
			`${failed.length} were reported as failed by n8n`,
			`${again.length} were run again by n8n${again.length > 0 ? ` (${again.join(', ')})` : ''}`,
			`${calls().length} POSTs`,
		].join('; '),
	);
});

function n8nNamed(name: string, env: Record<string, string>): N8n {
	const n8n = new N8n(`queue ${name}`, env);
	cleanUps.push(() => n8n.dispose());
	return n8n;
}

/** Each process has a folder of its own, as each container has. */
function environment(redis: Server, postgres: Server, registry: Registry): Record<string, string> {
	return {
		EXECUTIONS_MODE: 'queue',
		N8N_ENCRYPTION_KEY: randomUUID(),
		QUEUE_BULL_REDIS_HOST: '127.0.0.1',
		QUEUE_BULL_REDIS_PORT: String(redis.port),
		DB_TYPE: 'postgresdb',
		DB_POSTGRESDB_HOST: '127.0.0.1',
		DB_POSTGRESDB_PORT: String(postgres.port),
		DB_POSTGRESDB_DATABASE: 'postgres',
		DB_POSTGRESDB_USER: DATABASE_OWNER,
		...registry.env,
		N8N_COMMUNITY_PACKAGES_MANAGED_BY_ENV: 'true',
		N8N_COMMUNITY_PACKAGES: JSON.stringify([{ name: PACKAGE_NAME, version: verifiable.version }]),
		// The main process installs the list; a worker that starts later installs what it misses only with this.
		N8N_REINSTALL_MISSING_PACKAGES: 'true',
		// n8n notices a lost worker after 15 seconds instead of 90.
		QUEUE_WORKER_LOCK_DURATION: '10000',
		QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
		QUEUE_WORKER_STALLED_INTERVAL: '5000',
	};
}

/** Starts the executions, {@link AT_A_TIME} at once. */
async function callWebhook(url: string) {
	// n8n registers the webhook some time after it has published the workflow. The first success is an execution too.
	await until('n8n registers the webhook', async () => (await fetch(url, { method: 'POST' })).status !== 404);
	for (let begun = 1; begun < EXECUTIONS; begun += AT_A_TIME) {
		const length = Math.min(AT_A_TIME, EXECUTIONS - begun);
		const responses = await Promise.all(Array.from({ length }, () => fetch(url, { method: 'POST' })));
		expect(responses.map(({ status }) => status)).toEqual(Array(length).fill(200));
	}
}

/** Waits until both workers have finished executions, and the victim has a request in flight. */
async function untilInTheMiddle() {
	const isInTheMiddle = () => {
		if ([survivor, victim].some((worker) => finished(worker).size < BEFORE_THE_KILL)) return false;
		const waiting = simulator.requests.filter(({ at }) => Date.now() - at < LATENCY / 2).map(executionOf);
		return begunOnly(victim).some((id) => waiting.includes(id));
	};
	await until('both workers are in the middle of the executions', isInTheMiddle, 120_000, 10);
}

/** Takes the IDs from n8n's log: the pages of its list overlap and omit executions that did not start in order. */
async function allFinished(): Promise<Execution[]> {
	const ids = [...main.log().matchAll(/Enqueued execution (\d+) /g)].map(([, id]) => id ?? '');
	const all: Execution[] = [];
	for (const id of ids) all.push(await main.finished(id, 120_000));
	return all;
}

/** The executions that a worker has started or finished, in order, as its log says. */
function matches(worker: N8n, done: 'finished' | 'started'): string[] {
	const lines = worker.log().matchAll(new RegExp(`Worker ${done} execution (\\d+) `, 'g'));
	return [...lines].map(([, id]) => id ?? '');
}

/** The executions that a worker has started and not finished. */
function begunOnly(worker: N8n): string[] {
	return matches(worker, 'started').filter((id) => !finished(worker).has(id));
}

function finished(worker: N8n): Set<string> {
	return new Set(matches(worker, 'finished'));
}

/** The executions whose requests the cloud received. */
function calls(): string[] {
	return simulator.requests.map(executionOf).filter((id) => id !== undefined);
}

function executionOf({ body }: { body: string }): string | undefined {
	return body.split(SERVICE)[1]?.match(/^\d+/)?.[0];
}
