import { answerQuestions } from './child';
import { check, type Cost, makeInput, type Run, type Task } from './task';
import type { NodeContender } from './workflow';

/*
 * The process of one contender. It stays the same for all rounds, as n8n's does.
 */

export type Contender = NodeContender | 'undici';

const contender = process.argv[2] as Contender;
const prepared = prepare();
prepared.catch(() => undefined); // told to whoever asks for the first run

async function prepare(): Promise<Run> {
	// The bare undici does without n8n, in its memory too.
	if (contender === 'undici') return (await import('./limit.js')).runLimit;
	return await (await import('./engine.js')).prepareWorkflow(contender);
}

answerQuestions<'ready' | Task>(async (task): Promise<Cost | undefined> => {
	const run = await prepared;
	if (task === 'ready') return undefined;
	const input = makeInput(task.items);
	globalThis.gc?.();
	const processorBefore = process.cpuUsage();
	const started = performance.now();
	const answers = await run(task, input);
	const time = performance.now() - started;
	const { user, system } = process.cpuUsage(processorBefore);
	const peakMemory = process.resourceUsage().maxRSS * 1024;
	globalThis.gc?.();
	const heldMemory = process.memoryUsage().heapUsed;
	check(contender, input, answers);
	return {
		time,
		processorTime: (user + system) / 1000,
		peakMemory,
		heldMemory,
	};
});
