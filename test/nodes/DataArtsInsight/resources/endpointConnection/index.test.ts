import { endpointConnection } from '../../../../../nodes/DataArtsInsight/resources/endpointConnection';

it('the operations and their fields are known by names that workflows store', () => {
	const { value, operations } = endpointConnection;
	expect(value).toBe('endpointConnection');
	expect(operations.map(({ value: name, fields }) => [name, ...fields.map((field) => field.name)])).toEqual([
		['getAll', 'endpointService', 'returnAll', 'limit', 'filters', 'options'],
		['accept', 'endpointService', 'endpointId', 'options'],
		['reject', 'rejectNotice', 'endpointService', 'endpointId', 'options'],
	]);
});

it('the options stand in the order of their names', () => {
	for (const { fields } of endpointConnection.operations) {
		const options = fields.find(({ name }) => name === 'options')?.options ?? [];
		const names = options.map((option) => ('displayName' in option ? option.displayName : ''));
		expect(names).toEqual([...names].sort());
		expect(names).toContain('Project ID');
	}
});

it('rejecting says what it does before anybody does it', () => {
	const [notice] = endpointConnection.operations.find(({ value }) => value === 'reject')?.fields ?? [];
	expect(notice).toMatchObject({ type: 'notice' });
	expect(notice?.displayName).toMatch(/does not delete.*charged.*cannot be used/);
});
