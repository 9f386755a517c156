import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

/** The same call in the way that most nodes are written: n8n's request helper, item by item. */
export class HelperNode implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Helper Node',
		name: 'helperNode',
		group: ['transform'],
		version: 1,
		description: 'Verifies a VPC endpoint service through the request helper of n8n',
		defaults: { name: 'Helper Node' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'dataArtsInsightApi', required: true }],
		properties: [
			{ displayName: 'Data Source Type', name: 'dsType', type: 'string', default: 'DWS' },
			{ displayName: 'Endpoint Service Name', name: 'vpcEpServerName', type: 'string', default: '' },
			{ displayName: 'Max Concurrency', name: 'maxConcurrency', type: 'number', default: 1 },
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const { length } = this.getInputData();
		const { baseUrl, projectId } = await this.getCredentials<{ baseUrl: string; projectId: string }>(
			'dataArtsInsightApi',
		);
		const maxConcurrency = this.getNodeParameter('maxConcurrency', 0) as number;
		const output = new Array<INodeExecutionData>(length);
		let next = 0;

		const worker = async () => {
			for (let index = next++; index < length; index = next++) {
				const answer: unknown = await this.helpers.httpRequestWithAuthentication.call(
					this,
					'dataArtsInsightApi',
					{
						method: 'POST',
						url: `${baseUrl}/v1/${projectId}/connections/vpc-endpoint`,
						body: {
							ds_type: this.getNodeParameter('dsType', index),
							vpc_ep_server_name: this.getNodeParameter('vpcEpServerName', index),
						},
						json: true,
					},
				);
				output[index] = { json: answer as INodeExecutionData['json'], pairedItem: { item: index } };
			}
		};
		await Promise.all(Array.from({ length: maxConcurrency }, worker));
		return [output];
	}
}
