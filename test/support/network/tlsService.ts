import { loopbackCertificate } from '../cloud';
import { type CountingService, startCountingService } from '../cloud/countingService';
import { setProxies } from './httpProxy';

/**
 * Starts a service with TLS before each test of a file, where the environment names no proxy and nobody waits between
 * two tries, and cleans up behind the test.
 *
 * @param use takes the service
 */
export function useTlsService(use: (service: CountingService) => void) {
	let service: CountingService;
	beforeEach(async () => {
		setProxies();
		jest.spyOn(Math, 'random').mockReturnValue(0);
		service = await startCountingService({ tls: loopbackCertificate });
		use(service);
	});
	afterEach(async () => {
		setProxies();
		jest.restoreAllMocks();
		await service.close();
	});
}
