import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import { isFinal } from '../../../../../nodes/DataArtsInsight/transport/identity/tokenSource';

it.each<[string, number | undefined, boolean]>([
	['BLOCKED', undefined, true],
	['A', undefined, false],
	...[400, 402, 404, 499].map((status): [string, number, boolean] => ['A', status, true]),
	...[200, 302, 399, 401, 403, 408, 429, 500, 503].map((status): [string, number, boolean] => [
		'A',
		status,
		false,
	]),
])(
	'whether the same login would end like this once more: %s, HTTP status %s: %s',
	(code, httpStatus, final) => {
		expect(isFinal(new RequestError('no', 'Do', { code, httpStatus, outcomeUnknown: false }))).toBe(final);
	},
);
