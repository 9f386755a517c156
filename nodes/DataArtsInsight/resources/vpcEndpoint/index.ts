import type { Resource } from '../resource';
import { verifyAndCreate } from './verifyAndCreate';

export const vpcEndpoint: Resource = {
	value: 'vpcEndpoint',
	name: 'VPC Endpoint',
	operations: [verifyAndCreate],
};
