import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { loadOutputSchema } from 'n8n-core';

import { bundledPackages } from '../../../publishing/bundled';
import { pooled, project, type Tarball, unpack, verifiable } from '../../../publishing/project';
import { type EngineTypes, loadPackage } from '.';

/*
 * Unpacks both tarballs of `npm run release:pack` beside the project's own packages, loads them as n8n does, and compares
 * them.
 */

const NODES = {
	'n8n-nodes-dataarts-insight.dataArtsInsight': 'DataArtsInsight',
	'n8n-nodes-dataarts-insight.dataArtsInsightTrigger': 'DataArtsInsightTrigger',
};
const CREDENTIAL = 'dataArtsInsightApi';

/** What node and credential share. undici and all else that a process must have once are in there and nowhere else. */
const SHARED = 'dist/nodes/DataArtsInsight/transport/index';
const LICENCES = `${SHARED}.LICENSES.txt`;

// Below node_modules, so that n8n-workflow is found where n8n would provide it.
const folder = join(project, 'node_modules/.cache/packed');

interface Unpacked {
	folder: string;
	files: string[];
	types: EngineTypes;
}

async function main() {
	rmSync(folder, { recursive: true, force: true });
	const one = await checkTarball(verifiable);
	const other = await checkTarball(pooled);

	assert.deepEqual(filesWithForeignCode(one), []);
	assert.deepEqual(filesWithForeignCode(other), [`${SHARED}.js`]);
	const licences = readFileSync(join(other.folder, LICENCES), 'utf8');
	const bundled = bundledPackages(licences).map(({ name }) => name);
	for (const name of ['undici', 'proxy-from-env', 'socks']) {
		assert.ok(bundled.includes(name), `The licence of ${name} is missing`);
		assert.match(licences, new RegExp(`^${name} \\d+\\.[^]*?Permission is hereby granted`, 'm'));
	}
	// No other difference: a workflow or credential that was made with one of them works with the other.
	assert.deepEqual(
		one.files,
		other.files.filter((file) => file !== LICENCES),
	);
	for (const name of Object.keys(NODES)) {
		assert.deepEqual(descriptionOf(one, name), descriptionOf(other, name));
		assert.deepEqual(methodsOf(one, name), methodsOf(other, name));
	}
	assert.deepEqual(credentialOf(one), credentialOf(other));
	for (const file of one.files.filter((name) => !/\.js$|^package\.json$/.test(name))) {
		assert.deepEqual(readFileSync(join(one.folder, file)), readFileSync(join(other.folder, file)), file);
	}
	rmSync(folder, { recursive: true });
	console.log('Both have the same nodes and the same credential');
}

/** Checks one tarball by itself. */
async function checkTarball({ version, file }: Tarball): Promise<Unpacked> {
	assert.ok(existsSync(file), `${file} is missing: npm run release:pack writes it`);
	const target = join(folder, version);
	mkdirSync(target, { recursive: true });
	const unpacked = unpack(file, target);
	const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' })
		.filter((name) => statSync(join(unpacked, name)).isFile())
		.sort();

	assert.deepEqual(
		files.filter((name) => !name.startsWith('dist/')),
		['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
	);
	assert.deepEqual(
		files.filter((name) => /\.(map|LICENSES\.txt)$/.test(name)),
		version === pooled.version ? [LICENCES] : [],
	);

	const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Record<
		string,
		unknown
	>;
	assert.equal(manifest.version, version);
	assert.equal(manifest.dependencies, undefined);
	assert.deepEqual(manifest.peerDependencies, { 'n8n-workflow': '*' });

	const types = await loadPackage(unpacked);
	const credential = types.credentials[CREDENTIAL];
	assert.deepEqual(
		Object.fromEntries(Object.entries(types.nodes).map(([name, type]) => [name, type.constructor.name])),
		NODES,
	);
	assert.equal(credential?.constructor.name, 'DataArtsInsightApi');
	const descriptions = Object.values(types.nodes).map(({ description }) => description);
	for (const { name: node, codex } of descriptions) {
		assert.ok(codex?.categories?.length, `The codex file of ${node} is missing`);
	}

	const schema = loadOutputSchema({
		nodeDir: join(unpacked, 'dist/nodes/DataArtsInsight'),
		version: 1,
		resource: 'vpcEndpoint',
		operation: 'verifyAndCreate',
	});
	assert.ok(schema?.properties, 'The output schema is missing');

	for (const { iconUrl } of [...descriptions, credential]) {
		assert.ok(iconUrl && typeof iconUrl === 'object', 'An icon is missing');
		for (const url of Object.values(iconUrl)) {
			const icon = url.replace(`icons/${String(manifest.name)}/`, '');
			assert.ok(existsSync(join(unpacked, icon)), `${icon} is missing`);
		}
	}
	const size = Math.round(statSync(file).size / 1024);
	console.log(`${basename(file)}: ${files.length} files, ${size} KiB, loaded as n8n loads it`);
	return { folder: unpacked, files, types };
}

/** The files that hold code of other packages: esbuild writes above each part which file it came from. */
function filesWithForeignCode({ folder: unpacked, files }: Unpacked): string[] {
	return files.filter(
		(file) =>
			file.endsWith('.js') && /^\s*\/\/ node_modules\//m.test(readFileSync(join(unpacked, file), 'utf8')),
	);
}

/** The description of a node, without the version of the package, which n8n adds. */
function descriptionOf({ types }: Unpacked, node: string): object {
	const { communityNodePackageVersion, ...description } = types.nodes[node]?.description ?? {};
	assert.ok(communityNodePackageVersion, 'n8n has added no version');
	return description;
}

/** The names of what n8n's editor can ask a node for. */
function methodsOf({ types }: Unpacked, node: string): string[] {
	const methods = Object.entries(types.nodes[node]?.methods ?? {});
	const names = methods.flatMap(([kind, list]) => Object.keys(list).map((name) => `${kind}.${name}`));
	assert.ok(names.length > 0, `${node} has no methods`);
	return names;
}

/** All fields of the credential. A method has no value to compare, so that it is there is what counts. */
function credentialOf({ types }: Unpacked): Record<string, unknown> {
	const credential = types.credentials[CREDENTIAL] ?? {};
	const names = [
		...Object.keys(credential),
		...Object.getOwnPropertyNames(Object.getPrototypeOf(credential)),
	];
	const fields = names.map((name) => [name, Reflect.get(credential, name) as unknown] as const);
	return Object.fromEntries(
		fields.map(([name, value]) => [name, typeof value === 'function' ? 'a method' : value]),
	);
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
