import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { resources } from '../nodes/DataArtsInsight/resources';

const page = readFileSync(join(resolve(__dirname, '..'), 'docs/operations.md'), 'utf8');

/** The rows of the tables below a heading, cell by cell. */
function rowsBelow(heading: string): string[][] {
	const begin = page.indexOf(`## ${heading}\n`);
	const section = page.slice(begin, page.indexOf('\n## ', begin + 1));
	return section
		.split('\n')
		.filter((line) => line.startsWith('| '))
		.map((line) => line.split('|').map((cell) => cell.trim()));
}

describe('docs/operations.md', () => {
	it('has a row for each operation of the node, in the order of the form', () => {
		const rows = rowsBelow('Of the node').map(([, resource, operation]) => [resource, operation]);
		const operations = resources.flatMap(({ name, operations: all }) => all.map((one) => [name, one.name]));
		expect(rows.filter(([resource]) => resources.some(({ name }) => name === resource))).toEqual(operations);
	});

	it('gives each of them an API and a permission', () => {
		const rows = rowsBelow('Of the node').filter(([, , , api = '']) => /^`(GET|POST) \//.test(api));
		expect(rows.length).toBeGreaterThanOrEqual(resources.flatMap(({ operations }) => operations).length);
		for (const [, , , , permission] of rows) expect(permission).toMatch(/vpcep:\w+:\w+|DataArtsInsight/);
	});
});
