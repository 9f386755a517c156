const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const { dest, series, src } = require('gulp');
const esbuild = require('esbuild');

const { n8n } = require('./package.json');

/** What n8n loads, as package.json names it, traced back to its source. */
const entryPoints = [...n8n.nodes, ...n8n.credentials].map((file) =>
	file.replace(/^dist\//, '').replace(/\.js$/, '.ts'),
);

async function clean() {
	rmSync('dist', { recursive: true, force: true });
}

/** One file for each class: n8n installs packages without their dependencies. */
async function bundle() {
	const { metafile } = await esbuild.build({
		entryPoints,
		outdir: 'dist',
		outbase: '.',
		bundle: true,
		platform: 'node',
		target: 'node20.18',
		format: 'cjs',
		external: ['n8n-workflow'],
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

exports.default = series(clean, bundle, copyAssets);
