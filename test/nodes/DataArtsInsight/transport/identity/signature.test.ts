import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials';
import fc from 'fast-check';

import { encode, signedHeaders } from '../../../../../nodes/DataArtsInsight/transport/identity/signature';
import { accessKey, SignatureCheck, temporaryKey } from '../../../../support/cloud/signature';

// The SDK encodes what is encoded already, so a path for it holds nothing that has to be.
const segment = fc.string({
	unit: fc.constantFrom(...'aZ09-._~!*()@:$,;=+&é中'),
	minLength: 1,
	maxLength: 8,
});
const path = fc.array(segment.filter((text) => !/^\.\.?$/.test(text))).map((list) => `/${list.join('/')}`);
const text = fc.string({
	unit: fc.oneof(fc.constantFrom(...'a &=+%/?#*~é中😀'), fc.string({ minLength: 1, maxLength: 1 })),
});
const query = fc.dictionary(
	text.filter(Boolean),
	fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
);
const headerValue = fc.string({ unit: fc.constantFrom(...'aZ09-_:/ ') }).map((value) => `v${value.trim()}`);

describe('a signature', () => {
	it("is the one of Huawei Cloud's own SDK", () => {
		fc.assert(
			fc.property(
				fc.constantFrom('GET' as const, 'POST' as const, 'PUT' as const, 'DELETE' as const),
				path,
				query,
				fc.record({ project: headerValue, workspace: headerValue, json: fc.boolean() }),
				fc.option(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })),
				fc.record({ ak: headerValue, sk: fc.string({ minLength: 1 }) }),
				fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
				(method, pathname, parameters, { project, workspace, json }, data, { ak, sk }, date) => {
					const headers: Record<string, string> = { 'X-Project-Id': project, 'X-Workspace-Id': workspace };
					if (json) headers['Content-Type'] = 'application/json';
					const search = Object.entries(parameters).flatMap(([name, value]) =>
						[value].flat().map((one) => `${encode(name)}=${encode(one)}`),
					);
					const url = new URL(`https://insight.example.com:8443${pathname}?${search.join('&')}`);
					const body = data ? JSON.stringify(data) : '';
					const ours = signedHeaders(
						{ method, url, headers, body },
						{ accessKeyId: ak, secretAccessKey: sk },
						date,
					);

					const theirs = AKSKSigner.sign(
						{
							method,
							endpoint: `https://insight.example.com:8443${pathname}`,
							url: '',
							queryParams: structuredClone(parameters),
							headers: { ...headers, 'X-Sdk-Date': ours['X-Sdk-Date'] },
							data: data ?? undefined,
						},
						new BasicCredentials().withAk(ak).withSk(sk),
					) as Record<string, string>;
					expect(ours.Authorization).toBe(theirs.Authorization);
				},
			),
			{ numRuns: 500 },
		);
	});

	it('carries the token of temporary keys, signed', () => {
		const request = {
			method: 'GET',
			url: new URL('https://insight.example.com/v1/p'),
			headers: {},
			body: '',
		};
		const key = { accessKeyId: 'AK', secretAccessKey: 'SK', securityToken: 'ST' };
		const headers = signedHeaders(request, key, new Date(0));
		expect(headers).toMatchObject({ 'X-Security-Token': 'ST', 'X-Sdk-Date': '19700101T000000Z' });
		expect(headers.Authorization).toContain('SignedHeaders=host;x-sdk-date;x-security-token,');
	});

	it('is that of the header values as they arrive: without the blanks around them', () => {
		const sign = (value: string) =>
			signedHeaders(
				{
					method: 'GET',
					url: new URL('https://insight.example.com/v1/p'),
					headers: { 'X-A': value },
					body: '',
				},
				{ accessKeyId: 'AK', secretAccessKey: 'SK' },
				new Date(0),
			).Authorization;
		expect(sign(' a  b ')).toBe(sign('a  b'));
		expect(sign('a b')).not.toBe(sign('a  b'));
	});
});

describe('a signature, checked as the API gateway does', () => {
	const date = new Date('2024-02-03T04:05:06.789Z');
	const check = new SignatureCheck(() => date.getTime());

	/** Signs a request, and has what is sent of it checked. */
	function verify({
		path = '/v1/p/x',
		method = 'GET',
		headers = {} as Record<string, string>,
		body = '',
		key = accessKey,
	}) {
		const url = new URL(`https://insight.example.com:8443${path}`);
		const sent = signedHeaders({ method, url, headers, body }, key, date);
		const wire = Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value.trim()]);
		check.verify({
			method: method.toUpperCase(),
			url: `${url.pathname}${url.search}`,
			headers: { ...Object.fromEntries(wire), host: url.host } as Record<string, string>,
			body: Buffer.from(body),
		});
		return sent;
	}

	it.each([
		'/',
		'/a',
		'/a/',
		'/a//b',
		'/-._~/aZ09_',
		"/a!b'c(d)e*f",
		'/a@b:c$d,e;f=g&h+i',
		'/%41%2d%7e%2F',
		'/é/中',
		'/%c3%a9/%E4%B8%AD',
		'/%0a%0F%1b',
		'/%00',
		'/100%25',
	])('is good for the path %s', (path) => {
		expect(() => verify({ path })).not.toThrow();
	});

	it.each([
		'b=1&a=2',
		'a=2&a=1&a=10',
		'a=1&a=1',
		'a=b&a=B&A=b&b=a&B=a',
		'a&b=&=c',
		'a=1%202&b=x+y&c=%2A%27%28%29!*',
		'ab=1&a=2&a-=3&a%20=4',
		'é=中',
	])('is good for the query %s', (query) => {
		expect(() => verify({ path: `/x?${query}` })).not.toThrow();
	});

	it.each<[string, Parameters<typeof verify>[0]]>([
		['a method in small letters', { method: 'post', body: '{}' }],
		['a body beyond ASCII', { method: 'POST', body: '{"a":"é中😀"}' }],
		['headers in any case and order', { headers: { 'X-B': '1', 'x-a': '2', 'X-C': '3', 'A-B': '4' } }],
		['a header with blanks around it', { headers: { 'X-A': '  1 2 ' } }],
	])('is good for %s', (_what, request) => {
		expect(() => verify(request)).not.toThrow();
	});

	it('is good for temporary keys, with their token', () => {
		expect(verify({ key: temporaryKey })['X-Security-Token']).toBe(temporaryKey.securityToken);
		expect(verify({ key: accessKey })).not.toHaveProperty('X-Security-Token');
	});

	it('holds the time in its own form, and hands on the headers as they were', () => {
		expect(verify({ headers: { 'X-A': ' 1 ' } })).toMatchObject({
			'X-A': ' 1 ',
			'X-Sdk-Date': '20240203T040506Z',
			Authorization: expect.stringMatching(
				/^SDK-HMAC-SHA256 Access=\w+, SignedHeaders=host;x-a;x-sdk-date, Signature=[\da-f]{64}$/,
			) as string,
		});
	});
});

it.each([
	['aZ09-._~', 'aZ09-._~'],
	["!'()*", '%21%27%28%29%2A'],
	['a b+c/é', 'a%20b%2Bc%2F%C3%A9'],
])('encode(%j) leaves the unreserved characters alone, and no others', (text, encoded) => {
	expect(encode(text)).toBe(encoded);
});
