import { execFileSync } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	realpathSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What is needed of a node of the syntax tree. */
interface Typed {
	typeAnnotation?: object;
}

/** One change of one place in the sources. */
export interface Mutant {
	id: string;
	file: string;
	/** Counted from 1. */
	line: number;
	/** The whole line that the change begins on, without its indentation. */
	sourceLine: string;
	original: string;
	replacement: string;
	mutator: string;
}

const project = join(__dirname, '..');

const list = (...args: string[]) =>
	execFileSync('git', args, { cwd: project, encoding: 'utf8' }).split('\n').filter(Boolean);

/** What is in a folder of the project, with what is new and not yet committed. */
const filesOf = (folder: string) =>
	list('ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', folder).filter((file) =>
		existsSync(join(project, file)),
	);

const isSource = (file: string) => /^(nodes|credentials)\/.*\.ts$/.test(file) && !file.endsWith('.d.ts');

/** The product's sources that changed since a commit. */
export const changedSince = (commit: string) => list('diff', '--name-only', commit).filter(isSource);

/** Descriptions of parameters are labels and conditions of the editor's form; no run depends on most of them. */
const descriptions = {
	shouldIgnore({ node }: { node: Typed & { id?: Typed | null } }) {
		const type = node.typeAnnotation ?? node.id?.typeAnnotation ?? null;
		const names = JSON.stringify(type, ['typeAnnotation', 'elementType', 'typeName', 'name']);
		return /"INode(Properties|TypeDescription)/.test(names) ? 'description' : undefined;
	},
};

const silent = () => undefined;
const off = () => false;
const logger = {
	...{ isTraceEnabled: off, isDebugEnabled: off, isInfoEnabled: off },
	...{ isWarnEnabled: off, isErrorEnabled: off, isFatalEnabled: off },
	...{
		trace: silent,
		debug: silent,
		info: silent,
		warn: console.warn,
		error: console.error,
		fatal: console.error,
	},
};

/**
 * Copies the project into a new folder, with all mutants in its sources, each switched off, and builds it there.
 * Without a wanted file nothing is mutated, so that the rest of a build stays as it is.
 */
export async function instrumentProject(isWanted: (file: string) => boolean) {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mutation-')));
	for (const file of filesOf('.')) if (!/^(e2e|mutation|bench)\//.test(file)) copy(file, folder);
	symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));

	const sources = filesOf('.').filter(isSource).filter(isWanted);
	const mutants = await instrument(sources, folder);
	writeFileSync(join(folder, 'mutation.config.js'), jestConfig);
	execFileSync('npx', ['gulp', '--silent'], { cwd: folder, stdio: 'inherit' });
	return { folder, mutants, testFiles: filesOf('test').filter((file) => file.endsWith('.test.ts')) };
}

function copy(file: string, folder: string) {
	mkdirSync(dirname(join(folder, file)), { recursive: true });
	cpSync(join(project, file), join(folder, file));
}

/** What a test reaches is asked without a mutant only: counting makes loops over long texts slow. */
const countCleanRunsOnly = [
	'stryCov_9fa48 = cover;',
	'stryCov_9fa48 = ns.activeMutant === undefined ? cover : function () {};',
] as const;

async function instrument(sources: string[], folder: string) {
	const { Instrumenter } = await import('@stryker-mutator/instrumenter');
	const contents = new Map(sources.map((name) => [name, readFileSync(join(project, name), 'utf8')]));
	const { files, mutants } = await new Instrumenter(logger).instrument(
		[...contents].map(([name, content]) => ({ name, content, mutate: true })),
		// Words are for people; the tests look for the parts of them that matter.
		{ plugins: null, excludedMutations: ['StringLiteral'], ignorers: [descriptions] },
	);
	for (const { name, content } of files)
		writeFileSync(join(folder, name), content.replace(...countCleanRunsOnly));
	return mutants
		.filter(({ status }) => status !== 'Ignored')
		.map(({ id, fileName: file, location: { start, end }, replacement, mutatorName: mutator }): Mutant => {
			const lines = (contents.get(file) ?? '').split('\n').slice(start.line, end.line + 1);
			const sourceLine = (lines[0] ?? '').trim();
			lines.push((lines.pop() ?? '').slice(0, end.column));
			lines.unshift((lines.shift() ?? '').slice(start.column));
			const original = lines.join('\n');
			return {
				id,
				file,
				line: start.line + 1,
				sourceLine,
				original,
				replacement: replacement ?? '',
				mutator,
			};
		});
}

const jestConfig = `
const config = require('./jest.config.js');
delete config.globalSetup; // builds; this folder is built already
delete config.coverageThreshold;
module.exports = {
	...config,
	testEnvironment: ${JSON.stringify(join(__dirname, 'environment.js'))},
	reporters: [],
	watchman: false,
};
`;
