import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An address at which nobody answers, not even with a refusal. */
export interface SilentAddress {
	close: () => Promise<void>;
}

/**
 * Makes one, on loopback: a process listens there, is stopped, and its queue is filled, so the system drops all that
 * comes.
 */
export async function startSilentAddress(host: string, port: number): Promise<SilentAddress> {
	const listen = `require('node:net').createServer().listen({ host: '${host}', port: ${port}, backlog: 1 }, () => console.log('listening'))`;
	const listener = spawn(process.execPath, ['-e', listen]);
	await once(listener.stdout, 'data');
	listener.kill('SIGSTOP');
	const queued: Socket[] = [];
	for (let connected = true; connected;) {
		const socket = connect(port, host);
		socket.on('error', () => undefined);
		queued.push(socket);
		connected = await Promise.race([once(socket, 'connect').then(() => true), sleep(300, false)]);
	}
	return {
		close: async () => {
			for (const socket of queued) socket.destroy();
			listener.kill('SIGKILL');
			await once(listener, 'exit');
		},
	};
}
