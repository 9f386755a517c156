import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { endpointServices, loopbackCertificate, startSimulator, type Simulator } from '../support/cloud';
import { built, transport } from '../support/engine/built';
import { detailsOf, runNode, toItems } from '../support/engine/runNode';
import { setProxies } from '../support/network/httpProxy';

/*
 * The hosts of a region that the form does not list. A proxy leads each of them to a simulated Huawei Cloud, and notes which
 * were asked for.
 */

let simulator: Simulator;
let proxy: Server;
const asked = new Set<string>();

beforeAll(async () => {
	simulator = await startSimulator({ tls: loopbackCertificate });
	const port = Number(new URL(simulator.url).port);
	proxy = createServer().on('connect', ({ url = '' }, client) => {
		asked.add(url);
		const server = connect(port, '127.0.0.1', () =>
			client.write('HTTP/1.1 200 Connection established\r\n\r\n'),
		);
		for (const socket of [client, server]) socket.on('error', () => client.destroy());
		client.pipe(server).pipe(client);
	});
	await once(proxy.listen(0, '127.0.0.1'), 'listening');
});
beforeEach(() => {
	asked.clear();
	simulator.reset();
	setProxies({ HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
});
afterAll(async () => {
	setProxies();
	proxy.close();
	proxy.closeAllConnections();
	await simulator.close();
});

/** What is left of the simulator's addresses does not count. */
const credentialOf = (change: object = {}): ICredentialDataDecryptedObject => ({
	...simulator.passwordCredentials,
	region: 'other',
	regionId: 'ap-southeast-3',
	domainSuffix: 'cloud.example.com',
	allowUnauthorizedCerts: true,
	...change,
});
const hostOf = (service: string) => `${service}.ap-southeast-3.cloud.example.com`;

it('all three hosts follow the region and the suffix: DataArts Insight, IAM and VPC Endpoint', async () => {
	const { items } = await runNode(
		{ options: { checkFirst: true } },
		{ credential: credentialOf(), input: toItems(endpointServices.webShop.name) },
	);
	expect(detailsOf(items)).toEqual([undefined]);
	expect(items[0]?.json.vpc_ep_client_status).toBe('accepted');
	expect([...asked].sort()).toEqual(['dataartsinsight', 'iam', 'vpcep'].map((host) => `${hostOf(host)}:443`));
});

it.each<[string, object, string]>([
	['a region with a dot', { regionId: 'evil.example' }, "'Region ID' in the credential"],
	['a region with a port', { regionId: 'cn:8443' }, "'Region ID' in the credential"],
	['no region', { regionId: ' ' }, "'Region ID' in the credential is blank"],
	['a suffix with a path', { domainSuffix: 'example.com/x' }, "'Domain Suffix' in the credential"],
	['a suffix that is an IP address', { domainSuffix: '127.0.0.1' }, "'Domain Suffix' in the credential"],
	['a suffix with a login', { domainSuffix: 'user@example.com' }, "'Domain Suffix' in the credential"],
	['a host that is no punycode', { regionId: 'xn--0' }, 'make up no host name'],
])('%s is refused before anything is sent', async (_what, change, message) => {
	const { error } = await runNode({}, { credential: credentialOf(change), input: toItems('x') });
	expect(error?.message).toContain(message);
	expect(asked.size).toBe(0);
});

it("n8n's HTTP Request node may call these hosts with the credential, and no other", async () => {
	const { authenticate } = (await built).credentials.dataArtsInsightApi ?? {};
	if (typeof authenticate !== 'function') throw new Error('The credential has no hook');
	const credential = credentialOf({ authentication: 'token', token: simulator.credentials.token });
	const sign = async (url: string) => await authenticate(credential, { url });
	const { headers } = await sign(`https://${hostOf('vpcep')}/v1/p/vpc-endpoint-services`);
	expect(headers).toMatchObject({ 'X-Auth-Token': simulator.credentials.token });
	expect(headers).not.toHaveProperty('X-Workspace-Id');
	for (const host of ['vpcep.ap-southeast-3.myhuaweicloud.com', `${hostOf('vpcep')}.evil.example`]) {
		await expect(async () => await sign(`https://${host}/v1`)).rejects.toThrow(transport.InputError);
	}
});

describe("'Allowed Domains' of the credential", () => {
	const originWith = (allowedDomains: string) =>
		transport.readCredential(
			{
				...credentialOf({ authentication: 'token', token: simulator.credentials.token }),
				allowedHttpRequestDomains: 'domains',
				allowedDomains,
			},
			transport.VPC_ENDPOINT,
		).origin;

	it.each([hostOf('vpcep'), `*.${'cloud.example.com'}`, ` x.example , ${hostOf('vpcep').toUpperCase()}. `])(
		'let the service in: %s',
		(domains) => {
			expect(originWith(domains)).toBe(`https://${hostOf('vpcep')}`);
		},
	);

	it.each(['', '*', '*.', 'example.com', `*.${hostOf('vpcep')}`, hostOf('iam')])(
		'leave it out: "%s"',
		(domains) => {
			expect(() => originWith(domains)).toThrow(
				`'Allowed Domains' in the credential leave out ${hostOf('vpcep')}`,
			);
		},
	);
});

it.each([
	['not a web address', 'is not a web address'],
	['ftp://insight.example.com', 'is not a web address'],
	['https://insight.example.com/v1', 'holds more than a host'],
	['http://insight.example.com', 'is not encrypted'],
])('a custom address that is none is refused: %s', (baseUrl, message) => {
	const credential = { ...simulator.credentials, baseUrl };
	expect(() => transport.readCredential(credential)).toThrow(`'Base URL' in the credential ${message}`);
});
