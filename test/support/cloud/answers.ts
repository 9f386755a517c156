import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hexId } from './cloud';
import { documentedFaults, faults, Refusal } from './faults';
import type { Answer, FaultName, GoodAnswer } from './faults';

/** Answers with a fault; some need to know what a healthy service would have said. */
export function fail(name: FaultName, good: GoodAnswer, reply: FastifyReply): FastifyReply {
	const { socket, protocol } = reply.request;
	const fault = faults[name];
	const answer =
		typeof fault === 'object'
			? fault
			: fault({
					good,
					secret: secretOf(reply.request),
					origin: `${protocol}://localhost:${socket.localPort}`,
					response: reply.raw,
				});
	return answer ? send(reply, answer) : reply.hijack();
}

/** What the caller proved its identity with: a token, a signature, or a login's password in the body. */
function secretOf({ headers: { 'x-auth-token': token, authorization }, body }: FastifyRequest): string {
	if (token !== undefined) return `header X-Auth-Token: ${String(token)}`;
	if (authorization !== undefined) return `header Authorization: ${authorization}`;
	return `body: ${JSON.stringify(body)}`;
}

/** Turns whatever was thrown into an error of the cloud: the API reference, section 2. */
export function refuse(error: FastifyError | Refusal | Error, _: unknown, reply: FastifyReply): FastifyReply {
	if (error instanceof Refusal) return send(reply, error.answer);
	const { statusCode = 500 } = error as FastifyError;
	if (statusCode === 413) return send(reply, documentedFaults['apigw-0201-413']);
	if (statusCode >= 500) return send(reply, new Refusal('apigw-0601', error.message).answer);
	return send(reply, new Refusal('apigw-0201-400', reasonsOf(error)).answer);
}

/** The same for IAM's own calls: the API reference, section 2 (page api-iam/iam_02_0006.html). */
export function refuseAsIam(
	error: FastifyError | Refusal | Error,
	request: unknown,
	reply: FastifyReply,
): FastifyReply {
	if (!('validation' in error)) return refuse(error, request, reply);
	const reasons = reasonsOf(error);
	const { answer } =
		error.validationContext === 'body'
			? new Refusal('iam-0011', `Request body is invalid. ${reasons}`)
			: new Refusal('iam-0007', `Request parameter is invalid. ${reasons}`);
	return send(reply, answer);
}

/** The same for the VPC Endpoint service: the API reference, section 7 (page api-vpcep/ErrorCode.html). */
export function refuseAsVpcEndpoint(
	error: FastifyError | Refusal | Error,
	request: unknown,
	reply: FastifyReply,
): FastifyReply {
	if (!('validation' in error)) return refuse(error, request, reply);
	return send(reply, new Refusal('endpoint-0002', `Parameter error. ${reasonsOf(error)}`).answer);
}

/** Why a request does not fit the schema, or what else the error says. */
function reasonsOf(error: FastifyError | Error): string {
	if (!('validation' in error)) return error.message;
	const { validation = [], validationContext } = error;
	return validation
		.map(
			({ instancePath, message, params }) =>
				`${validationContext}${instancePath} ${message} ${JSON.stringify(params)}`,
		)
		.join('; ');
}

export function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
	const { id } = reply.request;
	return reply
		.code(status)
		.headers({ 'content-type': 'application/json;charset=UTF-8', 'x-request-id': id, ...headers })
		.send(typeof body === 'string' ? body : JSON.stringify(withRequestId(body, id)));
}

/** Only the gateway's own errors carry the request ID in the body: the API reference, section 2. */
function withRequestId(body: unknown, request_id: string): unknown {
	const isObject = typeof body === 'object' && body !== null;
	return isObject && 'error_code' in body && String(body.error_code).startsWith('APIG')
		? { ...body, request_id }
		: body;
}

/** For what is too broken to become a request: Node.js hands over the bare socket then. */
export function rawAnswer(status: 400 | 494, now: number): string {
	const request_id = hexId();
	const body = JSON.stringify(withRequestId(documentedFaults[`apigw-0201-${status}`].body, request_id));
	return [
		`HTTP/1.1 ${status} Bad Request`,
		`Date: ${new Date(now).toUTCString()}`,
		'Content-Type: application/json;charset=UTF-8',
		`Content-Length: ${body.length}`,
		`X-Request-Id: ${request_id}`,
		'Connection: close',
		`\r\n${body}`,
	].join('\r\n');
}
