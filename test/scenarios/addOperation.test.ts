import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { type Simulator, startSimulator } from '../support/cloud';
import { loadPackage, runWorkflow } from '../support/engine';
import { pooled } from '../support/engine/built';
import { chain, insight, manualTrigger } from '../support/engine/workflow';

const project = resolve(__dirname, '../..');

/** Copies what the build needs. */
function copyProject(): string {
	const copy = mkdtempSync(join(tmpdir(), 'add-operation-'));
	for (const name of ['credentials', 'nodes', 'gulpfile.js', 'package.json']) {
		cpSync(join(project, name), join(copy, name), { recursive: true });
	}
	const tsconfig = { extends: join(project, 'tsconfig.json'), include: ['credentials', 'nodes'] };
	writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(tsconfig));
	symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
	return copy;
}

/** Writes the files that a section of CONTRIBUTING.md shows, each under the path in the line before it. */
function followGuide(section: string, folder: string): string[] {
	const guide = readFileSync(join(project, 'CONTRIBUTING.md'), 'utf8');
	const begin = guide.indexOf(`## ${section}\n`);
	const end = guide.indexOf('\n## ', begin + 1);
	const files = [...guide.slice(begin, end).matchAll(/^`([^`]+)`\n\n```ts\n(.*?)^```$/gms)];
	for (const [, path = '', text = ''] of files) writeFileSync(join(folder, path), text);
	return files.map(([, path = '']) => path);
}

describe('CONTRIBUTING.md, Add an operation', () => {
	const folder = copyProject();
	let simulator: Simulator;

	beforeAll(async () => {
		simulator = await startSimulator();
	});

	afterAll(async () => {
		await simulator.close();
		rmSync(folder, { recursive: true, force: true });
	});

	it('shows one new file and one line in the resource, which together make an operation that runs', async () => {
		const files = followGuide('Add an operation', folder);
		expect(files.map((file) => file.split('/').pop())).toEqual(['checkAccess.ts', 'index.ts']);

		const options = { cwd: folder, stdio: 'pipe' as const };
		execFileSync('npx', ['tsc', '-p', '.'], options);
		execFileSync('npx', ['gulp', '--silent', '--transport', pooled ? 'undici' : 'n8n'], options);
		const workflow = chain(manualTrigger(), insight({ operation: 'checkAccess' }));
		const { output, run } = await runWorkflow(workflow, {
			types: await loadPackage(folder),
			credentials: { dataArtsInsightApi: simulator.credentials },
		});

		expect(run.status).toBe('success');
		expect(output('DataArts Insight')[0]).toMatchObject([
			{ json: { accepted: true }, pairedItem: { item: 0 } },
		]);
		expect(simulator.requests.map(({ method }) => method)).toEqual(['GET']);
	}, 180_000);
});
