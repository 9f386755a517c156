import type { JsonObject } from 'n8n-workflow';

import {
	isObject,
	readRefusal,
	refusalError,
	unexpectedResponse,
	type Verdict,
} from '../../../../../nodes/DataArtsInsight/transport/errors/answer';
import type { RequestContext } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';

const DOUBT = 'Something may exist';
const read = (status: number, body?: object, headers = {}) =>
	readRefusal({ status, headers, text: '' }, body as JsonObject | undefined, ['MIIsecret']);

/** The error for a response that did nothing, by a request that creates something, unless the test says otherwise. */
const refused = (
	status: number,
	body?: object,
	headers = {},
	verdict: Verdict = { mayHaveActed: false },
	context: Partial<RequestContext> = {},
) =>
	refusalError(read(status, body, headers), verdict, {
		secrets: [],
		unauthorized: () => 'Renew it',
		doubt: DOUBT,
		...context,
	});

describe('a refusal', () => {
	it('is read in the shape of DataArts Insight and of the API gateway', () => {
		const body = { error_code: 'APIGW.0307', error_msg: 'The token must be updated.', request_id: 'ab12' };
		expect(read(401, body, { a: 'b' })).toEqual({
			status: 401,
			headers: { a: 'b' },
			code: 'APIGW.0307',
			hasCode: true,
			text: 'The token must be updated',
			requestId: 'ab12',
			redirectTo: undefined,
		});
	});

	it.each([401, '401'])('takes the code %p of IAM, which only repeats the status, for none', (code) => {
		expect(read(401, { error: { code, message: 'Unauthorized.' } })).toMatchObject({
			code: 'HTTP_401',
			hasCode: false,
			text: 'Unauthorized',
		});
	});

	it('is read in both shapes of IAM', () => {
		expect(read(401, { error: { code: 40, message: 'x' } })).toMatchObject({ code: '40', hasCode: true });
		expect(read(403, { error_code: 'IAM.0081', error_msg: 'Console only.' })).toMatchObject({
			code: 'IAM.0081',
			text: 'Console only',
		});
	});

	it('is read where newer versions of VPC Endpoint wrap it', () => {
		const error = { error_code: 'EndPoint.2003', error_msg: 'It does not exist.' };
		expect(read(400, { error, request_id: 'ab12' })).toMatchObject({
			code: 'EndPoint.2003',
			text: 'It does not exist',
			requestId: 'ab12',
		});
	});

	it('prefers what is nested', () => {
		const outer = { error_code: 'Outer.1', error_msg: 'outer', message: 'last' };
		expect(read(400, { ...outer, error: { code: 'In.1', error_code: 'In.2', message: 'a', error_msg: 'b' } }))
			// In the order of Huawei Cloud's SDKs.
			.toMatchObject({ code: 'In.1', text: 'a' });
		expect(read(400, { ...outer, error: { error_code: 'In.2', error_msg: 'b' } })).toMatchObject({
			code: 'In.2',
			text: 'b',
		});
		expect(read(400, { ...outer, error: {} })).toMatchObject({ code: 'Outer.1', text: 'outer' });
		expect(read(400, { ...outer, error: null })).toMatchObject({ code: 'Outer.1', text: 'outer' });
		// What is blank says nothing.
		expect(read(400, { error: { message: '' }, error_msg: 'outer' }).text).toBe('outer');
	});

	it('may have a message alone', () => {
		expect(read(403, { message: 'No.' })).toMatchObject({ code: 'HTTP_403', hasCode: false, text: 'No' });
	});

	it.each([undefined, {}])('may have nothing: %j', (body) => {
		expect(read(502, body)).toEqual({
			status: 502,
			headers: {},
			code: 'HTTP_502',
			hasCode: false,
			text: undefined,
			requestId: undefined,
			redirectTo: undefined,
		});
	});

	it('has the request ID of the body, or else that of the header', () => {
		const headers = { 'x-request-id': 'h1' };
		expect(read(400, { error_code: 'A.1' }, headers).requestId).toBe('h1');
		expect(read(400, { error_code: 'A.1', request_id: 'b1' }, headers).requestId).toBe('b1');
	});

	it('shows no secret that the service repeats, in any place', () => {
		const body = {
			error_code: 'MIIsecret',
			error_msg: 'Token MIIsecret is bad: MIIsecret',
			request_id: 'MIIsecret',
		};
		const headers = { location: 'https://MIIsecret.example.com/' };
		const shown = read(302, body, headers);
		expect(JSON.stringify({ ...shown, headers: {} })).not.toMatch(/MIIsecret/i);
		expect(shown.text).toBe('Token *** is bad: ***');
		expect(shown.redirectTo).toBe('another address');
	});

	it('leaves out the request that the gateway repeats after a bad signature', () => {
		const error_msg = 'verify aksk signature fail, canonicalRequest:POST|/v1/p/|x-security-token:ST|';
		expect(read(401, { error_msg }).text).toBe('verify aksk signature fail');
	});

	it('is shortened where it is too long, and what is no code is left out', () => {
		const refusal = read(400, { error_code: 'constructor <b>', error_msg: `a\n\n b${'x'.repeat(1000)}` });
		expect(refusal.text).toHaveLength(501);
		expect(refusal.text).toMatch(/^a bx+…$/);
		expect(refusal.code).toBe('HTTP_400');
	});
});

describe('a redirect', () => {
	const location = 'https://other.example.com:8443/login?token=abc';

	it.each([
		[300, true, true],
		[301, true, true],
		[301, false, true],
		[302, false, true],
		[303, false, true],
		[304, true, false],
		[305, true, true],
		[306, true, true],
		[307, false, true],
		[308, false, true],
		[300, false, false],
		[305, false, false],
		[306, false, false],
		[309, true, false],
		[200, true, false],
		[400, true, false],
	])('is HTTP %d with an address %j: %j', (status, hasAddress, isRedirect) => {
		const { redirectTo } = read(status, undefined, hasAddress ? { location } : {});
		expect(redirectTo !== undefined).toBe(isRedirect);
	});

	it('names the host and nothing else of the address', () => {
		expect(read(302, undefined, { location }).redirectTo).toBe('other.example.com:8443');
		expect(read(302, undefined, { location: '/login' }).redirectTo).toBe('another address');
		expect(read(302).redirectTo).toBe('another address');
	});

	it('is told with the host, that nobody followed it, and no code of the service', () => {
		const error = refused(302, { error_code: 'A.1', request_id: 'x' }, { location });
		expect(error.message).toBe(
			'The service answered with a redirect to other.example.com:8443, which was not followed',
		);
		expect(error.description).toMatch(/nothing is sent to another host$/);
		expect(error.details).toEqual({ code: 'REDIRECT_REFUSED', httpStatus: 302, outcomeUnknown: false });
	});
});

describe('the error for a refusal', () => {
	it('has the words, the code and the request ID of the service, and the advice on the code', () => {
		const error = refused(401, {
			error_code: 'APIGW.0307',
			error_msg: 'The token must be updated.',
			request_id: 'ab12',
		});
		expect(error.message).toBe('The token must be updated (APIGW.0307)');
		expect(error.details).toEqual({
			code: 'APIGW.0307',
			httpStatus: 401,
			requestId: 'ab12',
			outcomeUnknown: false,
		});
		expect(error.description).toMatch(/of another region .*\. Request ID: ab12$/);
	});

	it('has no request ID where none came', () => {
		const error = refused(400, { error_code: 'A.1' });
		expect(error.details).toStrictEqual({ code: 'A.1', httpStatus: 400, outcomeUnknown: false });
		expect(error.description).not.toContain('Request ID');
	});

	it.each([
		[500, undefined, 'The service answered with HTTP status 500 and no reason'],
		[500, { error_code: 'A.1' }, 'The service answered with HTTP status 500 and no reason (A.1)'],
		[418, { error_msg: 'No' }, 'No'],
		[200, { is_success: false }, 'The service did not carry out the request and gave no reason'],
		[200, { message: 'No quota.' }, 'The service did not carry out the request: No quota'],
		[
			299,
			{ error_code: 'A.1', error_msg: 'No quota.' },
			'The service did not carry out the request: No quota',
		],
		[300, undefined, 'The service answered with HTTP status 300, which is no answer to this request'],
		[
			399,
			{ error_msg: 'x' },
			'The service answered with HTTP status 399, which is no answer to this request',
		],
	])('with HTTP %d and %j is: %s', (status, body, message) => {
		expect(refused(status, body).message).toBe(message);
	});

	it.each([200, 304])('has the code of the service and its request ID with HTTP %d, too', (httpStatus) => {
		expect(refused(httpStatus, { error_code: 'A.1', request_id: 'x' }).details).toEqual({
			code: 'A.1',
			httpStatus,
			requestId: 'x',
			outcomeUnknown: false,
		});
	});

	it('blames a cache or a proxy for a status that is no answer', () => {
		expect(refused(304).description).toContain('no proxy or cache answers in its place');
	});

	it.each([200, 400, 418])('with HTTP %d has the general advice where the caller has none', (status) => {
		expect(refused(status, {}).description).toBe('Check the values of the credential');
	});

	it.each([
		[200, { is_success: false }, 'Own invalid'],
		[400, {}, 'Own invalid'],
		[404, {}, 'Own notFound'],
		[429, {}, 'Own throttled'],
		[401, {}, 'Renew it'],
		[403, { error_code: 'IAM.0082' }, 'This user is disabled. Enable it in the IAM console'],
	])('with HTTP %d and %j has the advice of the caller where it has some: %s', (status, body, words) => {
		const advice = { invalid: 'Own invalid', notFound: 'Own notFound', throttled: 'Own throttled' };
		expect(refused(status, body, {}, { mayHaveActed: false }, { advice }).advice).toBe(words);
	});

	it.each(['APIGW.0301', 'APIG.0305', 'IAM.0067', undefined])(
		'leaves the advice on a 401 with %s to how the caller proves who they are, with the headers of the response',
		(error_code) => {
			const unauthorized = jest.fn(() => 'Renew it');
			const headers = { date: 'today' };
			const error = refused(401, { error_code }, headers, { mayHaveActed: false }, { unauthorized });
			expect(error.description).toBe('Renew it');
			expect(unauthorized.mock.calls).toEqual([[headers]]);
		},
	);

	const KINDS: Array<[string, number, object | undefined]> = [
		['a redirect', 303, undefined],
		['no answer to the request', 304, undefined],
		['a request that was not carried out', 200, { is_success: false }],
		['a fault', 500, undefined],
	];

	it.each(KINDS)('for %s says that something may exist only where it may', (_kind, status, body) => {
		const acted = refused(status, body, {}, { mayHaveActed: true });
		expect(acted.details.outcomeUnknown).toBe(true);
		expect(acted.description).toBe(`${acted.advice}. ${DOUBT}`);
		const idle = refused(status, body, {}, { mayHaveActed: false });
		expect(idle.details.outcomeUnknown).toBe(false);
		expect(idle.description).toBe(idle.advice);
	});

	it.each(KINDS)('for %s never says so of a request that creates nothing', (_kind, status, body) => {
		const error = refused(status, body, {}, { mayHaveActed: true }, { doubt: undefined });
		expect(error.details.outcomeUnknown).toBe(false);
		expect(error.description).toBe(error.advice);
	});

	it('says how the request may be sent again, if it may', () => {
		const retry = { throttled: true, after: 7_000 };
		expect(refused(429, {}, {}, { mayHaveActed: false, retry }).retry).toEqual(retry);
		expect(refused(429, {}).retry).toBeUndefined();
	});
});

describe('the error for an unexpected response', () => {
	it('says what it lacks', () => {
		const error = unexpectedResponse('a JSON object');
		expect(error.message).toBe('The service answered without a JSON object');
		expect(error.description).toMatch(/^Check that the custom address .* answers in its place$/);
		expect(error.details).toEqual({ code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: false });
		expect(error.retry).toBeUndefined();
	});

	it('has the status of the response', () => {
		expect(unexpectedResponse('an ID', 202).details.httpStatus).toBe(202);
	});

	it('says that something may exist where the request creates something', () => {
		const error = unexpectedResponse('an ID', 202, DOUBT);
		expect(error.details.outcomeUnknown).toBe(true);
		expect(error.description).toBe(`${error.advice}. ${DOUBT}`);
	});
});

it.each([
	[{}, true],
	[{ a: 1 }, true],
	[null, false],
	[undefined, false],
	[[], false],
	['a', false],
	[5, false],
])('isObject of %j is %s', (value, expected) => {
	expect(isObject(value)).toBe(expected);
});
