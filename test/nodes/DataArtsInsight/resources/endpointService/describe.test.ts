import type { JsonObject } from 'n8n-workflow';

import type { ItemClient } from '../../../../../nodes/DataArtsInsight/resources/clients';
import {
	describeService,
	isNoService,
	serviceFinder,
	serviceIdFinder,
} from '../../../../../nodes/DataArtsInsight/resources/endpointService/describe';
import type { ServiceLocator } from '../../../../../nodes/DataArtsInsight/resources/endpointService/locator';

import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';

const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
const OTHER = '0d4a7c55-9a0e-4b1f-8a9a-c1b1a7a1f9d2';
const NAME = `cn-north-4.sales.${ID}`;

/** A service that answers each request so, if it lacks nothing. */
function client(answer: () => JsonObject, place = 'here'): ItemClient & { paths: string[] } {
	const paths: string[] = [];
	return {
		paths,
		place,
		projectId: 'p',
		call: async ({ method, path, missing }) => {
			paths.push(`${method} ${path}`);
			const object = await Promise.resolve(answer());
			const lack = missing?.(object);
			if (lack) throw new Error(`without ${lack}`);
			return object;
		},
	};
}
const refusal = (code: string, httpStatus: number) =>
	new RequestError('Refused', 'Ask', { code, httpStatus, outcomeUnknown: false });
const byName = (value = NAME): ServiceLocator => ({ by: 'name', value });
const byId = (value = ID): ServiceLocator => ({ by: 'id', value });

describe('describeService', () => {
	it.each([
		[byName('a b&c'), 'endpoint_service_name=a%20b%26c'],
		[byId(), `id=${ID}`],
	])('asks by %j with one GET', async (locator, query) => {
		const one = client(() => ({ id: ID }));
		await describeService(one, { ...locator });
		expect(one.paths).toEqual([`GET /v1/p/vpc-endpoint-services/describe?${query}`]);
	});

	it.each<[ServiceLocator, JsonObject]>([
		[byName(), { id: ID, service_name: NAME.toUpperCase() }],
		[byName('sales'), { id: ID, service_name: NAME }],
		[byName('cn-north-4.sales'), { id: ID, service_name: NAME }],
		[byName(), { id: ID, service_name: 'sales' }],
		[byName(), { id: ID }],
		[byId(), { id: ID.toUpperCase(), service_name: 'x' }],
	])('takes what can be that of %j: %j', async (locator, answer) => {
		expect(
			await describeService(
				client(() => answer),
				locator,
			),
		).toBe(answer);
	});

	it.each<[ServiceLocator, JsonObject, string]>([
		[byName(), { id: OTHER, service_name: `cn-north-4.other.${OTHER}` }, 'what was asked for'],
		[byName('sales'), { id: OTHER, service_name: `cn-north-4.sales2.${OTHER}` }, 'what was asked for'],
		[byName('cn-north-4'), { id: OTHER, service_name: `cn-north-4.other.${OTHER}` }, 'what was asked for'],
		[byId(), { id: OTHER }, 'what was asked for'],
		[byName(), {}, "the 'id' of an endpoint service"],
		[byName(), { id: 5 }, "the 'id' of an endpoint service"],
		[byName(), { id: '../x', service_name: NAME }, "the 'id' of an endpoint service"],
	])('by %j refuses %j', async (locator, answer, lack) => {
		await expect(
			describeService(
				client(() => answer),
				locator,
			),
		).rejects.toThrow(lack);
	});
});

describe('serviceIdFinder', () => {
	it('asks once for a name, even at the same time, and never for an ID', async () => {
		const find = serviceIdFinder();
		const one = client(() => ({ id: ID }));
		expect(await Promise.all([find(one, byName()), find(one, byName()), find(one, byId(OTHER))])).toEqual([
			ID,
			ID,
			OTHER,
		]);
		await find(one, byName());
		expect(one.paths).toHaveLength(1);
	});

	it('asks again in another place, and in another run', async () => {
		const find = serviceIdFinder();
		const [here, there] = [client(() => ({ id: ID })), client(() => ({ id: OTHER }), 'there')];
		expect([await find(here, byName()), await find(there, byName())]).toEqual([ID, OTHER]);
		await serviceIdFinder()(here, byName());
		expect(here.paths).toHaveLength(2);
	});

	it('asks again after a failure, which all who waited are told', async () => {
		const find = serviceIdFinder();
		let bad = true;
		const one = client((): JsonObject => (bad ? {} : { id: ID }));
		const failed = await Promise.allSettled([find(one, byName()), find(one, byName())]);
		expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		expect(one.paths).toHaveLength(1);
		bad = false;
		expect(await find(one, byName())).toBe(ID);
	});

	it('does not ask again for what does not exist, however many items mean it', async () => {
		const find = serviceIdFinder();
		const missing = refusal('EndPoint.2003', 400);
		const one = client(() => {
			throw missing;
		});
		for (let item = 0; item < 3; item++) await expect(find(one, byName())).rejects.toBe(missing);
		expect(one.paths).toHaveLength(1);
	});
});

it('serviceFinder asks for an ID as well, once', async () => {
	const find = serviceFinder();
	const one = client(() => ({ id: ID }));
	expect(await Promise.all([find(one, byId()), find(one, byId())])).toEqual([ID, ID]);
	expect(one.paths).toHaveLength(1);
});

it.each<[string, number, boolean]>([
	['EndPoint.2003', 400, true],
	['EndPoint.3062', 400, true],
	['EndPoint.0005', 404, true],
	['EndPoint.9999', 404, true],
	['EndPoint.2004', 400, false],
	['APIGW.0101', 404, false],
	['HTTP_404', 404, false],
	['IAM.0004', 404, false],
])('%s with %i says that there is no such endpoint service: %s', (code, status, expected) => {
	expect(isNoService(refusal(code, status))).toBe(expected);
	expect(isNoService(new Error(code))).toBe(false);
});
