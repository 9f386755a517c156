import type { FastifyRequest } from 'fastify';
import type { Caller } from './accounts';
import type { TemporaryKeys } from './agency';
import { Refusal } from './faults';
import type { Iam } from './iam';
import type { Projects } from './projects';
import { keyHolders, type SignatureCheck } from './signature';

/** The API gateway that stands before each service: who calls, and in which project. */
export class Gateway {
	private readonly callers = new WeakMap<FastifyRequest, Caller>();

	/** @param bytesOf the body of a request as it came */
	constructor(
		private readonly projects: Projects,
		private readonly iam: Iam,
		private readonly signatures: SignatureCheck,
		private readonly temporaryKeys: TemporaryKeys,
		private readonly bytesOf: (request: FastifyRequest) => Buffer,
	) {}

	/**
	 * Finds out who calls, by token or by signature, but not by both: the API reference, sections 1 and 5. Where the path
	 * names a project, token or signature have to be for that one.
	 */
	check(request: FastifyRequest): Caller {
		const { caller, projectId } = this.identify(request);
		const { project_id: wanted = projectId } = request.params as { project_id?: string };
		const isOwn = this.projects.of(caller.account).some(({ id }) => id === wanted);
		// A token of another project is right in itself, so it is not 0301 [inferred].
		if (wanted !== projectId || !isOwn) throw new Refusal('apigw-0310');
		this.callers.set(request, caller);
		return caller;
	}

	/** Who made a request that `check` let pass. */
	callerOf(request: FastifyRequest): Caller {
		const caller = this.callers.get(request);
		if (!caller) throw new Error('The caller of this request was not checked');
		return caller;
	}

	private identify(request: FastifyRequest): { caller: Caller; projectId: string } {
		const { method, url, headers } = request;
		const token = headers['x-auth-token'];
		if (headers.authorization === undefined) return this.iam.checkToken(token);
		// How the gateway answers then is not documented.
		if (token !== undefined) throw new Refusal('apigw-0305');
		const key = this.signatures.verify({ method, url, headers, body: this.bytesOf(request) });
		const caller = keyHolders.get(key) ?? this.temporaryKeys.callerOf(key);
		if (!caller) throw new Error('Nobody holds this key');
		// Without the header it is the first project of the account [inferred].
		const { 'x-project-id': projectId = this.projects.of(caller.account)[0].id } = headers;
		return { caller, projectId: String(projectId) };
	}
}

/** Whether the body is said to be JSON. */
export function sendsJson({ headers: { 'content-type': type = '' } }: FastifyRequest): boolean {
	return /^application\/json *(;|$)/i.test(type);
}
