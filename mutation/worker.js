const { performance } = require('node:perf_hooks');
const process = require('node:process');

const { runCLI } = require('jest');

/*
 * Runs test files on request of the parent process, one at a time. Each run has its modules anew, as in a run of all
 * tests, so no mutant can leave anything behind. What jest itself has loaded and transformed stays warm.
 */

process.on('message', async ({ file, mutant, tests }) => {
	const run = { mutant, tests, durations: {}, failed: [], outsideTests: [], perTest: {} };
	globalThis.mutationRun = run;
	// For processes that tests start.
	if (mutant === undefined) delete process.env.__STRYKER_ACTIVE_MUTANT__;
	else process.env.__STRYKER_ACTIVE_MUTANT__ = mutant;
	const start = performance.now();
	const { results } = await runCLI(
		{
			$0: 'jest',
			_: [file],
			config: 'mutation.config.js',
			runTestsByPath: true,
			runInBand: true,
			silent: true,
			ci: true, // New snapshots are not written.
		},
		[process.cwd()],
	);
	const messages = results.testResults.map(({ failureMessage }) => failureMessage).join('\n');
	process.send({ ...run, passed: results.success, time: performance.now() - start, messages });
});
