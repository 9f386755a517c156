/*
 * A process for one run, the first of its life. tsx loads the benchmark and is gone before the clock starts: it reads
 * every file that is loaded after it, which n8n does not.
 */
const process = require('node:process');

const unregister = require('tsx/cjs/api').register();
const { start } = require('./firstRun.ts');

void start(process.argv[2], () => {
	unregister();
	process.setSourceMapsEnabled(false);
});
