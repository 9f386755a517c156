import type { Resource } from '../resource';
import { get } from './get';
import { getAll } from './getAll';

export const endpointService: Resource = {
	value: 'endpointService',
	name: 'Endpoint Service',
	operations: [getAll, get],
};
