const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const { dirname, join, relative, sep } = require('node:path');
const { parseArgs } = require('node:util');
const { dest, series, src } = require('gulp');
const esbuild = require('esbuild');

const { n8n } = require('./package.json');

/** What all of n8n's entry points share, and so what the process has only once: connections, tokens, refusals. */
const shared = 'nodes/DataArtsInsight/transport/index.ts';

/** The ways over the wire, by the folder of each in `transport/network`. The first is taken unless another is asked for. */
const transports = ['undici', 'n8n'];

/** What n8n loads, as package.json names it, traced back to its source. */
const entryPoints = [...n8n.nodes, ...n8n.credentials].map((file) =>
	file.replace(/^dist\//, '').replace(/\.js$/, '.ts'),
);

async function clean() {
	rmSync('dist', { recursive: true, force: true });
}

/** One file for each class, and one that they share: n8n installs packages without their dependencies. */
async function bundle(transport) {
	await Promise.all([shared, ...entryPoints].map((entryPoint) => bundleOne(entryPoint, transport)));
}

async function bundleOne(entryPoint, transport) {
	const { metafile } = await esbuild.build({
		entryPoints: [entryPoint],
		outdir: 'dist',
		outbase: '.',
		bundle: true,
		platform: 'node',
		target: 'node20.18',
		format: 'cjs',
		external: ['n8n-workflow'],
		plugins: [leaveOutShared(entryPoint), takeTransport(transport), withoutForeignMaps],
		// For the coverage of the tests; package.json leaves the maps out of the package.
		sourcemap: 'external',
		metafile: true,
	});
	for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
		const packages = new Set(
			Object.keys(inputs).flatMap((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
		);
		if (packages.size)
			writeFileSync(file.replace(/\.js$/, '.LICENSES.txt'), [...packages].map(licence).join('\n'));
	}
}

/** Lets a bundle load the shared file instead of holding a copy of what is in it. */
function leaveOutShared(entryPoint) {
	const folder = join(__dirname, dirname(shared));
	const exported = readFileSync(shared, 'utf8');
	const target = relative(dirname(entryPoint), dirname(shared)).split(sep).join('/');
	const path = `${target.startsWith('.') ? '' : './'}${target}/index.js`;
	return {
		name: 'leave-out-shared',
		setup(build) {
			if (entryPoint === shared) return;
			build.onResolve({ filter: /^\.{1,2}\// }, ({ resolveDir, path: imported }) => {
				const file = join(resolveDir, imported);
				if (!file.startsWith(folder)) return undefined;
				const name = `./${relative(folder, file).split(sep).join('/')}`;
				if (exported.includes(`'${name}'`)) return { path, external: true };
				return { errors: [{ text: `${shared} does not export what is in ${name}` }] };
			});
		},
	};
}

/** Puts one way over the wire into the place of the one that the source names. */
function takeTransport(transport) {
	return {
		name: 'take-transport',
		setup(build) {
			build.onResolve({ filter: /^\.\/undici$/ }, ({ resolveDir }) => ({
				path: join(resolveDir, transport, 'index.ts'),
			}));
		},
	};
}

/** Bundled packages count in no coverage, so they get a map that maps nothing. */
const withoutForeignMaps = {
	name: 'without-foreign-maps',
	setup(build) {
		const map = Buffer.from('{"version":3,"sources":[""],"names":[],"mappings":"AAAA"}').toString('base64');
		build.onLoad({ filter: /node_modules.*\.js$/ }, ({ path }) => ({
			contents: `${readFileSync(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${map}`,
			loader: 'default',
		}));
	},
};

/** The name, version and licence of a bundled package. Its licence asks to be handed on with it. */
function licence(name) {
	const folder = `node_modules/${name}`;
	const { version } = require(`./${folder}/package.json`);
	return `${name} ${version}\n\n${readFileSync(`${folder}/LICENSE`, 'utf8')}`;
}

/** Icons, and the codex file that tells n8n's node panel where to list the node. */
function copyAssets() {
	return src('nodes/**/*.{svg,json}', { base: '.', encoding: false }).pipe(dest('dist'));
}

/** What `--transport` names. */
function chosenTransport() {
	const { values } = parseArgs({ options: { transport: { type: 'string' } }, strict: false });
	const { transport = transports[0] } = values;
	if (!transports.includes(transport)) throw new Error(`--transport is one of: ${transports.join(', ')}`);
	return transport;
}

const buildWith = (transport) => series(clean, async () => await bundle(transport), copyAssets);

/** A task for each way over the wire, for whoever builds from code. */
for (const transport of transports) exports[transport] = buildWith(transport);

exports.default = buildWith(chosenTransport());
