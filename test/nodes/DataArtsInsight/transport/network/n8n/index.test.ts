import { ExchangeError } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { findRoute } from '../../../../../../nodes/DataArtsInsight/transport/network/n8n';
import type { HttpRequest } from '../../../../../../nodes/DataArtsInsight/transport/network/network';

const request: HttpRequest = {
	method: 'POST',
	origin: 'https://example.com:8443',
	path: '/v1/x',
	headers: {},
	body: '{}',
};
const LIMITS = { timeout: 60_000 };
const answering = () =>
	jest.fn(async () => await Promise.resolve({ statusCode: 201, headers: {}, body: '{}' }));

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

describe("the route by n8n's request helper", () => {
	it('names the host, and no proxy, which only the helper knows', () => {
		const route = findRoute('https://example.com:8443', false, {});
		expect(route).toEqual({ host: 'example.com:8443', send: expect.any(Function) as unknown });
	});

	it.each([true, false])('sends once; certificates unchecked: %s', async (allowUnauthorizedCerts) => {
		const httpRequest = answering();
		const read = jest.fn((response: object) => ({ read: response }));
		const route = findRoute(request.origin, allowUnauthorizedCerts, { httpRequest });
		expect(await route.send(request, LIMITS, read)).toEqual({
			read: { status: 201, headers: {}, text: '{}' },
		});
		expect(read).toHaveBeenCalledTimes(1);
		expect(httpRequest.mock.calls).toEqual([
			[
				expect.objectContaining({
					url: 'https://example.com:8443/v1/x',
					timeout: 61_000,
					skipSslCertificateValidation: allowUnauthorizedCerts,
				}),
			],
		]);
	});

	it('gives a function for closing the connection, of which the helper keeps none', async () => {
		const route = findRoute(request.origin, false, { httpRequest: answering() });
		const read = (_response: object, closeConnection: () => void) => closeConnection();
		expect(await route.send(request, LIMITS, read)).toBeUndefined();
	});

	it('passes on what reading throws', async () => {
		const unreadable = new Error('Not what was asked for');
		const route = findRoute(request.origin, false, { httpRequest: answering() });
		const failure = failureOf(
			route.send(request, LIMITS, () => {
				throw unreadable;
			}),
		);
		expect(await failure).toBe(unreadable);
	});

	it('reads nothing of a request that failed or was stopped', async () => {
		const read = jest.fn();
		const httpRequest = jest.fn(async () => await Promise.reject(new Error('No')));
		const route = findRoute(request.origin, false, { httpRequest });
		const failure = await failureOf(route.send(request, LIMITS, read));
		expect(failure).toBeInstanceOf(ExchangeError);
		expect(failure).toMatchObject({ sent: true });

		const stopped = await failureOf(route.send(request, { ...LIMITS, signal: AbortSignal.abort() }, read));
		expect(stopped).toMatchObject({ sent: false, stopped: 'cancelled' });
		expect(httpRequest).toHaveBeenCalledTimes(1);
		expect(read).not.toHaveBeenCalled();
	});
});
