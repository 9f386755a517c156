import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials';
import fc from 'fast-check';

import { encode, signedHeaders } from '../../credentials/signature';

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
