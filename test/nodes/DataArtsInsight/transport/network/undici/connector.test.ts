import { once } from 'node:events';
import {
	type AddressInfo,
	connect as connectTcp,
	createServer,
	getDefaultAutoSelectFamily,
	type Server,
	setDefaultAutoSelectFamily,
	type Socket,
} from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';

import {
	type Connector,
	createConnector,
	ProxyRefusal,
	type ConnectorOptions,
} from '../../../../../../nodes/DataArtsInsight/transport/network/undici/connector';
import { loopbackCertificate } from '../../../../../support/cloud';

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
	for (const socket of sockets.splice(0)) socket.destroy();
	for (const server of servers.splice(0)) server.close();
	jest.restoreAllMocks();
});

async function portOf(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
	servers.push(server);
	server.on('connection', (socket) => {
		sockets.push(socket);
		socket.on('error', () => undefined);
	});
	await once(server.listen(port, host), 'listening');
	return (server.address() as AddressInfo).port;
}

/** A server with TLS, such as the service, that greets whoever has come through to it. */
const greeting = () =>
	createTlsServer(loopbackCertificate, (socket) => {
		socket.on('error', () => undefined);
		socket.write('hello');
	});

/** A step of a proxy: what it answers to the bytes that came. */
type Step = (bytes: Buffer, client: Socket) => string | Uint8Array | undefined;

/** Proxies step by step, and passes on to the service's port once all is said. */
function scripted(steps: Step[], servicePort?: number, seen: Buffer[] = []) {
	return (client: Socket) => {
		const left = [...steps];
		client.on('error', () => undefined);
		client.on('data', (bytes: Buffer) => {
			const step = left.shift();
			if (!step) return;
			seen.push(bytes);
			const answer = step(bytes, client);
			if (left.length === 0 && servicePort) {
				client.removeAllListeners('data');
				const service = connectTcp(servicePort, '127.0.0.1');
				service.on('error', () => undefined);
				sockets.push(service);
				service.pipe(client);
				client.pipe(service);
			}
			if (answer) client.write(answer);
		});
	};
}

const way = (change: Partial<ConnectorOptions>): ConnectorOptions => ({
	origin: 'https://example.com',
	allowUnauthorizedCerts: true,
	...change,
});

async function connect(connector: Connector, abandoned = new AbortController().signal): Promise<Socket> {
	const socket = await connector(abandoned);
	sockets.push(socket);
	return socket;
}

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const greetingOn = async (socket: Socket) => String(((await once(socket, 'data')) as [Buffer])[0]);

describe('without a proxy', () => {
	it('connects in the clear to http:, and with TLS to https:', async () => {
		const plain = createServer((socket) => socket.write('plain'));
		const http = await connect(createConnector(way({ origin: `http://127.0.0.1:${await portOf(plain)}` })));
		expect(http).not.toBeInstanceOf(TLSSocket);
		expect(await greetingOn(http)).toBe('plain');
		const origin = `https://localhost:${await portOf(greeting())}`;
		const https = await connect(createConnector(way({ origin })));
		expect(https).toBeInstanceOf(TLSSocket);
		expect(await greetingOn(https)).toBe('hello');
	});

	it('lets a certificate that nobody vouches for pass only if the credential says so', async () => {
		const origin = `https://127.0.0.1:${await portOf(greeting())}`;
		const strict = createConnector(way({ origin, allowUnauthorizedCerts: false }));
		expect(await failureOf(connect(strict))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
	});

	it('resolves names by the lookup of the egress policy, and tries all addresses (autoSelectFamily)', async () => {
		const origin = `http://service.example:${await portOf(createServer((socket) => socket.write('hi')))}`;
		const before = getDefaultAutoSelectFamily();
		// n8n does so when it starts.
		setDefaultAutoSelectFamily(false);
		const names: string[] = [];
		const lookup: ConnectorOptions['lookup'] = (hostname, options, callback) => {
			names.push(hostname);
			const addresses = ['127.99.98.97', '127.0.0.1'].map((address) => ({ address, family: 4 }));
			if (options.all) callback(null, addresses);
			else callback(null, '127.99.98.97', 4);
		};
		try {
			expect(await greetingOn(await connect(createConnector(way({ origin, lookup }))))).toBe('hi');
			expect(names).toEqual(['service.example']);
		} finally {
			setDefaultAutoSelectFamily(before);
		}
	});

	it('takes the brackets off an IPv6 address', async () => {
		// Whether this machine has IPv6 or not, it is the address that was tried.
		const error = await failureOf(connect(createConnector(way({ origin: 'http://[::1]:1' }))));
		expect(error).toMatchObject({ address: '::1', port: 1 });
	});

	it('passes on why there is no connection', async () => {
		const server = createServer();
		const port = await portOf(server);
		server.close();
		await once(server, 'close');
		const error = await failureOf(connect(createConnector(way({ origin: `http://127.0.0.1:${port}` }))));
		expect(error).toMatchObject({ code: 'ECONNREFUSED' });
	});

	it.each(['before it begins', 'while it is under way'])(
		'is given up when nobody waits any more, %s',
		async (when) => {
			const server = createServer();
			const origin = `https://127.0.0.1:${await portOf(server)}`;
			const abandonment = new AbortController();
			if (when === 'before it begins') abandonment.abort();
			// The server says nothing, so TLS is never done.
			else server.on('connection', () => abandonment.abort());
			const error = await failureOf(connect(createConnector(way({ origin })), abandonment.signal));
			expect(error).toMatchObject({ code: 'ECONNRESET' });
		},
	);
});

describe('through an HTTP proxy', () => {
	const OK = 'HTTP/1.1 200 OK\r\n\r\n';
	const start = async (answer: Step, servicePort?: number) => {
		const seen: Buffer[] = [];
		const port = await portOf(createServer(scripted([answer], servicePort, seen)));
		return { seen, url: (login = '') => new URL(`http://${login}127.0.0.1:${port}`) };
	};
	/** The lines of the request for a connection. */
	const linesOf = ([request]: Buffer[]) => String(request).trimEnd().split('\r\n');

	it('speaks TLS with the service through the tunnel', async () => {
		const proxy = await start(() => OK, await portOf(greeting()));
		const socket = await connect(createConnector(way({ proxy: proxy.url() })));
		expect(await greetingOn(socket)).toBe('hello');
	});

	it('checks the certificate of the service through the tunnel', async () => {
		const proxy = await start(() => OK, await portOf(greeting()));
		const connector = createConnector(way({ proxy: proxy.url(), allowUnauthorizedCerts: false }));
		expect(await failureOf(connect(connector))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
	});

	it('checks the certificate of a proxy with TLS, whatever the credential says of the service', async () => {
		const proxy = new URL(`https://127.0.0.1:${await portOf(greeting())}`);
		const error = await failureOf(connect(createConnector(way({ proxy }))));
		expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
	});

	it.each([
		['https://example.com', 'example.com:443'],
		['https://example.com:8443', 'example.com:8443'],
		['https://[2001:db8::1]', '[2001:db8::1]:443'],
	])('asks for %s by CONNECT', async (origin, target) => {
		const proxy = await start(() => 'HTTP/1.1 403 No\r\n\r\n');
		await failureOf(connect(createConnector(way({ origin, proxy: proxy.url() }))));
		const [first, ...headers] = linesOf(proxy.seen);
		expect(first).toBe(`CONNECT ${target} HTTP/1.1`);
		expect(headers.map((line) => line.toLowerCase())).toEqual(
			expect.arrayContaining([`host: ${target}`, 'proxy-connection: keep-alive']),
		);
		expect(headers.filter((line) => /^host:/i.test(line))).toHaveLength(1);
	});

	it.each([
		['', undefined],
		['user:pa%3Ass%40@', 'user:pa:ss@'],
		['user@', 'user:'],
		[':password@', ':password'],
	])('logs in with the login %j of its URL (Proxy-Authorization)', async (login, sent) => {
		const proxy = await start(() => 'HTTP/1.1 407 Login\r\n\r\n');
		await failureOf(connect(createConnector(way({ proxy: proxy.url(login) }))));
		const found = linesOf(proxy.seen).filter((line) => /^proxy-authorization:/i.test(line));
		const basic = sent && Buffer.from(sent).toString('base64');
		expect(found).toEqual(basic ? [`Proxy-Authorization: Basic ${basic}`] : []);
	});

	it.each([
		[199, false],
		[300, false],
		[407, false],
		[499, false],
		[500, true],
		[502, true],
	])(
		'tells of the status %d of the proxy; whether it tried to reach the service: %j',
		async (status, reached) => {
			const proxy = await start(() => `HTTP/1.1 ${status} Reason\r\n\r\n`);
			const error = await failureOf(connect(createConnector(way({ proxy: proxy.url() }))));
			expect(error).toBeInstanceOf(ProxyRefusal);
			expect(error).toMatchObject({
				code: 'PROXY_REFUSED',
				answer: `HTTP status ${status}`,
				message: `HTTP status ${status}`,
				reached,
			});
		},
	);

	it.each([200, 299])('takes the status %d for a tunnel', async (status) => {
		const proxy = await start(() => `HTTP/1.1 ${status} Reason\r\n\r\n`, await portOf(greeting()));
		expect(await greetingOn(await connect(createConnector(way({ proxy: proxy.url() }))))).toBe('hello');
	});

	it('fails when the proxy closes instead of answering', async () => {
		const proxy = await start((_bytes, client) => void client.end());
		const error = await failureOf(connect(createConnector(way({ proxy: proxy.url() }))));
		expect(error).toMatchObject({ code: 'UND_ERR_SOCKET' });
	});

	it('fails when the proxy closes the tunnel in the middle of the TLS handshake', async () => {
		const proxy = await start((_bytes, client) => {
			client.once('data', () => client.end());
			return OK;
		});
		const error = await failureOf(connect(createConnector(way({ proxy: proxy.url() }))));
		expect(error).toMatchObject({ code: 'ECONNRESET' });
	});

	it('closes the connection to a proxy that refuses', async () => {
		const ended = new Promise<void>((resolve) => {
			servers.push(
				createServer((client) => {
					client.on('error', () => undefined).on('close', () => resolve());
					client.resume().write('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
				}),
			);
		});
		const [server] = servers;
		const port = await portOf(server as Server);
		const error = await failureOf(
			connect(createConnector(way({ proxy: new URL(`http://127.0.0.1:${port}`) }))),
		);
		expect(error).toBeInstanceOf(ProxyRefusal);
		await ended;
	});

	it('resolves the name of the proxy by the lookup, and that of the service not at all', async () => {
		const proxy = await start(() => OK, await portOf(greeting()));
		const names: string[] = [];
		const lookup: ConnectorOptions['lookup'] = (hostname, _options, callback) => {
			names.push(hostname);
			callback(null, [{ address: '127.0.0.1', family: 4 }]);
		};
		const url = new URL(`http://proxy.example:${proxy.url().port}`);
		await connect(createConnector(way({ proxy: url, lookup })));
		expect(names).toEqual(['proxy.example']);
	});
});

describe('through a SOCKS proxy', () => {
	const GRANTED = [5, 0, 0, 1, 127, 0, 0, 1, 0, 0];
	const socks5 = (reply = GRANTED): Step[] => [() => Buffer.from([5, 0]), () => Buffer.from(reply)];

	it.each(['socks', 'socks5', 'socks5h'])('speaks TLS with the service through it (%s)', async (scheme) => {
		const port = await portOf(createServer(scripted(socks5(), await portOf(greeting()))));
		const proxy = new URL(`${scheme}://127.0.0.1:${port}`);
		expect(await greetingOn(await connect(createConnector(way({ proxy }))))).toBe('hello');
	});

	it.each(['socks4', 'socks4a'])('speaks version 4 with %s', async (scheme) => {
		const seen: Buffer[] = [];
		const granted = () => Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]);
		const port = await portOf(createServer(scripted([granted], await portOf(greeting()), seen)));
		const proxy = new URL(`${scheme}://user@127.0.0.1:${port}`);
		expect(await greetingOn(await connect(createConnector(way({ proxy }))))).toBe('hello');
		expect(seen[0]?.subarray(0, 4)).toEqual(Buffer.from([4, 1, 443 >> 8, 443 & 255]));
		expect(String(seen[0])).toContain('user\0example.com\0');
	});

	it('waits for a slow proxy until the time limit of connecting', async () => {
		const port = await portOf(
			createServer((client) =>
				client.once('data', () => {
					setTimeout(() => client.write(Buffer.from([5, 0])), 50);
					client.once('data', () => client.write(Buffer.from([5, 2, 0, 1, 127, 0, 0, 1, 0, 0])));
				}),
			),
		);
		const error = await failureOf(
			connect(createConnector(way({ proxy: new URL(`socks5://127.0.0.1:${port}`) }))),
		);
		expect(error).toMatchObject({ answer: "'NotAllowed'" });
	});

	it('is reached at port 1080 if its URL names none', async () => {
		// An address for this process alone, as the port is given.
		const host = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`;
		await portOf(createServer(scripted(socks5(), await portOf(greeting()))), host, 1080);
		const socket = await connect(createConnector(way({ proxy: new URL(`socks5://${host}`) })));
		expect(await greetingOn(socket)).toBe('hello');
	});

	it.each([
		['https://example.com', Buffer.from([3, 11, ...Buffer.from('example.com'), 1, 187])],
		['https://example.com:8443', Buffer.from([3, 11, ...Buffer.from('example.com'), 32, 251])],
		['https://192.0.2.1', Buffer.from([1, 192, 0, 2, 1, 1, 187])],
		['https://[2001:db8::1]', Buffer.from([4, 32, 1, 13, 184, ...Array<number>(11).fill(0), 1, 1, 187])],
	])('is asked for %s, whose name it resolves', async (origin, target) => {
		const seen: Buffer[] = [];
		const port = await portOf(
			createServer(scripted(socks5([5, 5, 0, 1, 127, 0, 0, 1, 0, 0]), undefined, seen)),
		);
		await failureOf(connect(createConnector(way({ origin, proxy: new URL(`socks5://127.0.0.1:${port}`) }))));
		expect(seen).toEqual([Buffer.from([5, 1, 0]), Buffer.concat([Buffer.from([5, 1, 0]), target])]);
	});

	it.each([
		['user:pa%3Ass@', 'user', 'pa:ss'],
		['user@', 'user', ''],
		[':password@', '', 'password'],
	])('gets the login %s of its URL', async (login, user, password) => {
		const seen: Buffer[] = [];
		const steps: Step[] = [() => Buffer.from([5, 2]), () => Buffer.from([1, 1])];
		const port = await portOf(createServer(scripted(steps, undefined, seen)));
		const proxy = new URL(`socks5://${login}127.0.0.1:${port}`);
		const error = await failureOf(connect(createConnector(way({ proxy }))));
		expect(error).toMatchObject({ answer: "'the login is not accepted'", reached: false });
		const [offer, given] = seen;
		expect([...(offer ?? Buffer.alloc(2)).subarray(2)]).toContain(2);
		const part = (text: string) => [text.length, ...Buffer.from(text)];
		expect(given).toEqual(Buffer.from([1, ...part(user), ...part(password)]));
	});

	it.each([
		[2, "'NotAllowed'", false],
		[4, "'HostUnreachable'", true],
		[5, "'ConnectionRefused'", true],
	])('tells of the reply %d of SOCKS5', async (reply, answer, reached) => {
		const port = await portOf(createServer(scripted(socks5([5, reply, 0, 1, 127, 0, 0, 1, 0, 0]))));
		const proxy = new URL(`socks5://user:secret@127.0.0.1:${port}`);
		const error = await failureOf(connect(createConnector(way({ proxy }))));
		expect(error).toBeInstanceOf(ProxyRefusal);
		expect(error).toMatchObject({ answer, reached });
		expect(JSON.stringify([error, (error as Error).message])).not.toContain('secret');
	});

	it('tells of the refusal of SOCKS4', async () => {
		const refused = () => Buffer.from([0, 91, 0, 0, 0, 0, 0, 0]);
		const port = await portOf(createServer(scripted([refused])));
		const error = await failureOf(
			connect(createConnector(way({ proxy: new URL(`socks4://127.0.0.1:${port}`) }))),
		);
		expect(error).toMatchObject({ code: 'PROXY_REFUSED', answer: "'Failed'", reached: true });
	});

	it('that closes instead of answering gave no answer, and its error holds no password', async () => {
		const port = await portOf(createServer((client) => client.once('data', () => client.end())));
		const proxy = new URL(`socks5://user:secret@127.0.0.1:${port}`);
		const error = await failureOf(connect(createConnector(way({ proxy }))));
		expect(error).toMatchObject({ code: 'ECONNRESET', message: 'The proxy gave no answer' });
		expect(JSON.stringify(error)).not.toContain('secret');
	});
});
