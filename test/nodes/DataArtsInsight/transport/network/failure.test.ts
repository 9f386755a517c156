import {
	ExchangeError,
	isCertificateError,
} from '../../../../../nodes/DataArtsInsight/transport/network/failure';

it.each([
	['CERT_HAS_EXPIRED', true],
	['ERR_TLS_CERT_ALTNAME_INVALID', true],
	['DEPTH_ZERO_SELF_SIGNED_CERT', true],
	['SELF_SIGNED_CERT_IN_CHAIN', true],
	['UNABLE_TO_GET_ISSUER_CERT', true],
	['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
	['UNABLE_TO_DECRYPT', false],
	['X_CERT_HAS_EXPIRED', false],
	['ERR_TLS_HANDSHAKE_TIMEOUT', false],
	['ECONNREFUSED', false],
	['', false],
	[undefined, false],
])('whether %p says that a certificate is not trusted: %j', (code, expected) => {
	expect(isCertificateError(code)).toBe(expected);
	const cause = Object.assign(new Error('x'), { code });
	expect(new ExchangeError(cause, false).untrusted).toBe(expected);
});
