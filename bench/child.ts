import { type ChildProcess, fork, type ForkOptions, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

type Reply = { value: unknown } | { error: string };

/** A file of this folder that runs as a process of its own, so that its memory and processor time are its own. */
export class Child {
	private readonly process: ChildProcess;

	/** @param options which Node.js, and with what options; this one with those of this process when left out */
	constructor(file: string, args: string[] = [], options: Pick<ForkOptions, 'execArgv' | 'execPath'> = {}) {
		// Measured runs begin and end with a collected heap.
		const execArgv = [...process.execArgv, '--expose-gc'];
		this.process = fork(join(__dirname, file), args, { execArgv, ...options });
	}

	/**
	 * Asks one question and waits for the answer. Only one question may be open at a time.
	 *
	 * @throws Error with what went wrong in the child, or if it ended without an answer
	 */
	async ask<Answer>(question: Serializable): Promise<Answer> {
		const ended = new AbortController();
		const gone = once(this.process, 'exit', { signal: ended.signal }).then(() => {
			throw new Error('A process of the benchmark ended before it answered');
		});
		this.process.send(question);
		try {
			const [reply] = (await Promise.race([once(this.process, 'message'), gone])) as [Reply];
			if ('error' in reply) throw new Error(reply.error);
			return reply.value as Answer;
		} finally {
			gone.catch(() => undefined); // it ends later on purpose
			ended.abort();
		}
	}

	async close(): Promise<void> {
		if (!this.process.connected) return;
		const exit = once(this.process, 'exit');
		this.process.disconnect();
		await exit;
	}
}

/** What the child does with the questions it is asked. It ends with its parent. */
export function answerQuestions<Question>(answer: (question: Question) => unknown): void {
	process.on('disconnect', () => process.exit());
	process.on('message', (question) => {
		void Promise.resolve(question as Question)
			.then(answer)
			.then(
				(value): Reply => ({ value }),
				(error: unknown): Reply => ({ error: error instanceof Error ? String(error.stack) : String(error) }),
			)
			.then((reply) => process.send?.(reply));
	});
}
