import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { InputError, RequestError } from '../transport/errors/errors';

/** How long the service may take, in milliseconds: somebody is looking at the list. */
export const TIMEOUT = 15_000;

/** The words of one list, as sentences without their full stops. */
interface ListWords {
	/** That there is no list. */
	message: string;
	/** How to do without the list. */
	otherwise: string;
}

/**
 * What the editor shows in place of a list. It takes dashes out of a message, and so out of the names of hosts: the
 * reason goes into the description.
 *
 * @returns the options of a NodeApiError
 */
export function explain(error: unknown, { message, otherwise }: ListWords) {
	if (!(error instanceof RequestError || error instanceof InputError)) {
		const reason = error instanceof Error ? error.message : String(error);
		return { message, description: `${reason}. ${otherwise}` };
	}
	const httpStatus = error instanceof RequestError ? error.details.httpStatus : undefined;
	return {
		message,
		description: `${error.message}. ${error.description}. ${otherwise}`,
		httpCode: httpStatus?.toString(),
	};
}

/** The project in the options of the form; nothing if there is none yet, or an expression, which has no value there. */
export function projectInForm(context: ILoadOptionsFunctions): string | undefined {
	const projectId: unknown = context.getCurrentNodeParameter('options.projectId');
	if (typeof projectId !== 'string' || projectId.startsWith('=')) return undefined;
	return projectId.trim() || undefined;
}
