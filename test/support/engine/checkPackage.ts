import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { loadOutputSchema } from 'n8n-core';

import { loadPackage } from '.';

/*
 * Packs the built package, unpacks it beside the project's own packages, and loads it as n8n does.
 */

const project = resolve(__dirname, '../../..');
// Below node_modules, so that n8n-workflow is found where n8n would provide it.
const folder = join(project, 'node_modules/.cache/packed');

async function main() {
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const [packed] = JSON.parse(
		execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: project, encoding: 'utf8' }),
	) as [{ filename: string; size: number; files: Array<{ path: string }> }];
	execFileSync('tar', ['-xzf', packed.filename], { cwd: folder });

	const files = packed.files.map(({ path }) => path);
	assert.deepEqual(files.filter((file) => !file.startsWith('dist/')).sort(), [
		'CHANGELOG.md',
		'LICENSE',
		'README.md',
		'package.json',
	]);

	// undici and all else that a process must have once are in the one file that node and credential share.
	assert.deepEqual(
		files.filter((file) => file.endsWith('.LICENSES.txt')),
		['dist/nodes/DataArtsInsight/transport/index.LICENSES.txt'],
	);
	assert.deepEqual(
		files.filter((file) => file.endsWith('.map')),
		[],
	);

	const unpacked = join(folder, 'package');
	const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Record<
		string,
		unknown
	>;
	assert.equal(manifest.dependencies, undefined);
	assert.deepEqual(manifest.peerDependencies, { 'n8n-workflow': '*' });

	const { nodes, credentials } = await loadPackage(unpacked);
	const node = nodes['n8n-nodes-dataarts-insight.dataArtsInsight'];
	const credential = credentials.dataArtsInsightApi;
	assert.equal(node?.constructor.name, 'DataArtsInsight');
	assert.equal(credential?.constructor.name, 'DataArtsInsightApi');
	assert.ok(node.description.codex?.categories?.length, 'The codex file is missing');

	const schema = loadOutputSchema({
		nodeDir: join(unpacked, 'dist/nodes/DataArtsInsight'),
		version: 1,
		resource: 'vpcEndpoint',
		operation: 'verifyAndCreate',
	});
	assert.ok(schema?.properties, 'The output schema is missing');

	for (const { iconUrl } of [node.description, credential]) {
		assert.ok(iconUrl && typeof iconUrl === 'object', 'An icon is missing');
		for (const url of Object.values(iconUrl)) {
			const file = url.replace(`icons/${String(manifest.name)}/`, '');
			assert.ok(existsSync(join(unpacked, file)), `${file} is missing`);
		}
	}

	const licences = readFileSync(
		join(unpacked, 'dist/nodes/DataArtsInsight/transport/index.LICENSES.txt'),
		'utf8',
	);
	for (const name of ['undici', 'proxy-from-env']) {
		assert.match(licences, new RegExp(`^${name} \\d+\\.[^]*?MIT License`, 'm'));
	}

	rmSync(folder, { recursive: true });
	console.log(
		`${packed.filename}: ${files.length} files, ${Math.round(packed.size / 1024)} KiB, loaded as n8n loads it`,
	);
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
