import { loopbackCertificate } from '../cloud';
import { startCountingService } from '../cloud/countingService';
import { setProxies, startHttpProxy } from './httpProxy';

/**
 * Takes every proxy out of the environment around each test of the file that calls it.
 *
 * @returns what starts a proxy or a service that the end of the test closes, the services first
 */
export function useProxies() {
	const cleanUp: Array<() => Promise<void>> = [];
	beforeEach(() => setProxies());
	afterEach(async () => {
		setProxies();
		for (const close of cleanUp.splice(0)) await close();
	});
	return {
		cleanUp,
		startProxy: async (requiresLogin = false) => {
			const proxy = await startHttpProxy(requiresLogin);
			cleanUp.push(proxy.close);
			return proxy;
		},
		startService: async (secure = true) => {
			const service = await startCountingService(secure ? { tls: loopbackCertificate } : {});
			cleanUp.unshift(service.close);
			return service;
		},
	};
}
