import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import type * as Transport from '../../../nodes/DataArtsInsight/transport';
import { type EngineTypes, loadPackage } from '.';

export { OUR_NODE } from './workflow';

const project = resolve(__dirname, '../../..');

/** Node and credential of the built package, loaded as n8n loads them. */
export const built: Promise<EngineTypes> = loadPackage(project);

/** What node and credential share, from the built package. */
export const transport = createRequire(__filename)(
	resolve(project, 'dist/nodes/DataArtsInsight/transport'),
) as typeof Transport;
