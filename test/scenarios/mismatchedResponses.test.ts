import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import { newEndpoint } from '../support/cloud';
import { tokenCredential } from '../support/cloud/tokenCredential';
import { detailsOf, makeNames, verify } from '../support/engine/runNode';

const names = makeNames(40);
let server: Server;
let connections: number;
let posts: string[];
let answer: (socket: Socket, name: string) => void;

const whole = (name: string) => {
	const body = JSON.stringify(newEndpoint('DWS', { id: randomUUID(), name }));
	return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

beforeEach(async () => {
	[connections, posts] = [0, []];
	server = createServer((socket) => {
		connections++;
		socket.on('error', () => undefined);
		socket.on('data', (chunk) => {
			const name = /"vpc_ep_server_name":"([^"]*)"/.exec(String(chunk))?.[1];
			if (name === undefined) return;
			posts.push(name);
			answer(socket, name);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
});
afterEach(() => server.close());

async function run(maxConcurrency: number) {
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const { items } = await verify(names, {
		credential: tokenCredential(url),
		options: { maxConcurrency, maxRetries: 0 },
	});
	expect([...posts].sort()).toEqual([...names].sort());
	return items;
}

it.each([1, 10])(
	'a late extra response (response smuggling) is not taken for that of another request, %d in flight',
	async (maxConcurrency) => {
		answer = (socket, name) => {
			socket.write(whole(name));
			setTimeout(() => socket.write(whole('cn-north-4.extra')), 1 + Math.random() * 3);
		};
		const items = await run(maxConcurrency);
		items.forEach(({ json }, index) => {
			if (json.error) expect(json.details).toMatchObject({ outcomeUnknown: true });
			else expect(json.vpc_ep_server_name).toBe(names[index]);
		});
	},
);

it('a response for another endpoint service is refused, and its keep-alive connection not used again', async () => {
	answer = (socket, name) => socket.write(whole(name.endsWith('7') ? 'cn-north-4.another' : name));
	const items = await run(1);
	const wrong = names.map((name) => name.endsWith('7'));
	expect(detailsOf(items).map((details) => details?.code)).toEqual(
		wrong.map((is) => (is ? 'UNEXPECTED_ANSWER' : undefined)),
	);
	for (const details of detailsOf(items)) if (details) expect(details.outcomeUnknown).toBe(true);
	expect(connections).toBeGreaterThan(wrong.filter(Boolean).length);
});

it('a response whose name differs in case or ID is taken', async () => {
	answer = (socket, name) => socket.write(whole(`${name.toUpperCase()}.${randomUUID()}`));
	expect(detailsOf(await run(1))).toEqual(names.map(() => undefined));
});
