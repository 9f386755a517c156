import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { toNodeError } from '../../../../nodes/DataArtsInsight/items/nodeError';
import { InputError, RequestError } from '../../../../nodes/DataArtsInsight/transport/errors/errors';

const node = {
	id: '1',
	name: 'DataArts Insight',
	type: 'n8n-nodes-dataarts-insight.dataArtsInsight',
	typeVersion: 1,
	position: [0, 0] as [number, number],
	parameters: {},
};

describe('toNodeError', () => {
	it('makes bad input a NodeOperationError of its item', () => {
		const error = toNodeError(node, new InputError("'A' is blank", 'Fill in it'), 3, 'Of 9, 3');
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error).toMatchObject({
			message: "'A' is blank",
			description: 'Fill in it. Of 9, 3',
			context: { itemIndex: 3 },
		});
	});

	it('keeps the words of a refusal, even those that n8n would replace', () => {
		const details = { code: 'A.1', httpStatus: 403, outcomeUnknown: false };
		const error = toNodeError(node, new RequestError('EACCES in the ENOENT', 'Ask', details), 2);
		expect(error).toBeInstanceOf(NodeApiError);
		expect(error).toMatchObject({
			message: 'EACCES in the ENOENT',
			description: 'Ask',
			httpCode: '403',
			context: { itemIndex: 2 },
			errorResponse: { message: 'EACCES in the ENOENT', ...details },
		});
	});

	it('leaves it to n8n what to show for a status where a call brought no answer: its code', () => {
		const details = { code: 'CONNECTION_LOST', outcomeUnknown: true };
		const error = toNodeError(node, new RequestError('Lost', 'Check', details), 0);
		expect(error).toMatchObject({ message: 'Lost', httpCode: 'CONNECTION_LOST', errorResponse: details });
	});

	it('leaves the errors of n8n as they are and wraps what is no error', () => {
		const error = new TypeError('x');
		expect(toNodeError(node, error, 0)).toBe(error);
		expect(toNodeError(node, 'text', 0)).toMatchObject({ message: 'text', context: { itemIndex: 0 } });
	});
});
