import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type AuditReport, type Bundled, bundledPackages, findings, lockFile } from './bundled';
import { pooled, unpack } from './project';

/*
 * npm run audit:bundled
 *
 * Asks the registry what is known against the packages in the pooled tarball of release/. The verifiable build bundles none.
 * Not every registry answers that, so no answer is said and fails nothing.
 */

const LICENCES = 'dist/nodes/DataArtsInsight/transport/index.LICENSES.txt';

function main(temporary: string) {
	const bundled = bundledPackages(readFileSync(join(unpack(pooled.file, temporary), LICENCES), 'utf8'));
	if (bundled.length === 0) throw new Error(`${LICENCES} names no package`);
	console.log(`Bundled: ${bundled.map(({ name, version }) => `${name} ${version}`).join(', ')}`);

	const report = audit(bundled, temporary);
	const found = findings(report);
	if (!found) console.log(`The registry does not answer, so nothing is known of them: ${report.message}`);
	else if (found.length === 0) console.log('The registry knows nothing against them');
	for (const line of found ?? []) console.error(line);
	if (found?.length) process.exitCode = 1;
}

function audit(bundled: Bundled[], folder: string): AuditReport {
	const lock = lockFile(bundled);
	writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
	writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bundled', private: true }));
	const { stdout } = spawnSync('npm', ['audit', '--json', '--fetch-retries=1'], {
		cwd: folder,
		encoding: 'utf8',
	});
	return JSON.parse(stdout) as AuditReport;
}

const temporary = mkdtempSync(join(tmpdir(), 'audit-'));
try {
	main(temporary);
} finally {
	rmSync(temporary, { recursive: true });
}
