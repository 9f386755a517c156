import { ExchangeError, isCertificateError, UnusableProxy } from '../failure';

/** What is read of an error of the helper, and of those that it came from. */
interface HelperError {
	name?: string;
	message?: string;
	code?: string;
	syscall?: string;
	cause?: unknown;
	errors?: HelperError[];
	/** Node.js's request. The helper for the test of a credential does not give it. */
	request?: { socket?: object | null };
}

/**
 * The error for a request that n8n's request helper could not send, or whose response it could not read. The helper's own
 * error holds the request with its token, so only the code goes on.
 *
 * @throws {UnusableProxy} if the helper could not read the environment's proxy; it reads no other address
 */
export function failure(error: unknown): ExchangeError {
	const chain = causesOf(error);
	const code = chain.some(({ name }) => name?.startsWith('SsrfBlocked'))
		? 'EGRESS_BLOCKED'
		: chain.find((one) => one.code !== undefined)?.code;
	if (code === 'ERR_INVALID_URL') throw new UnusableProxy('notAnAddress');
	if (chain.some(({ name }) => name === 'URIError')) throw new UnusableProxy('loginNotEncoded');
	const cause = Object.assign(new Error('No response'), { code });
	const sent = !(code === 'EGRESS_BLOCKED' || isCertificateError(code) || chain.some(neverConnected));
	// Node.js reads no more headers than it is told to at its start, 16 KB by default.
	return new ExchangeError(cause, sent, code === 'HPE_HEADER_OVERFLOW' ? 'headersTooLarge' : undefined);
}

/** An error, and those that it came from. */
function causesOf(error: unknown): HelperError[] {
	const chain: HelperError[] = [];
	for (let one = error as HelperError; isNew(one); one = one.cause as HelperError) chain.push(one);
	return chain;

	function isNew(one: unknown): one is HelperError {
		return typeof one === 'object' && one !== null && !chain.includes(one);
	}
}

/**
 * Whether an error says that no connection was established. A code such as ETIMEDOUT may stand for a connection that was
 * lost later as well: then the name of the system call tells.
 */
function neverConnected({ code = '', syscall, message = '', errors, request }: HelperError): boolean {
	// A proxy that broke off before there was a way to the service.
	if (request?.socket === null) return true;
	if (['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code) || syscall === 'connect') return true;
	// The one sentence of Node.js for a server that closes the connection during the TLS handshake.
	if (code === 'ECONNRESET' && message.includes('before secure TLS connection was established')) return true;
	// Of a name with several addresses, each has its error.
	return errors !== undefined && errors.length > 0 && errors.every((one) => one.syscall === 'connect');
}
