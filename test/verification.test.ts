import { execFileSync, spawnSync } from 'node:child_process';
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { readFindings } from '../verification/findings';
import { checkOut } from '../verification/folders';

let work: string;

beforeEach(() => {
	work = realpathSync(mkdtempSync(join(tmpdir(), 'verification-test-')));
});

afterEach(() => {
	rmSync(work, { recursive: true });
});

/** The report of ESLint's formatter, in the form that the scan passes on. */
function stylish(folder: string): string {
	const eslint = join(dirname(require.resolve('eslint/package.json')), 'bin/eslint.js');
	const rules = ['no-debugger: error', 'no-restricted-globals: [error, process]', 'no-console: warn'];
	const args = [
		'--no-config-lookup',
		'--format',
		'stylish',
		...rules.flatMap((rule) => ['--rule', rule]),
		'.',
	];
	return spawnSync(process.execPath, [eslint, ...args], { cwd: folder, encoding: 'utf8' }).stdout;
}

describe("the findings of n8n's scan", () => {
	it('are none if the scan passed', () => {
		expect(readFindings({ passed: true }, '/unpacked')).toEqual([]);
	});

	it('say file, line, rule and message', () => {
		mkdirSync(join(work, 'dist'));
		writeFileSync(join(work, 'dist/a.js'), `debugger;\nconsole.log(1);${'\n'.repeat(1000)}process.exit();\n`);
		writeFileSync(join(work, 'dist/b.js'), 'const;\n');
		writeFileSync(join(work, 'dist/c.js'), 'console.log(1);\n');
		expect(readFindings({ passed: false, details: stylish(work) }, work)).toEqual([
			"dist/a.js:1 no-debugger Unexpected 'debugger' statement",
			"dist/a.js:1002 no-restricted-globals Unexpected use of 'process'",
			'dist/b.js:1 Parsing error: Unexpected token ;',
		]);
	});

	it('are read from a coloured report', () => {
		const details =
			'\n\u001b[4m/unpacked/a.js\u001b[24m\n  \u001b[2m1:9\u001b[22m  \u001b[31merror\u001b[39m  No  \u001b[2mrule\u001b[22m\n';
		expect(readFindings({ passed: false, details }, '/unpacked')).toEqual(['a.js:1 rule No']);
	});

	it.each([
		[{ details: 'a report of another kind' }, 'a report of another kind'],
		[{ message: 'Analysis failed: no parser' }, 'Analysis failed: no parser'],
		[{}, 'The scan gave no reason'],
	])('are at least one if the scan did not pass: %j', (result, finding) => {
		expect(readFindings({ passed: false, ...result }, '/unpacked')).toEqual([finding]);
	});
});

describe('the checkout that is scanned', () => {
	const GIT = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
	let project: string;

	beforeEach(() => {
		project = join(work, 'project');
		mkdirSync(join(project, 'nodes'), { recursive: true });
		writeFileSync(join(project, '.gitignore'), 'dist/\n');
		writeFileSync(join(project, 'nodes/a.ts'), 'committed');
		mkdirSync(join(project, 'dist'));
		writeFileSync(join(project, 'dist/a.js'), '');
	});

	const checkedOut = () => {
		const target = join(work, 'checkout');
		checkOut(project, target);
		return readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();
	};

	it('needs no repository, and leaves out what git ignores', () => {
		expect(checkedOut()).toEqual(['.gitignore', 'nodes', 'nodes/a.ts']);
	});

	it('holds files as they are now, and leaves the repository and its index alone', () => {
		const git = (...args: string[]) =>
			execFileSync('git', [...GIT, ...args], { cwd: project, encoding: 'utf8' });
		git('init', '--quiet');
		git('add', '--all');
		git('commit', '--quiet', '--message', 'First');
		writeFileSync(join(project, 'nodes/a.ts'), 'changed');
		writeFileSync(join(project, 'nodes/b.ts'), 'new');
		const before = git('status', '--porcelain');

		expect(checkedOut()).toEqual(['.gitignore', 'nodes', 'nodes/a.ts', 'nodes/b.ts']);
		expect(readFileSync(join(work, 'checkout/nodes/a.ts'), 'utf8')).toBe('changed');
		expect(git('status', '--porcelain')).toBe(before);
	});

	it('is the same inside a git hook, which names the repository and its index', () => {
		execFileSync('git', ['init', '--quiet'], { cwd: project });
		const index = join(project, '.git/index');
		process.env.GIT_INDEX_FILE = index;
		try {
			expect(checkedOut()).toEqual(['.gitignore', 'nodes', 'nodes/a.ts']);
		} finally {
			delete process.env.GIT_INDEX_FILE;
		}
		expect(readdirSync(join(project, '.git'))).not.toContain('index');
	});
});
