import type { Resource } from './resource';
import { vpcEndpoint } from './vpcEndpoint';

/** What the node can do. The first resource is the default. */
export const resources: Resource[] = [vpcEndpoint];
