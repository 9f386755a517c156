import { inspect } from 'node:util';

import { helpers, transport } from '../support/engine/built';
import {
	faultNames,
	harmlessFaults,
	faultServerName,
	loopbackCertificate,
	startSimulator,
} from '../support/cloud';
import { startCountingService } from '../support/cloud/countingService';
import { proxySecrets, setProxies, startHttpProxy } from '../support/network/httpProxy';
import { startTcpProxy, type NetworkBehaviour } from '../support/network/tcpProxy';
import { verify, type VerifyRun } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';

const { createClient, readCredential } = transport;

/** Milliseconds that a request may take: few, as some faults never answer, and enough for those that do. */
const TIMEOUT = 500;

/** All that this process wrote and warned of while a test ran. */
let written: unknown[];
let restore: () => void;

useNoBackOff();
beforeEach(() => {
	setProxies();
	written = [];
	const note = (...values: unknown[]) => {
		written.push(...values);
		return true;
	};
	for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
		jest.spyOn(console, method).mockImplementation(note);
	}
	jest.spyOn(process.stdout, 'write').mockImplementation(note);
	jest.spyOn(process.stderr, 'write').mockImplementation(note);
	process.on('warning', note);
	restore = () => process.off('warning', note);
});
afterEach(() => {
	restore();
	jest.restoreAllMocks();
	setProxies();
});

const whole = (value: unknown) =>
	inspect(value, { depth: 20, showHidden: true, maxStringLength: null, getters: true });

/** Runs into a failure both ways that n8n knows, and below n8n for the bare error; nothing of it may hold a secret. */
async function expectNoSecrets(options: VerifyRun, name = 'cn-north-4.item-0') {
	const { token, ...rest } = options.credential as { token: string };
	const produced: unknown[] = [];
	for (const onError of ['continueRegularOutput', 'continueErrorOutput', 'stopWorkflow'] as const) {
		const { run, error, items } = await verify([name], { ...options, onError });
		expect(error ?? items[0]?.json.error ?? run.data.resultData.runData['DataArts Insight']).toBeDefined();
		produced.push(JSON.stringify([run, error, items]), whole([run, error, error?.stack, error?.cause]));
	}
	const call = createClient(readCredential({ token, ...rest }), { helpers, timeout: TIMEOUT, maxRetries: 1 });
	const bare: unknown = await call({
		method: 'POST',
		doubt: 'It may have acted',
		path: '/v1/p/x',
		body: { vpc_ep_server_name: name },
	}).then(
		() => undefined,
		(error: unknown) => error,
	);
	produced.push(whole(bare), bare instanceof Error ? bare.stack : '', String(bare));

	const text = [...produced, ...written.map(whole)].join('\n');
	// A tenth of the token would be as bad; in what n8n stores of workflow and error it has no place either.
	for (const secret of [token, token.slice(0, 40), ...proxySecrets])
		expect(text.includes(secret)).toBe(false);
}

const quick = { timeout: TIMEOUT, maxRetries: 1 };

it('the search for secrets in logs and errors finds one that is there', async () => {
	const service = await startCountingService();
	service.reply = () => '400';
	const { token } = service.credentials;
	console.log(`token ${String(token)}`);
	await expect(expectNoSecrets({ credential: service.credentials, options: quick })).rejects.toThrow();
	await service.close();
});

it('no fault of the service shows a secret in errors or logs', async () => {
	const simulator = await startSimulator();
	// It makes the caller wait for a second; the answer itself is the same as another's.
	const fails = faultNames.filter(
		(fault) => fault !== 'throttled-retry-after' && !harmlessFaults.includes(fault),
	);
	for (const fault of fails) {
		// A token of its own: one that was refused is not sent again.
		const credential = { ...simulator.credentials, token: simulator.issueToken() };
		await expectNoSecrets({ credential, options: quick }, faultServerName(fault));
	}
	await simulator.close();
}, 180_000);

const behaviours: Array<[string, NetworkBehaviour]> = [
	['sends a reset on accept', { onAccept: 'reset' }],
	['closes connections with a request', { onRequest: 'cut' }],
	['resets connections with a request', { onRequest: 'reset' }],
	['drops requests (timeout)', { onRequest: 'hang' }],
	['truncates responses', { onResponse: { after: 300, end: 'cut' } }],
	['resets connections with a response', { onResponse: { after: 300, end: 'reset' } }],
	['sends responses byte by byte (timeout)', { drip: { bytes: 5, every: 10 } }],
];

it.each(behaviours)('a network that %s shows no secret in errors or logs', async (_what, behaviour) => {
	const service = await startCountingService();
	const proxy = await startTcpProxy(service.url);
	proxy.behaviour = () => behaviour;
	await expectNoSecrets({
		credential: { ...service.credentials, baseUrl: `http://127.0.0.1:${proxy.port}` },
		options: quick,
	});
	await proxy.close();
	await service.close();
});

it.each<[string, NetworkBehaviour]>([
	['sends a reset on accept', { onAccept: 'reset' }],
	['resets the TLS handshake', { onResponse: { after: 100, end: 'reset' } }],
	['has an untrusted TLS certificate', {}],
])('a server that %s shows no secret in errors or logs', async (_what, behaviour) => {
	const service = await startCountingService({ tls: loopbackCertificate });
	const proxy = await startTcpProxy(service.url);
	proxy.behaviour = () => behaviour;
	await expectNoSecrets({
		credential: {
			...service.credentials,
			baseUrl: `https://127.0.0.1:${proxy.port}`,
			allowUnauthorizedCerts: false,
		},
		options: quick,
	});
	await proxy.close();
	await service.close();
});

it.each(['works while the service fails', 'refuses the login', 'is not there', 'resets', 'is no address'])(
	'an HTTP proxy that %s shows no secret in errors or logs',
	async (what) => {
		const service = await startCountingService({ tls: loopbackCertificate });
		service.reply = () => 'reset';
		const proxy = await startHttpProxy(true);
		const network = await startTcpProxy(`http://${proxy.host}`);
		network.behaviour = () => (what === 'resets' ? { onRequest: 'reset' } : {});
		let url = proxy.url.replace(proxy.host, `127.0.0.1:${network.port}`);
		if (what === 'refuses the login') url = url.replace('n8n-user', 'somebody');
		if (what === 'is no address') url = url.replace(/@.*/, '@');
		if (what === 'is not there') await network.close();
		setProxies({ HTTPS_PROXY: url });
		if (what === 'is no address') {
			// Nothing can be made ready then, so there is no bare error to look at below n8n.
			const { run, items } = await verify(['a'], { credential: service.credentials });
			const text = whole([run, items, written]);
			for (const secret of proxySecrets) expect(text.includes(secret)).toBe(false);
		} else {
			await expectNoSecrets({ credential: service.credentials, options: quick });
		}
		if (what !== 'is not there') await network.close();
		await proxy.close();
		await service.close();
	},
);

it('neither the token of a login nor the password shows when the service echoes it', async () => {
	const simulator = await startSimulator();
	const credential = simulator.passwordCredentials;
	const options = { maxRetries: 0 };
	const echoed = await verify([faultServerName('token-echo')], { credential, options });
	const token = String(simulator.requests.at(-1)?.headers['x-auth-token']);
	expect(token.length).toBeGreaterThan(10);
	expect(JSON.stringify([echoed.run, echoed.items])).not.toContain(token);
	simulator.revokeTokens();
	simulator.failNext('apigw-0301-expired');
	simulator.failNext('token-echo');
	const login = await verify(['cn-north-4.x'], { credential, options });
	expect(login.items[0]?.json.error).toContain('No token from IAM');
	expect(JSON.stringify([login.run, login.items])).not.toContain(credential.password);
	await simulator.close();
});
