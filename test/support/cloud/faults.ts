import type { ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';

/** What goes back to the caller. Anything but a string is sent as JSON. */
export interface Answer {
	status: number;
	headers?: Record<string, string>;
	body: unknown;
}

/** The answer of a healthy service, which some faults only distort. */
export interface GoodAnswer extends Answer {
	body: object;
}

/** Everything a fault may need to know about the call that it meets. */
export interface FaultyCall {
	/** What a healthy service would have answered. */
	good: GoodAnswer;
	/** What the caller proved its identity with, and where it stood. */
	secret: string;
	/** This simulator under another host name. */
	origin: string;
	response: ServerResponse;
}

/** A fault that depends on the call. Without an answer it has taken over the response itself. */
export type FaultHandler = (call: FaultyCall) => Answer | undefined;

const error = (status: number, error_code: string, error_msg: string) => ({
	status,
	body: { error_code, error_msg },
});
const insight = (status: number, code: number, message: string) =>
	error(status, `DataArtsInsight.${code}`, message);
const gateway = (status: number, code: string, message: string) => error(status, `APIGW.${code}`, message);
/** The gateway's words for a token or signature that it does not accept: the API reference, section 2. */
export const badCaller = (reason: string) => `Incorrect IAM authentication information: ${reason}`;
const badLogin = (reason: string) => gateway(401, '0301', badCaller(reason));
const iam = (status: number, code: string, message: string) => error(status, `IAM.${code}`, message);
const iamUnnumbered = (code: number | string, message: string) => ({
	status: 401,
	body: { error: { code, message, title: 'Unauthorized' } },
});
const vpcEndpoint = (code: string, message: string, status = 400) =>
	error(status, `EndPoint.${code}`, message);

/** The answers that public pages document: the API reference, section 2. */
const documented = {
	// The page names no HTTP status for this one; 403 is what other services of the cloud send.
	'insight-20010003': insight(403, 20010003, 'The IAM permissions are insufficient.'),
	'insight-24010003': insight(404, 24010003, 'The resource is not found.'),
	'insight-24010043': insight(400, 24010043, 'No collaborative permission on the resource.'),
	'insight-24150000': insight(400, 24150000, 'The workspace operation failed.'),
	'insight-24150001': insight(400, 24150001, 'The workspace could not be created.'),
	'insight-24150002': insight(400, 24150002, 'The workspace could not be updated.'),
	'insight-24150003': insight(400, 24150003, 'The workspace could not be deleted.'),
	'insight-24150004': insight(400, 24150004, 'The workspace status is abnormal.'),
	'insight-24150005': insight(400, 24150005, 'The workspace does not exist.'),
	'insight-24150010': insight(400, 24150010, 'The workspace name is already in use.'),
	'insight-24150011': insight(400, 24150011, 'The number of workspaces has reached the limit.'),
	'insight-24150012': insight(400, 24150012, 'The workspace is in use.'),
	'insight-24150020': insight(400, 24150020, 'The workspace member does not exist.'),
	'insight-24150021': insight(400, 24150021, 'The workspace member already exists.'),
	'insight-24150022': insight(400, 24150022, 'The workspace role does not exist.'),

	'apigw-0101': gateway(404, '0101', 'The API does not exist or has not been published in the environment.'),
	'apigw-0103': gateway(404, '0103', 'The backend does not exist.'),
	'apigw-0201-400': gateway(400, '0201', 'Bad request.'),
	'apigw-0201-413': gateway(413, '0201', 'Request entity too large.'),
	'apigw-0201-414': gateway(414, '0201', 'Request URI too large.'),
	'apigw-0201-494': gateway(494, '0201', 'Request headers too large.'),
	'apigw-0201-502': gateway(502, '0201', 'Backend unavailable.'),
	'apigw-0201-504': gateway(504, '0201', 'Backend timeout.'),
	'apigw-0301-unknown-token': badLogin('decrypt token fail'),
	'apigw-0301-no-token': badLogin('x-auth-token not found'),
	'apigw-0301-expired': badLogin('token expires, expires_at: 2025-01-31T08:15:42.527363Z'),
	'apigw-0301-bad-signature': badLogin('verify aksk signature fail'),
	'apigw-0301-unknown-key': badLogin('ak 7X2QK0MZ4R1T8B6N3C5V not exist'),
	// Met by users: huaweicloud/huaweicloud-sdk-java-v3, issue 44.
	'apigw-0301-skewed-clock': badLogin(
		'calc aksk signature fail:signature expired, signature time:20250131T080000Z,server time:20250131T081501Z',
	),
	// The page devg-apisign/api-sign-0001.html.
	'apigw-0301-locked-key': badLogin('AK access failed to reach the limit,forbidden.'),
	'apigw-0302': gateway(403, '0302', 'The IAM user is not authorized to access the API.'),
	'apigw-0305': gateway(401, '0305', 'Incorrect authentication information.'),
	'apigw-0307': gateway(401, '0307', 'The token must be updated.'),
	'apigw-0308': gateway(429, '0308', 'The throttling threshold has been reached: policy api over ratelimit.'),
	'apigw-0310': gateway(403, '0310', 'The project is unavailable.'),
	'apigw-0401': gateway(403, '0401', 'Unknown client IP address.'),
	'apigw-0402': gateway(403, '0402', 'The IP address is not authorized to access the API.'),
	'apigw-0501': gateway(405, '0501', 'The app quota has been used up.'),
	'apigw-0502': gateway(405, '0502', 'The app has been frozen.'),
	'apigw-0601': gateway(500, '0601', 'Internal server error.'),
	'apigw-0605': gateway(500, '0605', 'Failed to resolve the domain name.'),
	'apigw-0606': gateway(500, '0606', 'Failed to load the API configurations.'),
	'apigw-0607': gateway(500, '0607', 'The protocol is not supported by the API.'),
	'apigw-0608': gateway(500, '0608', 'Failed to obtain the administrator token.'),
	'apigw-0609': gateway(500, '0609', 'The VPC backend does not exist.'),
	'apigw-0610': gateway(502, '0610', 'No backend available.'),
	'apigw-0611': gateway(500, '0611', 'The backend port is not found.'),
	'apigw-0612': gateway(500, '0612', 'An API cannot call itself.'),
	'apigw-0613': gateway(503, '0613', 'The IAM service is currently unavailable.'),
	'apigw-0801': gateway(403, '0801', 'The service is unavailable in this region.'),
	'apigw-0802': gateway(403, '0802', 'The IAM user is forbidden in this region.'),
	'apig-0308': error(
		429,
		'APIG.0308',
		'The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute',
	),

	'iam-error': iamUnnumbered(401, 'Unauthorized.'),
	'iam-error-code-as-text': iamUnnumbered('401', 'Unauthorized.'),
	'iam-error-wrong-login': iamUnnumbered(401, 'The username or password is wrong.'),
	// The words are those of the page api-iam/iam_02_0006.html.
	'iam-0002': iam(403, '0002', 'You are not authorized to perform the requested action.'),
	'iam-0003': iam(403, '0003', "Policy doesn't allow iam:tokens:create to be performed."),
	'iam-0004': iam(404, '0004', 'Could not find project: 3b8e51d07c2f4a96b1d4e8f0a7c96215.'),
	'iam-0007': iam(400, '0007', 'Request parameter nocatalog is invalid.'),
	'iam-0011': iam(400, '0011', 'Request body is invalid.'),
	'iam-0012': iam(
		429,
		'0012',
		'The throttling threshold has been reached. Threshold: 100 times per 60 seconds',
	),
	'iam-0061': iam(401, '0061', 'Account locked.'),
	'iam-0062': iam(401, '0062', 'Incorrect password.'),
	'iam-0066': iam(401, '0066', 'The token has expired.'),
	'iam-0067': iam(401, '0067', 'Invalid token.'),
	'iam-0081': iam(403, '0081', 'This user only supports console access, not programmatic access.'),
	'iam-0082': iam(403, '0082', 'The user insight-former-operator is disabled.'),

	// The words are those of the page api-vpcep/ErrorCode.html; sections 2 and 7 of the API reference.
	'endpoint-0001': vpcEndpoint('0001', 'System error. Please retry.', 500),
	'endpoint-0002': vpcEndpoint('0002', 'Parameter error.'),
	'endpoint-0003': vpcEndpoint(
		'0003',
		'Authentication failed or authentication information is invalid.',
		401,
	),
	'endpoint-0004': vpcEndpoint(
		'0004',
		'Authentication information is incorrect or you have no permissions.',
		403,
	),
	'endpoint-0005': vpcEndpoint('0005', 'The requested resource does not exist.', 404),
	'endpoint-1018': vpcEndpoint('1018', 'Quota exceeded.'),
	'endpoint-0022': vpcEndpoint('0022', 'Too many requests. Try again later.'),
	'endpoint-2003': vpcEndpoint('2003', 'The VPC endpoint service does not exist.'),
	'endpoint-2004': vpcEndpoint('2004', 'The VPC endpoint service is unavailable.'),
	'endpoint-2012': vpcEndpoint('2012', 'You have no permission to connect to the VPC endpoint service.'),
	'endpoint-2014': vpcEndpoint('2014', 'The VPC endpoint is already connected.'),
	'endpoint-2019': vpcEndpoint('2019', 'The VPC endpoint is being created.'),
	'endpoint-2022': vpcEndpoint('2022', 'The VPC endpoint could not be created.'),
	'endpoint-2045': vpcEndpoint('2045', 'The number of whitelist records exceeds the limit.'),
	'endpoint-2051': vpcEndpoint('2051', 'The VPC endpoint service is being switched. Try again later.'),
	'endpoint-3062': vpcEndpoint('3062', 'Invalid VPC endpoint service ID.'),
	// As a newer specification of the service writes it; the names inside are those of IAM [inferred].
	'endpoint-0005-wrapped': {
		status: 404,
		body: { error: { code: 'EndPoint.0005', message: 'The requested resource does not exist.' } },
	},
} satisfies Record<string, Answer>;

const jsonType = { 'content-type': 'application/json' };
const html = { 'content-type': 'text/html; charset=utf-8' };
const signInPage = '<!DOCTYPE html><title>Sign in</title><form>User name <input> Password <input></form>';
const json = (body: unknown): Answer => ({ status: 200, body });
const withFields = (good: GoodAnswer, more: object): Answer => ({ ...good, body: { ...good.body, ...more } });

/** The answers that no page documents, but proxies, captive portals and broken networks give. */
const undocumented = {
	'sign-in-page': () => ({ status: 200, headers: html, body: signInPage }),
	'html-502': () => ({ status: 502, headers: html, body: '<html><h1>502 Bad Gateway</h1></html>' }),
	'plain-503': () => ({
		status: 503,
		headers: { 'content-type': 'text/plain' },
		body: 'upstream connect error or disconnect/reset before headers',
	}),
	'throttled-retry-after': () => ({ ...documented['apigw-0308'], headers: { 'retry-after': '1' } }),
	'token-echo': ({ secret }) => gateway(400, '0201', `Bad request: invalid ${secret}`),
	'empty-200': () => json(''),
	'not-success': () => json({ status_code: 200, message: 'Verification failed.', is_success: false }),
	'json-array': () => json([]),
	// Of IAM's answer, the header with the token goes.
	'no-id': ({ good: { status, body } }) => ({ status, body: { ...body, id: undefined } }),
	'broken-json': ({ good }) => ({ ...good, body: JSON.stringify(good.body).slice(0, -1) }),
	'extra-fields': ({ good }) => withFields(good, { vpc_ep_client_ip: '192.168.0.12', tags: [{ key: 'a' }] }),
	// The VPC Endpoint service's own statuses, and one that nobody documents.
	'status-failed': ({ good }) => withFields(good, { vpc_ep_client_status: 'failed' }),
	'status-deleting': ({ good }) => withFields(good, { vpc_ep_client_status: 'deleting' }),
	'status-unknown': ({ good }) => withFields(good, { vpc_ep_client_status: 'underReview' }),
	giant: ({ good }) => withFields(good, { padding: 'x'.repeat(2 * 1024 * 1024) }),
	// Another host name, but the same simulator: whoever follows is seen in `requests`.
	redirect: ({ origin }) => ({ status: 302, headers: { location: `${origin}/elsewhere` }, body: '' }),
	'connection-reset': ({ response: { socket } }) => {
		// Node.js can only reset a plain TCP socket; over TLS an abrupt end has to do.
		if (socket instanceof TLSSocket) socket.destroy();
		else socket?.resetAndDestroy();
		return undefined;
	},
	truncated: ({ good, response }) => {
		const body = JSON.stringify(good.body);
		response.writeHead(good.status, { ...good.headers, ...jsonType, 'content-length': body.length });
		response.write(body.slice(0, 100), () => response.socket?.end());
		return undefined;
	},
	'no-answer': () => undefined,
	// Never silent for long, so it defeats a time-out that only watches for silence.
	'slow-drip': ({ good, response }) => {
		response.writeHead(good.status, { ...good.headers, ...jsonType });
		const rest = [...JSON.stringify(good.body)];
		const drip = setInterval(() => {
			const next = rest.shift();
			if (next !== undefined) response.write(next);
			else response.end();
		}, 50);
		response.once('close', () => clearInterval(drip));
		return undefined;
	},
} satisfies Record<string, FaultHandler>;

export type DocumentedFaultName = keyof typeof documented;
export type FaultName = DocumentedFaultName | keyof typeof undocumented;

/** Every way to fail, by name: the error rows of the API reference, section 2, and undocumented ones. */
export const faults: Record<FaultName, Answer | FaultHandler> = { ...documented, ...undocumented };
/** Only those with a row in section 2; each has a fixed answer. */
export const documentedFaults = documented;
export const faultNames = Object.keys(faults).filter(isFaultName);

/** Odd answers that are a success nonetheless. */
export const harmlessFaults: FaultName[] = [
	'extra-fields',
	'status-failed',
	'status-deleting',
	'status-unknown',
];

export function isFaultName(name: string): name is FaultName {
	return Object.hasOwn(faults, name);
}

/** An endpoint service name that makes the simulator fail in the named way. */
export function faultServerName(name: FaultName): string {
	return `cn-north-4.fault-${name}.3c9d1b7e-52f0-4a86-b1e4-90c7d2a6f815`;
}

/** The fault that an endpoint service name holds, if it holds one. */
export function faultIn(serverName = ''): FaultName | undefined {
	const name = /^cn-north-4\.fault-([a-z0-9-]+)(?:\.|$)/.exec(serverName)?.[1];
	return name !== undefined && isFaultName(name) ? name : undefined;
}

/** Thrown wherever a call has to be refused with a documented answer. */
export class Refusal extends Error {
	readonly answer: Answer;

	constructor(name: DocumentedFaultName, detail?: string) {
		const { status, body } = documented[name];
		super(name);
		this.answer = { status, body: detail === undefined ? body : { ...body, error_msg: detail } };
	}
}
