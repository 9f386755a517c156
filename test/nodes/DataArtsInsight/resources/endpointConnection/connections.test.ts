import type { JsonObject } from 'n8n-workflow';

import {
	connectionIn,
	connectionsOf,
	readConnection,
	statusOf,
} from '../../../../../nodes/DataArtsInsight/resources/endpointConnection/connections';
import type { ClientRequest } from '../../../../../nodes/DataArtsInsight/transport/client';
import { unexpectedResponse } from '../../../../../nodes/DataArtsInsight/transport/errors/answer';

const listing = (...connections: unknown[]) => ({ connections }) as JsonObject;

it('the list of an endpoint service has a path that no ID leads out of', () => {
	expect(connectionsOf('a/b?c', { id: '1' })).toEqual({
		path: '/vpc-endpoint-services/a%2Fb%3Fc/connections',
		field: 'connections',
		query: { id: '1' },
	});
});

describe('connectionIn', () => {
	it('finds a connection by the ID of its endpoint, without regard to case', () => {
		expect(connectionIn(listing({ id: 'b' }, { id: 'Ab', status: 's' }), 'aB')).toEqual({
			id: 'Ab',
			status: 's',
		});
	});

	it.each<[string, unknown]>([
		['nothing', {}],
		['no list', { connections: { id: 'a' } }],
		['other things', { connections: [null, 'a', ['a'], { id: 7 }, { id: { id: 'a' } }, { ID: 'a' }] }],
	])('finds none in %s', (_what, response) => {
		expect(connectionIn(response as JsonObject, 'a')).toBeUndefined();
	});
});

describe('readConnection', () => {
	/** A client that answers so, and refuses what lacks something as the real one does. */
	function clientOf(response: JsonObject) {
		const call = jest.fn(async ({ missing }: ClientRequest) => {
			const lack = missing?.(response);
			if (lack) throw unexpectedResponse(lack);
			return await Promise.resolve(response);
		});
		return { call, projectId: 'p' };
	}

	it('asks for one endpoint, as often as it is told to', async () => {
		const client = clientOf(listing({ id: 'e', status: 's' }));
		expect(await readConnection(client, 'v', 'e', 0)).toEqual({ id: 'e', status: 's' });
		expect(client.call.mock.calls).toMatchObject([
			[{ method: 'GET', path: '/v1/p/vpc-endpoint-services/v/connections?id=e', maxRetries: 0 }],
		]);
	});

	it.each<[string, JsonObject, object]>([
		['no list', {}, { message: "The service answered without the list 'connections'" }],
		['others alone', listing({ id: 'x' }), { details: { code: 'UNEXPECTED_ANSWER' } }],
		['none', listing(), { details: { code: 'NO_CONNECTION', httpStatus: 200, outcomeUnknown: false } }],
	])('throws where the response holds %s', async (_what, response, error) => {
		await expect(readConnection(clientOf(response), 'v', 'e')).rejects.toMatchObject(error);
	});
});

it('statusOf is a word that may stand in a sentence', () => {
	expect(statusOf({ status: 'pendingAcceptance' })).toBe('pendingAcceptance');
	for (const status of ['', 'a b', 'x'.repeat(65), 5, null, undefined, ['accepted']]) {
		expect(statusOf({ status } as JsonObject)).toBe('in an unknown state');
	}
});
