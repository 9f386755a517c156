import { createRequire } from 'node:module';

import type { Build } from './builds';
import { answerQuestions } from './child';
import type * as Engine from './engine';
import type * as Limit from './limit';
import { check, type Cost, makeInput, type Run, type Task } from './task';

/** Each contender loads no more than it needs. */
const require = createRequire(__filename);

/** Those whose first run is measured. */
export type FreshContender = Build | 'httpRequest' | 'undici';

/** What the first run cost. */
export type FreshCost = Pick<Cost, 'time' | 'processorTime'>;

/**
 * Gets ready what is there before the contender, and then answers a task with what its first run cost, loading it
 * included.
 *
 * @param onReady called before the contender is loaded
 */
export async function start(contender: FreshContender, onReady: () => void): Promise<void> {
	const load = contender === 'undici' ? withoutN8n() : await onEngine(contender);
	onReady();

	answerQuestions<'ready' | Task>(async (task): Promise<FreshCost | undefined> => {
		if (task === 'ready') return undefined;
		const input = makeInput(task.items);
		const processorBefore = process.cpuUsage();
		const started = performance.now();
		const run = await load();
		const answers = await run(task, input);
		const time = performance.now() - started;
		const { user, system } = process.cpuUsage(processorBefore);
		check(contender, input, answers);
		return { time, processorTime: (user + system) / 1000 };
	});
}

function withoutN8n(): () => Run {
	const { runLimit } = require('./limit') as typeof Limit;
	return () => runLimit;
}

/** n8n's engine, loaded and after its own first run. */
async function onEngine(contender: Build | 'httpRequest'): Promise<() => Promise<Run>> {
	const { prepareWorkflow, runner } = require('./engine') as typeof Engine;
	const task = { origin: 'https://localhost', items: 1, concurrency: 1, batchInterval: 0 };
	await runner('passOn', { nodes: {}, credentials: {} })(task, makeInput(1));
	return async () => await prepareWorkflow(contender);
}
