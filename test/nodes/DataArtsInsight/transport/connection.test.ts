import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

import { Connection } from '../../../../nodes/DataArtsInsight/transport/connection';

it('a connection that was never used is closed when it is thrown away', async () => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	const socket = connect(port, '127.0.0.1');
	await once(socket, 'connect');
	try {
		const nothing = () => undefined;
		const connection = new Connection(socket, `http://127.0.0.1:${port}`, 500, nothing, nothing);
		connection.discard();
		expect(socket.destroyed).toBe(true);
		expect(connection.open).toBe(false);
	} finally {
		socket.destroy();
		server.close();
	}
});
