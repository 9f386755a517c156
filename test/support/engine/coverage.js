const { createCoverageMap } = require('istanbul-lib-coverage');

/*
 * How much of the built package the everyday loop and the slow scenarios cover together, by the reports that
 * `npm test` and `npm run test:slow` have written.
 */

/** Per cent that have to be covered. */
const THRESHOLDS = { lines: 95, branches: 90 };

const map = createCoverageMap(require('../../../coverage/coverage-final.json'));
map.merge(require('../../../coverage/slow/coverage-final.json'));
const summary = map.getCoverageSummary();

for (const [kind, threshold] of Object.entries(THRESHOLDS)) {
	const { pct } = summary[kind];
	console.log(`${kind}: ${pct} % covered, ${threshold} % needed`);
	if (pct < threshold) process.exitCode = 1;
}
