import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import { OutboundHttp } from '@n8n/backend-network';
import { Container } from '@n8n/di';
import { CredentialTestContext } from 'n8n-core';
import type { IWorkflowExecuteAdditionalData } from 'n8n-workflow';

import type * as Transport from '../../../nodes/DataArtsInsight/transport';
import type { NetworkHelpers } from '../../../nodes/DataArtsInsight/transport/network/network';
import { type EngineTypes, loadPackage } from '.';

export { OUR_NODE } from './workflow';

const project = resolve(__dirname, '../../..');

/** Node and credential of the built package, loaded as n8n loads them. */
export const built: Promise<EngineTypes> = loadPackage(project);

/** What node and credential share, from the built package. */
export const transport = createRequire(__filename)(
	resolve(project, 'dist/nodes/DataArtsInsight/transport'),
) as typeof Transport;

declare const TRANSPORT: 'undici' | 'n8n';

/** Whether the build keeps its connections. If not, its requests go through n8n's request helper. */
export const pooled = TRANSPORT === 'undici';

/** What n8n's engine offers to nodes for requests, for clients that no node has made. */
export const helpers: NetworkHelpers = {
	httpRequest: async (options) => await Container.get(OutboundHttp).requests().request(options),
};

/** What n8n's engine offers to the test of a credential. */
export const testHelpers = new CredentialTestContext({} as IWorkflowExecuteAdditionalData);
