import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { startCountingService, type ServiceOptions } from './countingService';

/** A counting service in a process of its own: it goes on closing idle connections while the caller's thread is busy. */
export interface SeparateService {
	credentials: Record<string, string | boolean>;
	/** POSTs by the name of the endpoint service. */
	posts: () => Promise<Map<string, number>>;
	close: () => Promise<void>;
}

export async function startSeparateService(options: ServiceOptions): Promise<SeparateService> {
	const child = fork(__filename, { execArgv: ['--import', 'tsx'] });
	const [credentials] = await ask(child, options);
	return {
		credentials: credentials as Record<string, string | boolean>,
		posts: async () => {
			const [posts] = await ask(child, 'count');
			return new Map(posts as Array<[string, number]>);
		},
		close: async () => {
			child.kill();
			await once(child, 'exit');
		},
	};
}

async function ask(child: ChildProcess, message: ServiceOptions | 'count'): Promise<unknown[]> {
	child.send(message);
	return (await once(child, 'message')) as unknown[];
}

/** The other end: the first message starts the service and is answered by its credential, each other one by its count. */
async function serve() {
	const [options] = (await once(process, 'message')) as [ServiceOptions];
	const { credentials, posts } = await startCountingService(options);
	process.on('message', () => process.send?.([...posts]));
	process.send?.(credentials);
}

if (require.main === module) void serve();
