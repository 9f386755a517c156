import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import * as vpcEndpoint from './vpcEndpoint';

/** What the node can do, by the values of 'Resource' and 'Operation' that workflows store. */
export const operations: Record<string, Record<string, Operation | undefined> | undefined> = {
	vpcEndpoint: vpcEndpoint.operations,
};

interface Operation {
	execute: (context: IExecuteFunctions) => Promise<INodeExecutionData[]>;
}

export const description: INodeProperties[] = [
	{
		displayName: 'Resource',
		name: 'resource',
		type: 'options',
		noDataExpression: true,
		default: 'vpcEndpoint',
		options: [{ name: 'VPC Endpoint', value: 'vpcEndpoint' }],
	},
	...vpcEndpoint.description,
];
