import type { JsonObject } from 'n8n-workflow';

import {
	missingIn,
	simplifyEndpoint,
} from '../../../../../nodes/DataArtsInsight/resources/vpcEndpoint/endpoint';

describe('missingIn', () => {
	it.each<JsonObject>([{ id: 7, tags: [] }, { id: 0 }, { id: 'a' }])(
		'finds nothing missing in %j',
		(response) => {
			expect(missingIn(response, {})).toBeUndefined();
		},
	);

	it.each<JsonObject>([{}, { id: '' }, { id: null }, { id: true }, { id: ['a'] }, { id: {} }])(
		'finds no ID in %j',
		(response) => expect(missingIn(response, {})).toBe("the 'id' of a VPC endpoint"),
	);

	const ID = '6f2d1c1e-31cf-4e27-9a55-4b71db9b82fb';
	const OTHER = '7a3e2d2f-42d0-4f38-8b66-5c82ec0c93fc';

	it.each<[string, object, object]>([
		['the same name', { vpc_ep_server_name: `r.sales.${ID}` }, { vpc_ep_server_name: `r.sales.${ID}` }],
		['another case', { vpc_ep_server_id: ID }, { vpc_ep_server_id: ID.toUpperCase() }],
		['more before the ID', { vpc_ep_server_name: ID }, { vpc_ep_server_name: `r.sales.${ID}` }],
		['less before it', { vpc_ep_server_name: `R.sales.${ID}` }, { vpc_ep_server_name: `sales.${ID}` }],
		['more behind', { vpc_ep_server_name: 'R.sales' }, { vpc_ep_server_name: `r.Sales.${ID}` }],
		['no name', { vpc_ep_server_name: 'a' }, {}],
		['a blank name', { vpc_ep_server_name: 'a' }, { vpc_ep_server_name: '' }],
		['a name that is no text', { vpc_ep_server_name: 'a' }, { vpc_ep_server_name: 5 }],
		['a name that was not asked for', { vpc_ep_server_id: ID }, { vpc_ep_server_name: 'a' }],
		['another type of data source', { ds_type: 'DWS' }, { ds_type: 'MySQL' }],
	])('takes a response with %s', (_what, request, response) => {
		expect(missingIn({ id: 1, ...response }, { ...request })).toBeUndefined();
	});

	it.each<[string, object, object]>([
		['another name', { vpc_ep_server_name: 'a' }, { vpc_ep_server_name: 'b' }],
		['another ID', { vpc_ep_server_id: ID }, { vpc_ep_server_id: OTHER }],
		[
			'another ID behind the same name',
			{ vpc_ep_server_name: `r.s.${ID}` },
			{ vpc_ep_server_name: `r.s.${OTHER}` },
		],
		['a longer word', { vpc_ep_server_name: 'r.sales' }, { vpc_ep_server_name: 'r.sales-old' }],
		['the name in the middle', { vpc_ep_server_name: 'sales' }, { vpc_ep_server_name: `r.sales.${ID}` }],
		['the end of a word', { vpc_ep_server_name: 'ales' }, { vpc_ep_server_name: 'r.sales' }],
		[
			'another ID beside the right name',
			{ vpc_ep_server_name: 'a', vpc_ep_server_id: ID },
			{ vpc_ep_server_name: 'a', vpc_ep_server_id: OTHER },
		],
		[
			'another name beside the right ID',
			{ vpc_ep_server_name: 'a', vpc_ep_server_id: ID },
			{ vpc_ep_server_name: 'b', vpc_ep_server_id: ID },
		],
	])('takes no response with %s', (_what, request, response) => {
		for (const id of [{ id: 1 }, {}] as JsonObject[]) {
			expect(missingIn({ ...id, ...response }, { ...request })).toBe('what was asked for');
		}
	});

	it('asks nothing of a response where nothing was asked for by text', () => {
		expect(missingIn({ id: 1, vpc_ep_server_id: ID }, { vpc_ep_server_id: '' })).toBeUndefined();
		expect(missingIn({ id: 1, vpc_ep_server_id: ID }, { vpc_ep_server_id: 5 })).toBeUndefined();
	});
});

describe('simplifyEndpoint', () => {
	it('keeps ten fields in their order and drops the others', () => {
		const simple = {
			id: 1,
			vpc_ep_client_status: 'accepted',
			vpc_ep_client_id: 'c',
			vpc_ep_server_name: 'n',
			vpc_ep_server_id: 's',
			ds_type: 'DWS',
			project_id: 'p',
			create_user_name: 'u',
			create_date: 1_714_962_072_863,
			update_date: 0,
		};
		const whole = { scene: 'x', ...Object.fromEntries(Object.entries(simple).reverse()), tags: [] };
		const result = simplifyEndpoint(whole);
		expect(Object.keys(result)).toEqual(Object.keys(simple));
		expect(result).toEqual({
			...simple,
			create_date: '2024-05-06T02:21:12.863Z',
			update_date: '1970-01-01T00:00:00.000Z',
		});
	});

	it('invents nothing that the response lacks, and keeps what is null', () => {
		expect(Object.keys(simplifyEndpoint({ id: 1, project_id: undefined, ds_type: null }))).toEqual([
			'id',
			'ds_type',
		]);
	});

	it('leaves a time as it is that is no number of milliseconds', () => {
		const times = { create_date: '2024-05-06', update_date: 1e300 };
		expect(simplifyEndpoint(times)).toEqual(times);
		expect(simplifyEndpoint({ create_date: null })).toEqual({ create_date: null });
		// Only a field for a time holds one.
		expect(simplifyEndpoint({ id: 5 })).toEqual({ id: 5 });
	});
});
