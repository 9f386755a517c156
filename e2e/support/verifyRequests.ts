import type { Simulator } from '../../test/support/cloud';

/** The requests to verify an endpoint service that the simulated cloud received, in order of arrival. */
export function verifyRequests({ requests }: Simulator) {
	return requests.filter(({ path }) => path.endsWith('/connections/vpc-endpoint'));
}

/** The JSON bodies of {@link verifyRequests}. */
export function verifyBodies(simulator: Simulator): Array<Record<string, string>> {
	return verifyRequests(simulator).map(({ body }) => JSON.parse(body) as Record<string, string>);
}
