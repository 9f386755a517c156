import { readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';

import type { INode } from 'n8n-workflow';

import { project } from './folders';
import type { ExportedWorkflow } from './n8n';

const folder = join(project, 'examples');

/** The workflows in `examples/`, by the names of their files without `.json`. */
export const exampleNames = readdirSync(folder)
	.filter((file) => file.endsWith('.json'))
	.map((file) => parse(file).name);

export function readExample(name: string): ExportedWorkflow {
	return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as ExportedWorkflow;
}

/** @throws Error if the workflow has no node of this name */
export function findNode({ nodes }: ExportedWorkflow, name: string): INode {
	const node = nodes.find((candidate) => candidate.name === name);
	if (!node) throw new Error(`There is no node '${name}'`);
	return node;
}
