import type { IHttpRequestOptions } from 'n8n-workflow';

import type { DataArtsInsightApi } from '../../credentials/DataArtsInsightApi.credentials';
import { built } from '../build';

const host = 'dataartsinsight.cn-north-4.myhuaweicloud.com';
const ours = `https://${host}`;
const base = { region: 'cn-north-4', projectId: 'p', workspaceId: 'w' };
const ways = {
	token: { authentication: 'token', token: 'MIItoken' },
	accessKey: { authentication: 'accessKey', accessKeyId: 'AK', secretAccessKey: 'SK' },
};

type Options = Partial<IHttpRequestOptions> & { uri?: string };

async function authenticate(way: keyof typeof ways, options: Options) {
	const type = (await built).credentials.dataArtsInsightApi as DataArtsInsightApi;
	return (await type.authenticate({ ...base, ...ways[way] }, options as IHttpRequestOptions)) as Options;
}

describe.each(Object.keys(ways) as Array<keyof typeof ways>)('with %s', (way) => {
	it.each<[string, Options]>([
		['another host beside our base URL', { baseURL: ours, url: 'https://evil.example/x' }],
		['a path at another base URL', { baseURL: 'https://evil.example', url: '/x' }],
		['a trailing dot', { url: `${ours}./x` }],
		['another port', { url: `${ours}:8443/x` }],
		['no encryption', { url: `http://${host}/x` }],
		['our host as the user', { url: `https://${host}@evil.example/x` }],
		['our host as the user with a password', { url: `https://${host}:x@evil.example/` }],
		['a backslash before our host', { url: `https://evil.example\\@${host}/x` }],
		['backslashes for slashes', { url: 'https:\\\\evil.example\\x' }],
		['our host as a subdomain', { url: `${ours}.evil.example/x` }],
		['an encoded dot', { url: `${ours}%2eevil.example/x` }],
		['a tab', { url: `${ours}\t.evil.example/x` }],
		['our host as a fragment', { url: `https://evil.example#@${host}/` }],
		['our host as a query', { url: `https://evil.example?@${host}/` }],
		['no host of its own', { url: '//evil.example/x' }],
		['another host in the older field', { uri: 'https://evil.example/x', url: `${ours}/x` }],
	])('nothing is signed for %s', async (_what, options) => {
		await expect(authenticate(way, options)).rejects.toThrow(/is not for|is not a web address/);
	});

	it.each<[string, Options]>([
		['two slashes after our base URL', { baseURL: ours, url: '//evil.example/x' }],
		['backslashes after our base URL', { baseURL: ours, url: '\\\\evil.example\\x' }],
		['an at sign after our base URL', { baseURL: ours, url: '@evil.example/x' }],
		['a dot after our base URL', { baseURL: ours, url: '.evil.example/x' }],
		['a colon after our base URL', { baseURL: ours, url: ':8443/x' }],
		['another base URL', { baseURL: 'https://evil.example', url: `${ours}/x` }],
		['capitals', { url: `${ours.toUpperCase()}/x` }],
		['the port of the scheme', { url: `${ours}:443/x` }],
		['a backslash after our host', { url: `${ours}\\@evil.example/x` }],
		['the older field', { uri: `${ours}/x` }],
		['another base URL beside the older field', { uri: `${ours}/x`, baseURL: 'https://evil.example' }],
		['another host beside the older field', { uri: `${ours}/x`, url: 'https://evil.example/x' }],
	])('what is signed goes to our host: %s', async (_what, options) => {
		const { url, uri, baseURL, headers } = await authenticate(way, options);
		expect(Object.keys(headers ?? {})).toContain(way === 'token' ? 'X-Auth-Token' : 'Authorization');
		const addresses = [url, uri, baseURL].filter((address) => address !== undefined);
		expect(addresses.map((address) => new URL(address).host)).toEqual([host]);
	});

	it("what is signed follows no redirect, in the words of both of n8n's helpers", async () => {
		const signed = await authenticate(way, {
			...{ url: `${ours}/x`, disableFollowRedirect: false, maxRedirects: 21 },
			...{ followRedirect: true, followAllRedirects: true, sendCredentialsOnCrossOriginRedirect: true },
		});
		expect(signed).toMatchObject({
			...{ disableFollowRedirect: true, maxRedirects: 0, followRedirect: false },
			...{ followAllRedirects: false, sendCredentialsOnCrossOriginRedirect: false },
		});
	});

	it.each([
		['/x%zz%4g%g4%41%', '/x%25zz%254g%25g4%41%25'],
		['/a%c3%A9%', '/a%c3%A9%25'],
	])('a bare percent sign in the path stands for itself: %s', async (path, sent) => {
		expect((await authenticate(way, { url: `${ours}${path}` })).url).toBe(`${ours}${sent}`);
	});

	it('a base URL and a path are joined by one slash, and keep their others', async () => {
		const { url } = await authenticate(way, { baseURL: `${ours}/a//b//`, url: '//c//d' });
		expect(url).toBe(`${ours}/a//b/c//d`);
	});
});
