import type { INodeProperties } from 'n8n-workflow';

import { built } from './support/engine/built';

/** What a saved workflow or credential depends on: names, values, defaults, and when they are shown; no words. */
function contract(properties: INodeProperties[]): object[] {
	return properties.map(
		({ name, type, default: preset, displayOptions, required, typeOptions, options }) => ({
			name,
			type,
			default: preset,
			displayOptions,
			required,
			typeOptions,
			options: options?.map((option) =>
				'value' in option ? option.value : 'values' in option ? option.name : contract([option])[0],
			),
		}),
	);
}

it('what saved workflows and credentials depend on changes only on purpose', async () => {
	const { nodes, credentials } = await built;
	for (const [type, node] of Object.entries(nodes)) {
		const { properties, version, defaultVersion, inputs, outputs, credentials, usableAsTool } =
			'description' in node ? node.description : { properties: [], version: 1 };
		expect({
			version,
			defaultVersion,
			inputs,
			outputs,
			credentials,
			usableAsTool,
			properties: contract(properties),
		}).toMatchSnapshot(type);
	}
	for (const [name, { properties, authenticate, preAuthentication, genericAuth }] of Object.entries(
		credentials,
	)) {
		expect({
			authenticate: typeof authenticate,
			preAuthentication: typeof preAuthentication,
			genericAuth,
			properties: contract(properties),
		}).toMatchSnapshot(name);
	}
});
