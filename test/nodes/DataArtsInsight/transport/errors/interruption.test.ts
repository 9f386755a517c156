import {
	cancelled,
	interruptionError,
	notSent,
	unusableProxy,
} from '../../../../../nodes/DataArtsInsight/transport/errors/interruption';
import type { Verdict } from '../../../../../nodes/DataArtsInsight/transport/errors/answer';
import {
	type Advice,
	InputError,
	RequestError,
} from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	ExchangeError,
	type Interruption,
} from '../../../../../nodes/DataArtsInsight/transport/network/failure';
import { ProxyRefusal } from '../../../../../nodes/DataArtsInsight/transport/network/undici/connector';

const DOUBT = 'Something may exist';
const host = 'insight.example.com';
const causeOf = (code?: string) => Object.assign(new Error('x'), { code });

/** The error for a request that creates something and that certainly did not act, unless the test says otherwise. */
const errorFor = (
	interruption: Partial<Interruption>,
	verdict: Verdict = { mayHaveActed: false },
	{ doubt = DOUBT, advice, target = { host } }: { doubt?: string; advice?: Advice; target?: object } = {},
) =>
	interruptionError({ cause: causeOf(), sent: false, ...interruption }, { host, ...target }, verdict, {
		doubt: doubt || undefined,
		advice,
	});

describe('a connection that was never established', () => {
	const failed = (code?: string) => errorFor(new ExchangeError(causeOf(code), false));

	it.each([
		['ENOTFOUND', 'the host name could not be resolved', 'name resolution'],
		['EAI_AGAIN', 'the host name could not be resolved', 'name resolution'],
		['ECONNREFUSED', 'it was refused', 'above all the port'],
		['ETIMEDOUT', 'the host did not answer', 'firewall'],
		['EHOSTUNREACH', 'the host did not answer', 'firewall'],
		['ENETUNREACH', 'the host did not answer', 'firewall'],
		['UND_ERR_CONNECT_TIMEOUT', 'the host did not answer', 'firewall'],
		['ECONNRESET', 'it broke off (ECONNRESET)', 'the network between'],
		['ERR_SSL_WRONG_VERSION_NUMBER', 'it broke off (ERR_SSL_WRONG_VERSION_NUMBER)', 'the network between'],
		['X_CERT_HAS_EXPIRED', 'it broke off (X_CERT_HAS_EXPIRED)', 'the network between'],
		['UNABLE_TO_DECRYPT', 'it broke off (UNABLE_TO_DECRYPT)', 'the network between'],
	])('because of %s says what to look at, and that nothing was sent', (code, reason, advice) => {
		const error = failed(code);
		expect(error.message).toBe(`No connection to ${host}: ${reason}`);
		expect(error.description).toMatch(/^Nothing was sent\. Check the region or the custom address/);
		expect(error.description).toContain(advice);
		expect(error.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	});

	it.each([undefined, ''])(
		'because of an error without a code (%p) broke off, and no more is said',
		(code) => {
			expect(failed(code).message).toBe(`No connection to ${host}: it broke off`);
		},
	);

	it.each<[string, string, string]>([
		['CERT_HAS_EXPIRED', 'its certificate has expired', 'renew the certificate'],
		['CERT_NOT_YET_VALID', 'its certificate is not valid yet', 'Check the clock'],
		[
			'ERR_TLS_CERT_ALTNAME_INVALID',
			'its certificate is for another host',
			'the name that the certificate is for',
		],
		...[
			'CERT_REVOKED',
			'CERT_SIGNATURE_FAILURE',
			'ERR_TLS_CERT_ALTNAME_FORMAT',
			'DEPTH_ZERO_SELF_SIGNED_CERT',
			'SELF_SIGNED_CERT_IN_CHAIN',
			'UNABLE_TO_GET_ISSUER_CERT',
			'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		].map((code): [string, string, string] => [
			code,
			'its certificate is not trusted',
			'NODE_EXTRA_CA_CERTS',
		]),
	])('because of %s says how to trust the certificate', (code, reason, advice) => {
		const error = failed(code);
		expect(error.message).toBe(`No connection to ${host}: ${reason} (${code})`);
		expect(error.description).toMatch(/^Nothing was sent\. /);
		expect(error.description).toContain(advice);
		expect(error.description).toContain('Ignore SSL Issues (Insecure)');
		expect(error.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	});

	it('because a proxy refused names the proxy and what it answered', () => {
		const target = { proxyHost: 'proxy.example.com:3128' };
		const cause = new ProxyRefusal('HTTP status 407', false);
		const error = errorFor({ cause }, undefined, { target });
		expect(error.message).toBe(
			`No connection to ${host} through the proxy proxy.example.com:3128: the proxy refused it with HTTP status 407`,
		);
		expect(error.description).toMatch(/^Nothing was sent\. Check HTTPS_PROXY .* ask whoever runs the proxy/);
		expect(error.details).toEqual({ code: 'CONNECTION_FAILED', outcomeUnknown: false });
	});

	it('because a proxy could not reach the service says what it answered', () => {
		const error = errorFor({ cause: new ProxyRefusal('HTTP status 502', true) });
		expect(error.message).toBe(
			`No connection to ${host}: the proxy could not reach the service and answered with HTTP status 502`,
		);
		expect(error.description).toContain('whether the proxy can reach the service');
	});

	it('because the egress policy forbids the host says whom to ask', () => {
		const error = errorFor({ cause: causeOf('EGRESS_BLOCKED') }, { mayHaveActed: false, retry: undefined });
		expect(error.message).toBe(`n8n is not allowed to call ${host}`);
		expect(error.description).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
		expect(error.details).toEqual({ code: 'BLOCKED', outcomeUnknown: false });
		expect(error.retry).toBeUndefined();
	});

	it('says how the request may be sent again, if it may', () => {
		const retry = { throttled: false };
		expect(errorFor({}, { mayHaveActed: false, retry }).retry).toEqual(retry);
		expect(errorFor({}).retry).toBeUndefined();
	});
});

it('a connection that was lost names the host, and cannot tell what became of the request', () => {
	const error = errorFor({ cause: causeOf('ECONNRESET'), sent: true }, { mayHaveActed: true });
	expect(error.message).toBe(`The connection to ${host} was lost before the whole response had come`);
	expect(error.description).toBe(`Check the network between n8n and Huawei Cloud. ${DOUBT}`);
	expect(error.details).toEqual({ code: 'CONNECTION_LOST', outcomeUnknown: true });
	expect(error.retry).toBeUndefined();
});

it('a request that was sent is not called blocked or unconnected, whatever the error is', () => {
	for (const code of ['EGRESS_BLOCKED', 'ECONNREFUSED', 'PROXY_REFUSED']) {
		const error = errorFor({ cause: causeOf(code), sent: true }, { mayHaveActed: true });
		expect(error.details.code).toBe('CONNECTION_LOST');
	}
});

describe('a request that was ended from this side', () => {
	it.each([
		[
			'timeout',
			undefined,
			'TIMEOUT',
			'The service did not answer in time',
			'Check the network between n8n and Huawei Cloud, then try again',
		],
		[
			'tooLarge',
			1024 * 1024,
			'ANSWER_TOO_LARGE',
			'The response was cut off at 1 MiB',
			'Check that the custom address in the credential is that of the service',
		],
		[
			'tooLarge',
			1024 * 1024 - 1024,
			'ANSWER_TOO_LARGE',
			'The response was cut off at 1023 KiB',
			'Check that the custom address in the credential is that of the service',
		],
		[
			'tooLarge',
			undefined,
			'ANSWER_TOO_LARGE',
			'The response was cut off',
			'Check that the custom address in the credential is that of the service',
		],
		[
			'headersTooLarge',
			128 * 1024,
			'ANSWER_TOO_LARGE',
			'The headers of the response were cut off at 128 KiB',
			'Check that the custom address in the credential is that of the service',
		],
		[
			'cancelled',
			undefined,
			'CANCELLED',
			'The execution was canceled while the request was in flight',
			'Start the workflow again when you want to go on',
		],
	] as const)('for %s with the limit %p has the code %s: %s', (stopped, limit, code, message, advice) => {
		const error = errorFor({ stopped, limit, sent: true }, { mayHaveActed: true });
		expect(error.message).toBe(message);
		expect(error.description).toBe(`${advice}. ${DOUBT}`);
		expect(error.details).toEqual({ code, outcomeUnknown: true });
		expect(error.retry).toBeUndefined();
	});

	it('has the advice of the caller on a timeout, and on nothing else', () => {
		const advice = { timeout: 'Own timeout', invalid: 'Own invalid' };
		const adviceOf = (stopped: 'timeout' | 'tooLarge' | 'cancelled') =>
			errorFor({ stopped, sent: true }, { mayHaveActed: true }, { advice }).advice;
		expect(adviceOf('timeout')).toBe('Own timeout');
		expect(adviceOf('tooLarge')).not.toContain('Own');
		expect(adviceOf('cancelled')).not.toContain('Own');
	});

	it('before it was sent leaves nothing open', () => {
		const error = errorFor({ stopped: 'cancelled' });
		expect(error.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		expect(error.description).toBe('Start the workflow again when you want to go on');
	});
});

it.each<[string, Partial<Interruption>]>([
	['is lost', { cause: causeOf('ECONNRESET'), sent: true }],
	['is too slow', { stopped: 'timeout', sent: true }],
	['is cut off', { stopped: 'tooLarge', sent: true }],
	['is cancelled', { stopped: 'cancelled', sent: true }],
])('a request that creates nothing and %s never says that something may exist', (_how, interruption) => {
	const error = errorFor(interruption, { mayHaveActed: true }, { doubt: '' });
	expect(error.details.outcomeUnknown).toBe(false);
	expect(error.description).toBe(error.advice);
});

describe('a request that is not sent', () => {
	it('since the execution was stopped is known to have done nothing', () => {
		const error = cancelled();
		expect(error).toBeInstanceOf(RequestError);
		expect(error.message).toContain('was canceled');
		expect(error.description).toBe('Start the workflow again when you want to go on');
		expect(error.details).toEqual({ code: 'CANCELLED', outcomeUnknown: false });
		expect(error.retry).toBeUndefined();
	});

	it('since the service takes none has the code and status of the last refusal, and leaves nothing open', () => {
		const last = new RequestError(
			'Broken',
			'Wait',
			{ code: 'A.1', httpStatus: 500, requestId: 'ab12', outcomeUnknown: true },
			{ retry: { throttled: true }, notes: [DOUBT], attempts: 3 },
		);
		const error = notSent(last, 'the service takes none');
		expect(error.message).toBe('Not sent: the service takes none');
		expect(error.description).toBe('Wait');
		expect(error.details).toStrictEqual({ code: 'A.1', httpStatus: 500, outcomeUnknown: false });
		expect(error.retry).toBeUndefined();
	});
});

it.each([
	['notAnAddress', "The proxy in n8n's environment is not a web address"],
	['unknownKind', "The proxy in n8n's environment is of a kind that cannot be used"],
	['loginNotEncoded', "The login of the proxy in n8n's environment is not percent-encoded"],
] as const)('a proxy that cannot be used (%s) says where to correct it', (problem, message) => {
	const error = unusableProxy(problem);
	expect(error).toBeInstanceOf(InputError);
	expect(error.message).toBe(message);
	expect(error.description).toBe('Correct HTTPS_PROXY or ALL_PROXY in the environment of n8n');
});
