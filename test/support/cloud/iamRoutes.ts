import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AgencyRequest, TemporaryKeys } from './agency';
import { refuseAsIam, send } from './answers';
import { Refusal } from './faults';
import { sendsJson, type Gateway } from './gateway';
import type { Iam, LoginRequest } from './iam';
import { agencyBody, loginBody, loginQuery, noQuery } from './schemas';

interface Services {
	gateway: Gateway;
	iam: Iam;
	temporaryKeys: TemporaryKeys;
	logins: CallCount;
	agencyCalls: CallCount;
}

/** Calls, however they were answered, and those of them that were answered with a status from 400 to 499. */
export class CallCount {
	all = 0;
	refused = 0;

	reset(): void {
		this.all = 0;
		this.refused = 0;
	}
}

/** IAM: the API reference, section 4 (page api-iam/iam_30_0001.html). */
export const LOGIN = '/v3/auth/tokens';
/** IAM: the API reference, section 10 (page api-iam/iam_04_0101.html). */
export const AGENCY = '/v3.0/OS-CREDENTIAL/securitytokens';

/** IAM: logins and temporary keys. */
export function addIamRoutes(
	app: FastifyInstance,
	{ gateway, iam, temporaryKeys, logins, agencyCalls }: Services,
): void {
	const guard = (count: CallCount, check: (request: FastifyRequest) => unknown = () => undefined) => ({
		onRequest: (_request: unknown, _reply: unknown, done: () => void) => {
			count.all++;
			done();
		},
		preValidation: (request: FastifyRequest, _reply: unknown, done: () => void) => {
			check(request);
			if (!sendsJson(request)) throw new Refusal('iam-0007', 'Request parameter Content-Type is invalid.');
			done();
		},
		onSend: (_request: unknown, { statusCode }: FastifyReply, _payload: unknown, done: () => void) => {
			if (statusCode >= 400 && statusCode < 500) count.refused++;
			done();
		},
		errorHandler: refuseAsIam,
	});

	app.post<{ Body: LoginRequest }>(
		LOGIN,
		{ schema: { body: loginBody, querystring: loginQuery }, ...guard(logins) },
		async ({ body }, reply) => send(reply, iam.login(body)),
	);

	app.post<{ Body: AgencyRequest }>(
		AGENCY,
		{
			schema: { body: agencyBody, querystring: noQuery },
			...guard(agencyCalls, (request) => gateway.check(request)),
		},
		async (request, reply) => send(reply, temporaryKeys.assume(gateway.callerOf(request), request.body)),
	);
}
