import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { INode } from 'n8n-workflow';

import { loopbackCertificate, type Simulator, startSimulator } from '../../test/support/cloud';
import { cache, pooledTarball, tarball } from '../support/folders';
import { freePort } from '../support/freePort';
import { N8n, nodeOutput } from '../support/n8n';
import { installAsN8nDoes } from '../support/packageInstall';
import { type LoggingServer, startSquid } from '../support/servers';
import { chain, insightNode, manualTrigger } from '../support/workflows';

/*
 * n8n reaches the simulated cloud through an HTTP proxy, Debian's squid, from its environment variables. n8n's own HTTP
 * Request node runs beside ours, for comparison.
 */

const USER = 'n8n';
const PASSWORD = 'a p@ss:w/rd%';
/** The htpasswd lines for this password, and for another one. */
const USERS = ['n8n:$5$harbour$XPY3bvpbelLQVCZboQ5TMt2PgoDcHpCSlVSbUa0y1i8'];
const USERS_CHANGED = ['n8n:$5$harbour$bP/Nr0daHvvcZIs7ENmN/vPhQ.ZOzovrWsHpF1Y8iU7'];

const authorities = join(cache, 'loopback.pem');

let simulator: Simulator;

beforeAll(async () => {
	writeFileSync(authorities, loopbackCertificate.cert);
	// squid logs a tunnel when it is closed, so idle keep-alive connections have to end soon.
	simulator = await startSimulator({ tls: loopbackCertificate, keepAliveTimeout: 3_000 });
});

afterAll(() => simulator.close());

const anybody = { login: '', users: [], user: '-' };
const known = { login: `${USER}:${encodeURIComponent(PASSWORD)}@`, users: USERS, user: USER };

describe.each([
	{ kind: 'without authentication', ...anybody, file: pooledTarball },
	{ kind: 'with Basic authentication', ...known, file: pooledTarball },
	{ kind: 'with Basic authentication, build for n8n to verify', ...known, file: tarball },
])('HTTP proxy (squid) $kind', ({ login, users, user, file }) => {
	let squid: LoggingServer;
	let n8n: N8n;

	beforeAll(async () => {
		squid = await startSquid(users);
		const proxy = `http://${login}127.0.0.1:${squid.port}`;
		n8n = new N8n('proxy', { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: authorities });
		await installAsN8nDoes(n8n.nodesFolder, file);
		await n8n.start();
	});

	afterAll(async () => {
		await n8n.dispose();
		await squid.stop();
	});

	it('both nodes connect through the proxy, and no connection bypasses it', async () => {
		simulator.reset();
		const before = simulator.connections;
		await n8n.createCredential(simulator.passwordCredentials);
		const workflow = chain('Both nodes', manualTrigger, insightNode(), httpRequest());
		const execution = await n8n.importAndRun(workflow);

		expect(execution.status).toBe('success');
		expect(nodeOutput(execution, 'DataArts Insight')).toMatchObject([
			[{ json: { vpc_ep_client_status: 'accepted' } }],
		]);
		expect(nodeOutput(execution, 'HTTP Request')).toMatchObject([[{ json: { count: 1 } }]]);
		const connections = simulator.connections - before;
		expect(connections).toBeGreaterThanOrEqual(2);
		const { host } = new URL(simulator.url);
		expect(await loggedFor(host, connections)).toEqual(
			Array(connections).fill(`CONNECT ${host} 200 ${user}`),
		);
	});

	// n8n's request helper reports the response of a proxy as one of the service.
	if (file === tarball) return;

	it('503 of the proxy: the error says that the proxy could not reach the host', async () => {
		const host = `127.0.0.1:${await freePort()}`;
		const { error, details } = await failure(`https://${host}`);

		expect(error).toContain(`No connection to ${host} through the proxy 127.0.0.1:${squid.port}: `);
		expect(error).toMatch(/the proxy could not reach .* HTTP status 503$/);
		expect(details).toMatchObject({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
		expect(details.description).not.toContain('login');
		expect(await loggedFor(host, 1)).toEqual([`CONNECT ${host} 503 ${user}`]);
	});

	if (login) {
		it('407 of the proxy: the error says that the proxy refused the login', async () => {
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
			expect(await loggedFor(host, 1)).toEqual([`CONNECT ${host} 407 ${user}`]);
		});
	}

	/** The error item of our node for a host that it cannot reach, without retries. */
	async function failure(url: string) {
		await n8n.createCredential({ ...simulator.credentials, baseUrl: url });
		const node = insightNode({ options: { maxRetries: 0 } });
		const workflow = chain('Out of reach', manualTrigger, { ...node, onError: 'continueRegularOutput' });
		const execution = await n8n.importAndRun(workflow);
		const [[item] = []] = nodeOutput(execution, 'DataArts Insight');
		return item?.json as { error: string; details: { description: string } };
	}

	/** squid's access log for a host. Waits for the expected number of lines, for 20 seconds at most. */
	async function loggedFor(host: string, count: number): Promise<string[]> {
		const lines = async () => (await squid.accessLog()).filter((line) => line.includes(` ${host} `));
		for (let tries = 0; tries < 100 && (await lines()).length < count; tries++) await sleep(200);
		return await lines();
	}
});

/** n8n's own node. It lists the project's data connections with the same credential. */
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
