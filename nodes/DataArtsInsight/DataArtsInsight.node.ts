import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';

import * as methods from './methods';
import { resources } from './resources';
import { formOf } from './resources/resource';

/** The node on n8n's canvas. What it can do stands in `resources/`, how it calls the service in `transport/`. */
export class DataArtsInsight implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'DataArts Insight',
		name: 'dataArtsInsight',
		icon: { light: 'file:dataArtsInsight.svg', dark: 'file:dataArtsInsight.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{$parameter["operation"] + ": " + $parameter["resource"]}}',
		description: 'Connect Huawei Cloud DataArts Insight to data sources behind a VPC endpoint service',
		defaults: { name: 'DataArts Insight' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'dataArtsInsightApi', required: true, testedBy: 'dataArtsInsightApiTest' }],
		properties: formOf(resources),
	};

	methods = methods;

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = this.getNodeParameter('resource', 0);
		// Of a resource that is not known, n8n keeps no operation.
		const operation = this.getNodeParameter('operation', 0, '');
		const operations = resources.find(({ value }) => value === resource)?.operations;
		const chosen = operations?.find(({ value }) => value === operation);
		if (!chosen) {
			const missing = operations ? `operation '${operation}' for '${resource}'` : `resource '${resource}'`;
			throw new NodeOperationError(this.getNode(), `This version of the node has no ${missing}`, {
				description:
					"Choose another 'Resource' and 'Operation', or update the package if the workflow was made with a newer version",
			});
		}
		return [await chosen.run(this)];
	}
}
