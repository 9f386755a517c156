import { loopbackCertificate } from '../support/cloud';
import { type CountingService, startCountingService } from '../support/cloud/countingService';
import { setProxies } from '../support/network/httpProxy';
import { pooled } from '../support/engine/built';
import { detailsOf, makeNames, verify } from '../support/engine/runNode';
import { useNoBackOff } from '../support/network/backOff';
import { useProxies } from '../support/network/useProxies';

const names = makeNames(20);
useNoBackOff();
const { cleanUp, startProxy, startService } = useProxies();

async function expectAllGood(service: CountingService) {
	const { items } = await verify(names, { credential: service.credentials });
	expect(detailsOf(items)).toEqual(names.map(() => undefined));
}

it.each(['127.0.0.1', '*', 'example.com, 127.0.0.1'])(
	'NO_PROXY=%s keeps an IPv4 address from the proxy',
	async (noProxy) => {
		const service = await startService();
		const proxy = await startProxy();
		setProxies({ HTTPS_PROXY: proxy.url, ALL_PROXY: proxy.url, NO_PROXY: noProxy });
		await expectAllGood(service);
		expect(proxy.tunnels).toEqual([]);
	},
);

it('NO_PROXY leaves other hosts to the proxy', async () => {
	const service = await startService();
	const proxy = await startProxy();
	setProxies({ HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com,127.0.0.1:1' });
	await expectAllGood(service);
	expect(proxy.tunnels.length).toBeGreaterThan(0);
});

/** n8n's helper asks for the proxy of an IPv6 address without its brackets, so that no entry but `*` fits. */
it.each(['*', '::1', '[::1]', 'example.com,::1'])(
	'NO_PROXY=%s keeps an IPv6 address from the proxy',
	async (noProxy) => {
		const proxy = await startProxy();
		const local = await startCountingService({ tls: loopbackCertificate, host: '::1' });
		cleanUp.push(local.close);
		local.credentials.baseUrl = local.url.replace('127.0.0.1', '[::1]');
		setProxies({ HTTPS_PROXY: proxy.url, NO_PROXY: noProxy });
		await expectAllGood(local);
		expect(proxy.tunnels.length).toBe(pooled || noProxy === '*' ? 0 : names.length);
		setProxies({ HTTPS_PROXY: proxy.url, NO_PROXY: '::2' });
		await expectAllGood(local);
		expect(proxy.tunnels.length).toBeGreaterThan(0);
	},
);
