import { delimiter, join, resolve } from 'node:path';

export const project = resolve(__dirname, '..');
export const examples = join(project, 'examples');

/** What a run leaves for the next one, or for who looks into a failure. Not in git. */
export const cache = join(__dirname, '.cache');
export const logs = join(cache, 'logs');

/** The package under test, packed as npm would publish it. */
export const tarball = join(cache, 'package.tgz');

/** The Node.js of its own that n8n runs on. */
export const nodeFolder = join(__dirname, `node_modules/node-linux-${process.arch}`);
/** With that Node.js before any other. */
export const path = [join(nodeFolder, 'bin'), process.env.PATH].join(delimiter);

export const n8nProgram = join(__dirname, 'node_modules/n8n/bin/n8n');
