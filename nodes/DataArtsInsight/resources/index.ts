import { endpointConnection } from './endpointConnection';
import { endpointService } from './endpointService';
import type { Resource } from './resource';
import { vpcEndpoint } from './vpcEndpoint';
import { whitelist } from './whitelist';

/** What the node can do. The first resource is the default. */
export const resources: Resource[] = [vpcEndpoint, endpointService, endpointConnection, whitelist];
