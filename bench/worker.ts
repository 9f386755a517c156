import { answerQuestions } from './child';
import type { NodeContender } from './engine';
import type { Cost, Input, Run, Task } from './task';

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
	const input = Array.from({ length: task.items }, (_, index) => ({
		name: `cn-north-4.service-${index}.4f1c8a2e-6b3d-4e57-9a10-d2c7b5e8f634`,
	}));
	globalThis.gc?.();
	const processorBefore = process.cpuUsage();
	const started = performance.now();
	const answers = await run(task, input);
	const time = performance.now() - started;
	const { user, system } = process.cpuUsage(processorBefore);
	const peakMemory = process.resourceUsage().maxRSS * 1024;
	globalThis.gc?.();
	const heldMemory = process.memoryUsage().heapUsed;
	check(input, answers);
	return {
		time,
		processorTime: (user + system) / 1000,
		peakMemory,
		heldMemory,
	};
});

/** A fast contender that lost or mixed up answers would have won nothing. */
function check(input: Input[], answers: unknown[]) {
	const good =
		answers.length === input.length &&
		input.every(({ name }, index) => {
			const { name: passedOn, vpc_ep_server_name = passedOn } = answers[index] as Record<string, unknown>;
			return vpc_ep_server_name === name;
		});
	if (!good) throw new Error(`${contender} did not give one answer for each item in their order`);
}
