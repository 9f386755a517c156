import {
	blocked,
	interruption,
	isObject,
	notSent,
	refusal,
	RequestError,
	unexpectedAnswer,
} from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { ProxyRefusal } from '../../../../../nodes/DataArtsInsight/transport/network/connector';
import { ExchangeError } from '../../../../../nodes/DataArtsInsight/transport/network/exchange';

const refused = (status: number, body: object | undefined, headers = {}) =>
	refusal({ status, headers, text: '' }, body as never, {
		creates: true,
		secrets: ['MIIsecret'],
		unauthorized: () => 'Renew it',
	});

describe('refusal', () => {
	it('reads the shape of DataArts Insight and of the API gateway', () => {
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
		expect(error.description).toContain('another region');
		expect(error.description).toContain('Request ID: ab12');
	});

	it('reads both shapes of IAM', () => {
		// A code that only repeats the status says nothing.
		for (const code of [401, '401']) {
			const { message, details } = refused(401, { error: { code, message: 'Unauthorized.' } });
			expect([message, details.code]).toEqual(['Unauthorized', 'HTTP_401']);
		}
		expect(refused(401, { error: { code: 40, message: 'x' } }).details.code).toBe('40');
		const other = refused(403, { error_code: 'IAM.0081', error_msg: 'Console only.' });
		expect(other.message).toBe('Console only (IAM.0081)');
		expect(other.description).toContain('programmatic access');
	});

	it('reads the error that newer versions of VPC Endpoint wrap', () => {
		const wrapped = { error_code: 'EndPoint.2003', error_msg: 'It does not exist.' };
		const error = refused(400, { error: wrapped, request_id: 'ab12' });
		expect(error.message).toBe('It does not exist (EndPoint.2003)');
		expect(error.details).toMatchObject({ code: 'EndPoint.2003', requestId: 'ab12' });
		expect(error.description).toContain('VPC Endpoint console');
	});

	it('reads a body that holds a message alone', () => {
		expect(refused(403, { message: 'No.' }).message).toBe('No');
	});

	it.each([300, 304, 305, 306])('does not call HTTP %d without an address a redirect', (status) => {
		const error = refused(status, undefined);
		expect(error.message).toBe(
			`The service answered with HTTP status ${status}, which is no answer to this call`,
		);
		expect(error.details).toEqual({ code: `HTTP_${status}`, httpStatus: status, outcomeUnknown: true });
	});

	it.each([
		[300, false],
		[301, false],
		[302, false],
		[303, true],
		[307, false],
		[308, false],
	])('says of a redirect with HTTP %d whether the call may have acted: %s', (status, outcomeUnknown) => {
		const error = refused(status, undefined, { location: 'https://other.example.com/' });
		expect(error.details).toEqual({ code: 'REDIRECT_REFUSED', httpStatus: status, outcomeUnknown });
	});

	it.each(['APIGW.0301', 'APIG.0305', 'IAM.0067', undefined])(
		'leaves the advice on a 401 with %s to how the caller proves who they are',
		(error_code) => expect(refused(401, { error_code, error_msg: 'x' }).description).toBe('Renew it'),
	);

	it('gives a dedicated gateway the advice of the shared one', () => {
		expect(refused(429, { error_code: 'APIG.0308', error_msg: 'x' }).description).toBe(
			refused(429, { error_code: 'APIGW.0308', error_msg: 'x' }).description,
		);
	});

	it('takes the request ID from the header where the body has none', () => {
		expect(refused(400, { error_code: 'A.1' }, { 'x-request-id': 'h1' }).details.requestId).toBe('h1');
	});

	it.each([
		[400, { error_code: 'DataArtsInsight.24150005' }, false],
		[429, { error_code: 'APIGW.0308' }, false],
		[500, { error_code: 'APIGW.0601' }, true],
		[502, undefined, true],
		[503, { error_code: 'APIGW.0613' }, false],
		[503, { error_code: 'APIG.0613' }, false],
		[503, undefined, true],
		[503, { error_code: 'DataArtsInsight.1' }, true],
		[503, { error_code: 'NoAPIGW.0613' }, true],
		[503, { error_code: 'APIGWX.0613' }, true],
		[200, { is_success: false }, false],
		[504, { error_code: 'APIGW.0201' }, true],
	])('with HTTP %d and %j says whether an endpoint may exist: %s', (status, body, outcomeUnknown) => {
		const error = refused(status, body);
		expect(error.details.outcomeUnknown).toBe(outcomeUnknown);
		expect(error.description.includes('a VPC endpoint may exist')).toBe(outcomeUnknown);
	});

	it.each([
		[429, {}, undefined, undefined],
		[429, {}, '7', 7_000],
		[429, {}, '1.5', 1_500],
		[503, { error_code: 'APIGW.0613' }, '0', 0],
		[429, {}, 'Wed, 21 Oct 2015 07:28:00 GMT', 0],
		[429, {}, 'soon', undefined],
		[429, {}, '-5', undefined],
		[429, {}, '+5', undefined],
		[429, {}, '5 apples', undefined],
		[429, {}, '5, 7, 6', 7_000],
		[429, {}, ['5', '8'], 8_000],
		[429, {}, `${'9'.repeat(11)}`, undefined],
		[429, {}, '', undefined],
		[429, {}, undefined, undefined],
	])('with HTTP %d, %j and Retry-After %s may be repeated after %s', (status, body, header, after) => {
		expect(refused(status, body, { 'retry-after': header }).retry).toEqual({ throttled: true, after });
	});

	it.each([-3600, 0, 3600])('reads a date in Retry-After by a clock that is %d s off', (skew) => {
		const now = Date.now() + skew * 1000;
		const headers = {
			date: new Date(now).toUTCString(),
			'retry-after': new Date(now + 20_000).toUTCString(),
		};
		expect(refused(429, {}, headers).retry?.after).toBe(20_000);
	});

	it('reads a date in Retry-After', () => {
		const date = new Date(Date.now() + 20_000).toUTCString();
		const { after = 0 } = refused(429, {}, { 'retry-after': date }).retry ?? {};
		expect(after).toBeGreaterThan(15_000);
		expect(after).toBeLessThanOrEqual(20_000);
	});

	it.each([
		[503, undefined],
		[500, { error_code: 'APIGW.0601' }],
		[502, undefined],
		[504, undefined],
		[400, {}],
		[401, { error_code: 'APIGW.0301' }],
	])('with HTTP %d and %j must not be repeated', (status, body) => {
		expect(refused(status, body).retry).toBeUndefined();
	});

	it('says how often it was tried', () => {
		const error = refused(429, {});
		error.attempts = 4;
		expect(error.description).toContain('Tried 4 times');
	});

	it('never says so for a call that creates nothing', () => {
		const error = refusal({ status: 500, headers: {}, text: '' }, undefined, {
			creates: false,
			secrets: [],
			unauthorized: () => '',
		});
		expect(error.details.outcomeUnknown).toBe(false);
	});

	it('that no request ID came with has none', () => {
		expect(refused(400, { error_code: 'A.1', error: null }).details).toStrictEqual({
			code: 'A.1',
			httpStatus: 400,
			outcomeUnknown: false,
		});
		expect(refused(400, { error_code: 'A.1' }).description).not.toContain('Request ID');
	});

	it('has words for a refusal without a reason', () => {
		expect(refused(500, undefined).message).toBe('The service answered with HTTP status 500 and no reason');
		expect(refused(418, {}).description).toContain('Check the values');
		expect(refused(200, { is_success: false }).message).toContain('gave no reason');
		expect(refused(200, { is_success: false, message: 'No quota.' }).message).toContain('No quota');
	});

	it('names the host of a redirect and nothing else of it', () => {
		const error = refused(302, undefined, { location: 'https://other.example.com/login?token=abc' });
		expect(error.message).toContain('other.example.com,');
		expect(error.message).not.toContain('abc');
		expect(refused(307, undefined).message).toContain('another address');
	});

	it('masks a secret that the service repeats, in every place', () => {
		const error = refused(400, {
			error_code: 'MIIsecret',
			error_msg: 'Token MIIsecret is bad: MIIsecret',
			request_id: 'MIIsecret',
		});
		expect(JSON.stringify({ ...error, message: error.message })).not.toContain('MIIsecret');
		expect(error.message).toBe('Token *** is bad: ***');
	});

	it('leaves out the request that the gateway repeats after a bad signature', () => {
		const error_msg = 'verify aksk signature fail, canonicalRequest:POST|/v1/p/|x-security-token:ST|';
		expect(refused(401, { error_msg }).message).toBe('verify aksk signature fail');
	});

	it('shortens what is too long and leaves out what is no code', () => {
		const error = refused(400, { error_code: 'constructor <b>', error_msg: `a\n\n b${'x'.repeat(1000)}` });
		expect(error.message).toHaveLength(501);
		expect(error.message).toMatch(/^a bx+…$/);
		expect(error.details.code).toBe('HTTP_400');
		expect(refused(400, { error_code: 'constructor', error_msg: '' }).description).toContain(
			'Check the values',
		);
	});
});

describe('interruption', () => {
	const broken = (code: string | undefined, sent: boolean) =>
		interruption(
			new ExchangeError(Object.assign(new Error('x'), { code }), sent),
			{ host: 'insight.example.com' },
			true,
		);

	it.each([
		['ENOTFOUND', 'host name could not be resolved'],
		['EAI_AGAIN', 'host name could not be resolved'],
		['ECONNREFUSED', 'refused'],
		['UND_ERR_CONNECT_TIMEOUT', 'did not answer'],
		['EHOSTUNREACH', 'did not answer'],
		['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is not trusted'],
		['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate is for another host'],
		['CERT_HAS_EXPIRED', 'certificate has expired'],
		['ECONNRESET', 'broke off (ECONNRESET)'],
		[undefined, 'broke off'],
	])('before anything was sent, %s is a failed connection', (code, words) => {
		const error = broken(code, false);
		expect(error.message).toContain('No connection to insight.example.com');
		expect(error.message).toContain(words);
		expect(error.description).toContain('Nothing was sent');
		expect(error.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	});

	it('is not repeated where that cannot help, nor once something was sent', () => {
		expect(broken('ECONNREFUSED', false).retry).toEqual({ throttled: false });
		expect(broken('CERT_HAS_EXPIRED', false).retry).toBeUndefined();
		expect(broken('EGRESS_BLOCKED', false).retry).toBeUndefined();
		expect(broken('ECONNREFUSED', true).retry).toBeUndefined();
	});

	it('names the proxy it went through, and what that answered', () => {
		const cause = new ProxyRefusal('HTTP status 407', false);
		const route = { host: 'insight.example.com', proxyHost: 'proxy.example.com:3128' };
		const error = interruption(new ExchangeError(cause, false), route, true);
		expect(error.message).toBe(
			'No connection to insight.example.com through the proxy proxy.example.com:3128: the proxy refused it with HTTP status 407',
		);
		expect(error.description).toContain('HTTPS_PROXY');
		expect(error.retry).toBeUndefined();
	});

	it('after sending, the outcome is not known', () => {
		const error = broken('ECONNRESET', true);
		expect(error.details).toEqual({ code: 'CONNECTION_LOST', outcomeUnknown: true });
		expect(error.description).toContain('a VPC endpoint may exist');
	});

	it.each([
		['timeout', 'TIMEOUT'],
		['tooLarge', 'ANSWER_TOO_LARGE'],
		['cancelled', 'CANCELLED'],
	] as const)('says that this side ended it: %s', (stopped, code) => {
		const error = interruption(new ExchangeError(new Error('x'), true, stopped), { host: 'h' }, true);
		expect(error.details).toEqual({ code, outcomeUnknown: true });
	});
});

describe('a request error', () => {
	it('says what to do, what may have happened, what was known, how often it was tried, and the request ID', () => {
		const error = new RequestError('Bad', 'Try it', { code: 'A.1', outcomeUnknown: false });
		expect([error.message, error.description]).toEqual(['Bad', 'Try it']);
		error.known = 'It was new';
		error.attempts = 2;
		error.details.requestId = 'ab12';
		expect(error.description).toBe('Try it. It was new. Tried 2 times. Request ID: ab12');
		error.details.outcomeUnknown = true;
		expect(error.description).toMatch(/^Try it\. The call may .*\. It was new\. Tried 2 times/);
	});

	it('for a call that is not sent has the code and status of the last refusal, and leaves nothing open', () => {
		const last = refused(500, { error_code: 'A.1', error_msg: 'x', request_id: 'ab12' });
		expect(last.details.outcomeUnknown).toBe(true);
		const error = notSent(last, 'the service takes none');
		expect(error.message).toBe('Not sent: the service takes none');
		expect(error.description).toBe(last.advice);
		expect(error.details).toStrictEqual({ code: 'A.1', httpStatus: 500, outcomeUnknown: false });
		expect(error.retry).toBeUndefined();
	});

	it.each([true, false])(
		'for an answer without what it should hold: the call creates something: %s',
		(creates) => {
			const error = unexpectedAnswer('a JSON object', creates);
			expect(error.message).toBe('The service answered without a JSON object');
			expect(error.details).toEqual({ code: 'UNEXPECTED_ANSWER', httpStatus: 200, outcomeUnknown: creates });
			expect(unexpectedAnswer('an ID', creates, 202).details.httpStatus).toBe(202);
		},
	);

	it('for a host that the egress policy forbids says that nothing can have happened', () => {
		const cause = Object.assign(new Error('x'), { code: 'EGRESS_BLOCKED' });
		const errors = [blocked('h'), interruption(new ExchangeError(cause, false), { host: 'h' }, true)];
		for (const error of errors) {
			expect(error.message).toBe('n8n is not allowed to call h');
			expect(error.description).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
			expect(error.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		}
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
