import type { INodeProperties } from 'n8n-workflow';

import * as verifyAndCreate from './verifyAndCreate';

/** Each operation by the value that workflows store. */
export const operations = { verifyAndCreate };

export const description: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		default: 'verifyAndCreate',
		displayOptions: { show: { resource: ['vpcEndpoint'] } },
		options: [
			{
				name: 'Verify and Create',
				value: 'verifyAndCreate',
				action: 'Verify a VPC endpoint service and create the endpoint',
				description:
					'Verify a VPC endpoint service, create the VPC endpoint to it, and get its status; do it again to refresh the status',
			},
		],
	},
	...verifyAndCreate.description,
];
