import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { releaseNotes, unreleasedNotes } from './changelog';
import { changelog, folder, manifest, obstacles, project } from './project';

/*
 * npm run release:dry-run
 *
 * All that a release does but the upload. What the owner has to do first is shown and fails nothing: see release:check.
 */

function main() {
	run('npm', 'run', '--silent', 'release:pack');
	if (manifest.scripts?.scan) run('npm', 'run', '--silent', 'scan');

	const notes = releaseNotes(changelog, manifest.version) ?? unreleasedNotes(changelog);
	if (!notes) throw new Error(`CHANGELOG.md says nothing of ${manifest.version}, and nothing is unreleased`);
	writeFileSync(join(folder, 'notes.md'), `${notes}\n`);
	console.log(`\nThe text of the release:\n\n${notes}\n`);

	run('bash', 'publishing/publish.sh', '--dry-run');

	const list = obstacles();
	console.log(`\nTo do before publishing: ${list.length}`);
	for (const line of list) console.log(`  ${line}`);
}

function run(program: string, ...words: string[]) {
	execFileSync(program, words, { cwd: project, stdio: 'inherit' });
}

main();
