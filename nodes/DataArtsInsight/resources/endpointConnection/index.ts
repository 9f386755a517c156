import type { Resource } from '../resource';
import { accept } from './accept';
import { getAll } from './getAll';
import { reject } from './reject';

export const endpointConnection: Resource = {
	value: 'endpointConnection',
	name: 'Endpoint Connection',
	operations: [getAll, accept, reject],
};
