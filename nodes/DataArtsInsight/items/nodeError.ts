import type { INode } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { InputError, RequestError } from '../transport/errors/errors';

/**
 * The error as n8n shows it: with its words, the item it belongs to and what a workflow can act on.
 *
 * @param error whatever was thrown; one of n8n's own, such as that of an expression, stays what it is
 * @param itemIndex the item, counted from 0; a trigger has none
 * @param progress how far the run came, as a sentence without its full stop
 */
export function toNodeError(node: INode, error: unknown, itemIndex?: number, progress?: string): Error {
	if (error instanceof InputError || error instanceof RequestError) {
		const { message } = error;
		const description = progress ? `${error.description}. ${progress}` : error.description;
		if (error instanceof InputError) {
			return new NodeOperationError(node, message, { description, itemIndex });
		}
		const { details } = error;
		const nodeError = new NodeApiError(
			node,
			{ message, ...details },
			{ message, description, itemIndex, httpCode: details.httpStatus?.toString() },
		);
		// n8n puts a text of its own in place of a message that happens to contain a name like EACCES.
		nodeError.message = message;
		return nodeError;
	}
	return error instanceof Error ? error : new NodeOperationError(node, String(error), { itemIndex });
}
