import type { Resource } from '../resource';
import { add } from './add';
import { getAll } from './getAll';

export const whitelist: Resource = {
	value: 'whitelist',
	name: 'Whitelist',
	operations: [getAll, add],
};
