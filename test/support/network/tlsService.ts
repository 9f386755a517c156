import { loopbackCertificate } from '../cloud';
import { type CountingService, startCountingService } from '../cloud/countingService';
import { setProxies } from './httpProxy';
import { useNoBackOff } from './backOff';

/**
 * Starts a service with TLS before each test of a file, where the environment names no proxy and retries come without
 * back-off, and cleans up behind the test.
 *
 * @param use takes the service
 */
export function useTlsService(use: (service: CountingService) => void) {
	let service: CountingService;
	useNoBackOff();
	beforeEach(async () => {
		setProxies();
		service = await startCountingService({ tls: loopbackCertificate });
		use(service);
	});
	afterEach(async () => {
		setProxies();
		await service.close();
	});
}
