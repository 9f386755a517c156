import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { INode } from 'n8n-workflow';

import { loopbackCertificate, type Simulator, startSimulator } from '../test/support/cloud';
import { cache, tarball } from './folders';
import { freePort, N8n, nodeOutput } from './n8n';
import { installAsN8nDoes } from './packageInstall';
import { type LoggingServer, startSquid } from './servers';
import { chain, insightNode, manualTrigger } from './workflows';

/*
 * n8n reaches the cloud through a proxy: Debian's squid, that its environment names. Beside our node stands n8n's own
 * HTTP Request node.
 */

const USER = 'n8n';
const PASSWORD = 'a p@ss:w/rd%';
/** What squid's file of users holds for it, and for another password. */
const USERS = ['n8n:$5$harbour$XPY3bvpbelLQVCZboQ5TMt2PgoDcHpCSlVSbUa0y1i8'];
const USERS_CHANGED = ['n8n:$5$harbour$bP/Nr0daHvvcZIs7ENmN/vPhQ.ZOzovrWsHpF1Y8iU7'];

const authorities = join(cache, 'loopback.pem');

let simulator: Simulator;

beforeAll(async () => {
	writeFileSync(authorities, loopbackCertificate.cert);
	// Connections that are kept for the next call end soon, and only then does squid log them.
	simulator = await startSimulator({ tls: loopbackCertificate, keepAliveTimeout: 3_000 });
});

afterAll(() => simulator.close());

describe.each([
	{ kind: 'that asks for no login', login: '', users: [], loggedIn: '-' },
	{
		kind: 'that asks for a login',
		login: `${USER}:${encodeURIComponent(PASSWORD)}@`,
		users: USERS,
		loggedIn: USER,
	},
])('through a proxy $kind', ({ login, users, loggedIn }) => {
	let squid: LoggingServer;
	let n8n: N8n;

	beforeAll(async () => {
		squid = await startSquid(users);
		const proxy = `http://${login}127.0.0.1:${squid.port}`;
		n8n = new N8n('proxy', { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: authorities });
		await installAsN8nDoes(n8n.nodesFolder, tarball);
		await n8n.start();
	});

	afterAll(async () => {
		await n8n.dispose();
		await squid.stop();
	});

	it('both nodes reach the cloud, and nothing goes past the proxy', async () => {
		simulator.reset();
		const before = simulator.connections;
		await n8n.createCredential(simulator.passwordCredentials);
		const workflow = chain('Both nodes', manualTrigger, insightNode(), httpRequest());
		const execution = await n8n.run(await n8n.importWorkflow(workflow));

		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { vpc_ep_client_status: 'accepted' } }],
		]);
		expect(nodeOutput(execution, 'HTTP Request')).toMatchObject([[{ json: { count: 1 } }]]);
		const connections = simulator.connections - before;
		expect(connections).toBeGreaterThanOrEqual(2);
		const { host } = new URL(simulator.url);
		expect(await callsTo(host, connections)).toEqual(
			Array(connections).fill(`CONNECT ${host} 200 ${loggedIn}`),
		);
	});

	it('is told that the proxy does not reach the cloud', async () => {
		const host = `127.0.0.1:${await freePort()}`;
		const { error, details } = await failure(`https://${host}`);

		expect(error).toContain(`No connection to ${host} through the proxy 127.0.0.1:${squid.port}: `);
		expect(error).toMatch(/the proxy could not reach .* HTTP status 503$/);
		expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
		expect(details.description).not.toContain('login');
		expect(await callsTo(host, 1)).toEqual([`CONNECT ${host} 503 ${loggedIn}`]);
	});

	if (login) {
		it('is told that the proxy does not take the login any more', async () => {
			await squid.stop();
			squid = await startSquid(USERS_CHANGED, squid.port);
			const { host } = new URL(simulator.url);
			const { error, details } = await failure(simulator.url);

			expect(error).toBe(
				`No connection to ${host} through the proxy 127.0.0.1:${squid.port}: the proxy refused it with HTTP status 407`,
			);
			expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
			expect(details.description).toContain('the login in ');
			expect(JSON.stringify(details)).not.toContain(PASSWORD);
			expect(await callsTo(host, 1)).toEqual([`CONNECT ${host} 407 ${loggedIn}`]);
		});
	}

	/** What our node says of a service that it cannot reach, without trying again. */
	async function failure(url: string) {
		await n8n.createCredential({ ...simulator.credentials, baseUrl: url });
		const node = insightNode({ options: { maxRetries: 0 } });
		const workflow = chain('Out of reach', manualTrigger, { ...node, onError: 'continueRegularOutput' });
		const execution = await n8n.run(await n8n.importWorkflow(workflow));
		const [[item] = []] = nodeOutput(execution, 'DataArts Insight');
		return item?.json as { error: string; details: { description: string } };
	}

	/** What squid has logged of a host, once it is as much as expected or some seconds have passed. */
	async function callsTo(host: string, count: number): Promise<string[]> {
		const calls = async () => (await squid.calls()).filter((call) => call.includes(` ${host} `));
		for (let tries = 0; tries < 100 && (await calls()).length < count; tries++) await sleep(200);
		return await calls();
	}
});

/** n8n's own node, asking for the connections of the project with the same credential. */
function httpRequest(): INode {
	return {
		id: 'http',
		name: 'HTTP Request',
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.2,
		position: [440, 0],
		parameters: {
			url: `${simulator.url}/v1/${simulator.credentials.projectId}/connections`,
			authentication: 'predefinedCredentialType',
			nodeCredentialType: 'dataArtsInsightApi',
			options: {},
		},
		credentials: { dataArtsInsightApi: { id: null, name: '' } },
	};
}
