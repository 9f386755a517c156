/** Why something was ended from this side. */
export type StopReason = 'timeout' | 'tooLarge' | 'headersTooLarge' | 'cancelled';

/** How a request ended without a whole response. */
export interface Interruption {
	/** The network's own error. Of a proxy that refused to connect, with what it answered and whether it tried. */
	cause: Error & { code?: string; answer?: string; reached?: boolean };
	/** Whether the request may have reached the service: false only if not a byte of it was written. */
	sent: boolean;
	/** Why it was ended from this side, if it was. */
	stopped?: StopReason;
	/** The size that was passed, in bytes, where that is the reason and it is known. */
	limit?: number;
	/** Whether the server's certificate is not trusted. */
	untrusted?: boolean;
}

/** One request that brought no whole response. */
export class ExchangeError extends Error implements Interruption {
	readonly untrusted: boolean;

	constructor(
		override readonly cause: Interruption['cause'],
		readonly sent: boolean,
		readonly stopped?: StopReason,
		readonly limit?: number,
	) {
		super(cause.message);
		this.untrusted = isCertificateError(cause.code);
	}
}

/** @param code of an error of Node.js, or of OpenSSL by way of Node.js */
export function isCertificateError(code = ''): boolean {
	return /^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/.test(code);
}

/** What is wrong with the proxy that the environment names. */
export type ProxyProblem = 'notAnAddress' | 'unknownKind' | 'loginNotEncoded';

/** A proxy in the environment that cannot be used. The message holds nothing of its address, which may hold a login. */
export class UnusableProxy extends Error {
	constructor(readonly problem: ProxyProblem) {
		super(problem);
	}
}
