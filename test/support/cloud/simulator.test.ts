import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { loopbackCertificate } from './certificate';
import {
	abnormalWorkspaceId,
	endpointServices,
	dataSourceTypes,
	documentedFaults,
	expiredToken,
	faultNames,
	faults,
	faultServerName,
	otherRegionToken,
	startSimulator,
	unauthorizedToken,
	unknownToken,
	type FaultName,
	type Simulator,
} from '.';

let simulator: Simulator;
let headers: Record<string, string>;
beforeAll(async () => {
	simulator = await startSimulator();
	const { token, workspaceId } = simulator.credentials;
	headers = { 'X-Auth-Token': token, 'X-Workspace-Id': workspaceId, 'Content-Type': 'application/json' };
});
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const { salesWarehouse, webShop, financeLedger } = endpointServices;
const aNumber: unknown = expect.any(Number);
const aString: unknown = expect.any(String);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const containing = (part: string): unknown => expect.stringContaining(part);
const hexId = matching(/^[0-9a-f]{32}$/);
const path = '/connections/vpc-endpoint';

async function call(init: RequestInit = {}, tail = path, project = simulator.credentials.projectId) {
	const response = await fetch(`${simulator.url}/v1/${project}${tail}`, { headers, ...init });
	const raw = await response.text();
	const json: unknown =
		/json/.test(response.headers.get('content-type') ?? '') && raw ? JSON.parse(raw) : raw;
	return { status: response.status, headers: response.headers, body: json };
}

const post = (body: unknown, init: RequestInit = {}, tail = path) =>
	call({ method: 'POST', body: JSON.stringify(body), ...init }, tail);
const verify = ({ name }: { name: string }, ds_type = 'DWS') => post({ ds_type, vpc_ep_server_name: name });
const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));

describe('verifying an endpoint service', () => {
	test("answers the page's example with exactly the documented fields", async () => {
		const before = Date.now();
		const { status, body } = await verify(salesWarehouse);
		expect(status).toBe(200);
		expect(body).toStrictEqual({
			id: hexId,
			create_date: aNumber,
			create_user: aString,
			create_user_name: aString,
			update_date: aNumber,
			update_user: aString,
			update_user_name: aString,
			project_id: simulator.credentials.projectId,
			domain_id: aString,
			ds_type: 'DWS',
			vpc_ep_client_id: matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
			vpc_ep_client_status: 'accepted',
			vpc_ep_server_id: salesWarehouse.id,
			vpc_ep_server_name: salesWarehouse.name,
			scene: 'dii-app_to_data-source',
		});
		const { create_date } = body as { create_date: number };
		expect(Number.isInteger(create_date)).toBe(true);
		expect(create_date).toBeGreaterThanOrEqual(before);
	});

	test.each(dataSourceTypes)('knows the data source %s', async (dsType) => {
		expect(await verify(webShop, dsType)).toMatchObject({ status: 200, body: { ds_type: dsType } });
	});

	test('finds a service by ID, or by name and ID', async () => {
		const { id, name } = webShop;
		const byId = await post({ ds_type: 'API', vpc_ep_server_id: id });
		const byBoth = await post({ ds_type: 'API', vpc_ep_server_id: id, vpc_ep_server_name: name });
		expect(byId).toMatchObject({ status: 200, body: { vpc_ep_server_name: name } });
		expect(byBoth.body).toMatchObject({ id: (byId.body as { id: string }).id });
	});

	test('shows the same endpoint when repeated, another for another data source', async () => {
		const first = (await verify(salesWarehouse)).body as Record<string, unknown>;
		const second = (await verify(salesWarehouse)).body as Record<string, unknown>;
		expect(second).toStrictEqual({ ...first, update_date: second.update_date });
		expect(Number(second.update_date)).toBeGreaterThan(Number(first.update_date));
		expect((await verify(salesWarehouse, 'MySQL')).body).not.toMatchObject({ id: first.id });
	});

	test.each(Object.values(endpointServices))('$name first answers $firstAnswer', async (service) => {
		const { status, body } = await verify(service);
		if (service.firstAnswer === 'not whitelisted') {
			expect({ status, body }).toMatchObject({ status: 400, body: { error_code: 'EndPoint.2012' } });
			return;
		}
		expect(body).toMatchObject({ vpc_ep_client_status: service.firstAnswer });
		const later = service.firstAnswer === 'creating' ? 'accepted' : service.firstAnswer;
		expect((await verify(service)).body).toMatchObject({ vpc_ep_client_status: later });
	});

	test('a pending endpoint is accepted once its owner says so', async () => {
		expect(() => simulator.accept(financeLedger.name)).toThrow('is pending acceptance');
		await verify(financeLedger);
		simulator.accept(financeLedger.id);
		expect((await verify(financeLedger)).body).toMatchObject({ vpc_ep_client_status: 'accepted' });
	});
});

describe('listing data connections', () => {
	test('shows a page of what was verified', async () => {
		await verify(salesWarehouse);
		await verify(webShop);
		const listed = await call({ headers: without('Content-Type') }, '/connections?limit=1&offset=1');
		expect(listed).toMatchObject({
			status: 200,
			body: { count: 2, page_data: [{ vpc_connection: { vpc_ep_server_name: webShop.name } }] },
		});
		expect((await call({}, '/connections')).body).toMatchObject({ page_data: [{}, {}] });
	});

	test.each(['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'limit=1&limit=2', 'page=1'])(
		'refuses ?%s',
		async (query) => {
			expect(await call({}, `/connections?${query}`)).toMatchObject({
				status: 400,
				body: { error_code: 'APIGW.0201', error_msg: containing('querystring') },
			});
		},
	);
});

describe('refusing a body', () => {
	const ds_type = 'DWS';
	const vpc_ep_server_name = salesWarehouse.name;
	test.each<[string, unknown, string]>([
		['no object', 'DWS', 'must be object'],
		['a list', [], 'must be object'],
		['null', null, 'must be object'],
		['no data source', { vpc_ep_server_name }, "required property 'ds_type'"],
		['an unknown data source', { ds_type: 'Oracle', vpc_ep_server_name }, 'body/ds_type must be equal'],
		['another case', { ds_type: 'mysql', vpc_ep_server_name }, 'body/ds_type must be equal'],
		['a null data source', { ds_type: null, vpc_ep_server_name }, 'body/ds_type must be equal'],
		['neither name nor ID', { ds_type }, "required property 'vpc_ep_server_name'"],
		['an empty name', { ds_type, vpc_ep_server_name: '' }, 'body/vpc_ep_server_name must match'],
		['a blank name', { ds_type, vpc_ep_server_name: '  ' }, 'body/vpc_ep_server_name must match'],
		['a padded name', { ds_type, vpc_ep_server_name: ` ${vpc_ep_server_name}` }, 'must match'],
		['a line end', { ds_type, vpc_ep_server_name: `${vpc_ep_server_name}\n` }, 'must match'],
		['a name that is a number', { ds_type, vpc_ep_server_name: 7 }, 'must be string'],
		['an empty ID', { ds_type, vpc_ep_server_name, vpc_ep_server_id: '' }, 'must match'],
		['a padded ID', { ds_type, vpc_ep_server_id: `${webShop.id} ` }, 'must match'],
		['an ID that is no UUID', { ds_type, vpc_ep_server_id: 'sales' }, 'must match'],
		['a UUID as a URN', { ds_type, vpc_ep_server_id: `urn:uuid:${webShop.id}` }, 'must match'],
		['an unknown field', { ds_type, vpc_ep_server_name, dsType: 'DWS' }, '"additionalProperty":"dsType"'],
		['two services', { ds_type, vpc_ep_server_name, vpc_ep_server_id: webShop.id }, 'different services'],
	])('%s', async (_, body, reason) => {
		expect(await post(body)).toMatchObject({
			status: 400,
			body: { error_code: 'APIGW.0201', error_msg: containing(reason) },
		});
		expect((await call({}, '/connections')).body).toMatchObject({ count: 0 });
	});

	test.each(['', '{"ds_type":"DWS"', 'ds_type=DWS'])('what is no JSON: %j', async (body) => {
		expect(await call({ method: 'POST', body })).toMatchObject({ status: 400 });
	});

	test('more than 12 MB', async () => {
		const { status, body } = await post({ padding: 'x'.repeat(12 * 1024 * 1024) });
		expect({ status, body }).toMatchObject({ status: 413, body: { error_code: 'APIGW.0201' } });
	});

	test('unknown services', async () => {
		const refusal = { status: 404, body: { error_code: 'DataArtsInsight.24010003' } };
		const vpc_ep_server_id = '00000000-0000-4000-8000-000000000000';
		expect(await post({ ds_type, vpc_ep_server_name: 'cn-north-4.unknown' })).toMatchObject(refusal);
		expect(await post({ ds_type, vpc_ep_server_id })).toMatchObject(refusal);
		expect(await post({ ds_type, vpc_ep_server_name, vpc_ep_server_id })).toMatchObject(refusal);
	});
});

describe('refusing a caller', () => {
	const refusedHeaders: Array<[string, () => Record<string, string>, number, string, string]> = [
		['no token', () => without('X-Auth-Token'), 401, 'APIGW.0301', 'x-auth-token not found'],
		['an empty token', () => ({ ...headers, 'X-Auth-Token': '' }), 401, 'APIGW.0301', 'not found'],
		['an unknown token', () => withToken(unknownToken), 401, 'APIGW.0301', 'decrypt token fail'],
		['an expired token', () => withToken(expiredToken), 401, 'APIGW.0301', 'token expires, expires_at:'],
		['a token of another region', () => withToken(otherRegionToken), 401, 'APIGW.0307', 'token'],
		['a token without permission', () => withToken(unauthorizedToken), 403, 'APIGW.0302', 'authorized'],
		['no workspace', () => without('X-Workspace-Id'), 400, 'APIGW.0201', 'X-Workspace-Id'],
		['a blank workspace', () => inWorkspace(' '), 400, 'APIGW.0201', 'X-Workspace-Id'],
		['an unknown workspace', () => inWorkspace('x'), 400, 'DataArtsInsight.24150005', 'exist'],
		['a workspace in disorder', () => inWorkspace(abnormalWorkspaceId), 400, 'DataArtsInsight.24150004', ''],
	];
	const withToken = (token: string) => ({ ...headers, 'X-Auth-Token': token });
	const inWorkspace = (id: string) => ({ ...headers, 'X-Workspace-Id': id });

	test.each(refusedHeaders)('%s', async (_, build, status, error_code, reason) => {
		const init = { headers: build() };
		const verified = await post({ ds_type: 'DWS', vpc_ep_server_name: webShop.name }, init);
		const error_msg = containing(reason);
		expect(verified).toMatchObject({ status, body: { error_code, error_msg } });
		expect(await call(init, '/connections?limit=1&offset=0')).toMatchObject({ status, body: { error_code } });
		expect('request_id' in Object(verified.body)).toBe(error_code.startsWith('APIGW'));
	});

	test.each(['text/plain', 'application/jsonp', 'application/x-www-form-urlencoded', 'nonsense'])(
		'content of the type %s',
		async (type) => {
			const refused = await post({ ds_type: 'DWS' }, { headers: { ...headers, 'Content-Type': type } });
			expect(refused).toMatchObject({
				status: 400,
				body: { error_code: 'APIGW.0201', request_id: hexId },
			});
		},
	);

	test('content without a type', async () => {
		const body = new TextEncoder().encode(JSON.stringify({ ds_type: 'DWS', vpc_ep_server_id: webShop.id }));
		expect(await call({ method: 'POST', headers: without('Content-Type'), body })).toMatchObject({
			status: 400,
			body: { error_msg: containing('Content-Type') },
		});
	});

	test('a type with a character set is fine', async () => {
		const typed = { ...headers, 'Content-Type': 'application/json;charset=UTF-8' };
		const body = { ds_type: 'DWS', vpc_ep_server_id: webShop.id };
		expect(await post(body, { headers: typed })).toMatchObject({ status: 200 });
	});

	test('an unknown project', async () => {
		const refusal = { status: 403, body: { error_code: 'APIGW.0310' } };
		expect(await call({}, '/connections', 'elsewhere')).toMatchObject(refusal);
	});

	test('a query where none belongs', async () => {
		const body = { ds_type: 'DWS', vpc_ep_server_id: webShop.id };
		expect(await post(body, {}, `${path}?dry_run=true`)).toMatchObject({ status: 400 });
	});

	test.each([
		['GET', path],
		['PUT', path],
		['POST', '/connections'],
		['POST', `${path}/`],
		['POST', '/Connections/vpc-endpoint'],
		['DELETE', ''],
	])('%s on %s', async (method, tail) => {
		const refused = await call({ method }, tail);
		expect(refused).toMatchObject({ status: 404, body: { error_code: 'APIGW.0101', request_id: hexId } });
		expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
	});

	test.each([
		[
			'a broken path',
			'GET /v1/%zz/connections HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
			400,
		],
		['no HTTP at all', 'HELLO\r\n\r\n', 400],
		['huge headers', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 494],
	])('%s', async (_, bytes, status) => {
		const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1');
		socket.write(bytes);
		const answer = await text(socket);
		expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
		expect(answer).toMatch(/"error_code":"APIGW.0201".*"request_id":"[0-9a-f]{32}"/);
	});
});

describe('failing on request', () => {
	const fail = (name: FaultName) => verify({ name: faultServerName(name) });
	const failing = (name: FaultName) =>
		fetch(`${simulator.url}/v1/${simulator.credentials.projectId}${path}`, {
			method: 'POST',
			headers,
			body: JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: faultServerName(name) }),
			redirect: 'manual',
			signal: AbortSignal.timeout(800),
		});

	test('covers every documented error with its HTTP status', () => {
		const rows = (prefix: string, status: number, codes: string) =>
			codes.split(' ').map((code) => `${status} ${prefix}.${code}`);
		const expected = [
			...rows('DataArtsInsight', 403, '20010003'),
			...rows('DataArtsInsight', 404, '24010003'),
			...rows('DataArtsInsight', 400, '24010043 24150000 24150001 24150002 24150003 24150004 24150005'),
			...rows('DataArtsInsight', 400, '24150010 24150011 24150012 24150020 24150021 24150022'),
			...rows('APIGW', 404, '0101 0103'),
			...[400, 413, 414, 494, 502, 504].flatMap((status) => rows('APIGW', status, '0201')),
			...rows('APIGW', 401, '0301 0305 0307'),
			...rows('APIGW', 403, '0302 0310 0401 0402 0801 0802'),
			...rows('APIGW', 405, '0501 0502'),
			...rows('APIGW', 429, '0308'),
			...rows('APIGW', 500, '0601 0605 0606 0607 0608 0609 0611 0612'),
			...rows('APIGW', 502, '0610'),
			...rows('APIGW', 503, '0613'),
			...rows('APIG', 429, '0308'),
			...rows('IAM', 401, '0061 0062 0066 0067'),
			...rows('IAM', 403, '0002 0003 0081 0082'),
			...rows('IAM', 400, '0007 0011'),
			...rows('IAM', 404, '0004'),
			...rows('IAM', 429, '0012'),
			...rows('EndPoint', 400, '0002 0022 1018 2003 2004 2012 2014 2019 2022 2045 2051 3062'),
			...rows('EndPoint', 401, '0003'),
			...rows('EndPoint', 403, '0004'),
			...rows('EndPoint', 404, '0005'),
			...rows('EndPoint', 500, '0001'),
		];
		const present = Object.values(documentedFaults).flatMap(({ status, body }) =>
			'error_code' in body ? [`${status} ${body.error_code}`] : [],
		);
		expect([...new Set(present)].sort()).toEqual(expected.sort());
	});

	test.each(Object.entries(documentedFaults))('%s', async (name, { status, body }) => {
		const answered = await fail(name as FaultName);
		expect(answered).toMatchObject({ status, body });
		const isGatewayError = 'error_code' in body && body.error_code.startsWith('APIG');
		expect('request_id' in Object(answered.body)).toBe(isGatewayError);
	});

	test.each<[FaultName, number, RegExp]>([
		['sign-in-page', 200, /^<!DOCTYPE html>/],
		['html-502', 502, /^<html>/],
		['plain-503', 503, /^upstream/],
		['throttled-retry-after', 429, /APIGW.0308/],
		['empty-200', 200, /^$/],
		['not-success', 200, /"is_success":false/],
		['json-array', 200, /^\[\]$/],
		['no-id', 200, /^\{"create_date":/],
		['broken-json', 200, /^\{"id".*[^}]$/],
		['extra-fields', 200, /^\{"id".*"vpc_ep_client_ip":/],
		['status-failed', 200, /"vpc_ep_client_status":"failed"/],
		['status-deleting', 200, /"vpc_ep_client_status":"deleting"/],
		['status-unknown', 200, /"vpc_ep_client_status":"underReview"/],
		['redirect', 302, /^$/],
	])('%s', async (name, status, body) => {
		const response = await failing(name);
		expect(response.status).toBe(status);
		expect(await response.text()).toMatch(body);
		expect(response.headers.get('retry-after')).toBe(name === 'throttled-retry-after' ? '1' : null);
		if (name === 'redirect') expect(response.headers.get('location')).toMatch(/^http:\/\/localhost:\d+\//);
	});

	test('giant', async () => {
		const { status, body } = await fail('giant');
		expect(status).toBe(200);
		expect(JSON.stringify(body).length).toBeGreaterThan(2 * 1024 * 1024);
	});

	test('token-echo', async () => {
		expect((await fail('token-echo')).body).toMatchObject({
			error_msg: containing(simulator.credentials.token),
		});
	});

	test('connection-reset', async () => {
		await expect(failing('connection-reset')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
		expect(simulator.requests).toHaveLength(1);
	});

	test('truncated', async () => {
		const response = await failing('truncated');
		await expect(response.text()).rejects.toThrow('terminated');
	});

	test('no-answer', async () => {
		await expect(failing('no-answer')).rejects.toMatchObject({ name: 'TimeoutError' });
	});

	test('slow-drip', async () => {
		const response = await failing('slow-drip');
		expect(response.status).toBe(200);
		await expect(response.text()).rejects.toMatchObject({ name: 'TimeoutError' });
	});

	test('every undocumented fault is named above', () => {
		expect(faultNames.filter((name) => typeof faults[name] === 'function')).toHaveLength(20);
	});

	test('works with any ending of the name', async () => {
		for (const name of ['cn-north-4.fault-apigw-0310', `cn-north-4.fault-apigw-0310.${webShop.id}`]) {
			expect(await verify({ name })).toMatchObject({ status: 403, body: { error_code: 'APIGW.0310' } });
		}
		expect(await verify({ name: 'cn-north-4.fault-unheard-of' })).toMatchObject({ status: 404 });
	});

	test('does not excuse a bad call', async () => {
		const vpc_ep_server_name = faultServerName('apigw-0310');
		expect(await post({ ds_type: 'Oracle', vpc_ep_server_name })).toMatchObject({ status: 400 });
	});

	test('failNext spoils the next calls, whatever they are', async () => {
		simulator.failNext('apigw-0613', 2);
		simulator.failNext('extra-fields');
		expect(await call({}, '/connections')).toMatchObject({ status: 503 });
		expect(await call({}, '/nowhere')).toMatchObject({ status: 503 });
		expect((await verify(webShop)).body).toHaveProperty('tags');
		expect(await verify(webShop)).toMatchObject({ status: 200 });
		simulator.failNext('apigw-0613');
		simulator.reset();
		expect(await verify(webShop)).toMatchObject({ status: 200 });
	});
});

describe('the simulator itself', () => {
	test('records what it received', async () => {
		await post({ ds_type: 'DWS' });
		await call({}, '/nowhere?a=b');
		const { projectId, token } = simulator.credentials;
		expect(simulator.requests).toMatchObject([
			{
				method: 'POST',
				path: `/v1/${projectId}${path}`,
				headers: { 'x-auth-token': token },
				body: '{"ds_type":"DWS"}',
				at: aNumber,
			},
			{ method: 'GET', path: `/v1/${projectId}/nowhere?a=b`, body: '' },
		]);
	});

	test('forgets endpoints on reset', async () => {
		const first = (await verify(webShop)).body as { id: string };
		simulator.reset();
		expect(simulator.requests).toHaveLength(0);
		expect((await verify(webShop)).body).not.toMatchObject({ id: first.id });
	});

	test('speaks TLS, takes its time and counts connections', async () => {
		const secure = await startSimulator({ tls: loopbackCertificate, latency: 60, keepAliveTimeout: 1000 });
		try {
			expect(secure.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
			const start = performance.now();
			const request = httpsRequest(secure.url, { ca: loopbackCertificate.cert, agent: false }).end();
			const [response] = (await once(request, 'response')) as unknown[];
			expect(response).toMatchObject({ statusCode: 404 });
			expect(performance.now() - start).toBeGreaterThan(55);
			expect(secure.connections).toBe(1);

			secure.failNext('connection-reset');
			const reset = httpsRequest(secure.url, { ca: loopbackCertificate.cert, agent: false }).end();
			const [error] = (await once(reset, 'error')) as unknown[];
			expect(error).toMatchObject({ code: 'ECONNRESET' });
		} finally {
			await secure.close();
		}
	});

	test('closes while a call still waits for its answer', async () => {
		const other = await startSimulator();
		other.failNext('no-answer');
		const waiting = fetch(other.url);
		const outcome = expect(waiting).rejects.toThrow('fetch failed');
		while (other.requests.length === 0) await new Promise(setImmediate);
		await other.close();
		await outcome;
	});
});
