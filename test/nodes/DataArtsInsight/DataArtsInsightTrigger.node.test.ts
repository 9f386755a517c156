import { DataArtsInsight } from '../../../nodes/DataArtsInsight/DataArtsInsight.node';
import { DataArtsInsightTrigger } from '../../../nodes/DataArtsInsight/DataArtsInsightTrigger.node';

const { description, methods } = new DataArtsInsightTrigger();
const node = new DataArtsInsight();

it('polls, and has no input', () => {
	expect(description).toMatchObject({ polling: true, group: ['trigger'], inputs: [], outputs: ['main'] });
});

it('has the credential of the node, with its test and its lists', () => {
	expect(description.credentials).toEqual(node.description.credentials);
	expect(methods).toBe(node.methods);
	const searched = description.properties
		.flatMap(({ modes = [] }) => modes)
		.flatMap(({ typeOptions }) => typeOptions?.searchListMethod ?? []);
	expect(searched).toEqual(['searchEndpointServices']);
	expect(Object.keys(methods.listSearch)).toEqual(expect.arrayContaining(searched));
});
