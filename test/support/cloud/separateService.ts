import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { type CountingService, startCountingService, type ServiceOptions } from './countingService';

/** What a service has seen so far. */
export type Seen = Pick<CountingService, 'posts' | 'connections'>;

/** A counting service in a process of its own: it goes on closing idle connections while the caller's thread is busy. */
export interface SeparateService {
	credentials: Record<string, string | boolean>;
	seen: () => Promise<Seen>;
	close: () => Promise<void>;
}

export async function startSeparateService(options: ServiceOptions): Promise<SeparateService> {
	const child = fork(__filename, { execArgv: ['--import', 'tsx'] });
	const [credentials] = await call(child, options);
	return {
		credentials: credentials as Record<string, string | boolean>,
		seen: async () => {
			const [{ posts, connections }] = (await call(child, 'count')) as [
				{ posts: Array<[string, number]>; connections: number },
			];
			return { posts: new Map(posts), connections };
		},
		close: async () => {
			child.kill();
			await once(child, 'exit');
		},
	};
}

async function call(child: ChildProcess, message: ServiceOptions | 'count'): Promise<unknown[]> {
	child.send(message);
	return (await once(child, 'message')) as unknown[];
}

/** The other end: the first message starts the service and is answered by its credential, each other one by its count. */
async function serve() {
	const [options] = (await once(process, 'message')) as [ServiceOptions];
	const service = await startCountingService(options);
	// Whoever started it may end without a word.
	process.once('disconnect', () => process.exit());
	process.on('message', () =>
		process.send?.({ posts: [...service.posts], connections: service.connections }),
	);
	process.send?.(service.credentials);
}

if (require.main === module) void serve();
