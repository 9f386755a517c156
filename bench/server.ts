import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { loopbackCertificate } from '../test/support/cloud/certificate';
import {
	hexId,
	newEndpoint,
	projectId,
	validToken,
	type VerifyRequest,
	workspaceId,
} from '../test/support/cloud/cloud';
import { answerQuestions } from './child';

/*
 * A DataArts Insight that only answers, as cheaply as it can: the simulator checks every request against the
 * API reference and would be the slowest part of what is measured. The answer has the same fields.
 */

export type ServerQuestion = 'where' | 'counts' | 'requests' | { serviceTime: number };

/** What the server saw since it was last asked. */
export interface ServerCounts {
	connections: number;
	/** TLS handshakes that resumed no earlier session: those in which a certificate is sent and checked. */
	fullHandshakes: number;
	requests: number;
	/** The most requests that were under way at the same time. */
	mostAtOnce: number;
	/** Milliseconds of processor time that the server took. */
	serverTime: number;
}

const endpoint = newEndpoint('DWS', { id: hexId(), name: '' });

let serviceTime = 0;
let underWay = 0;
const none = { connections: 0, fullHandshakes: 0, requests: 0, mostAtOnce: 0 };
let counts = { ...none };
let countedSince = process.cpuUsage();

const server = createServer({ ...loopbackCertificate, keepAliveTimeout: 60_000 }, (request, response) => {
	underWay++;
	counts.requests++;
	counts.mostAtOnce = Math.max(counts.mostAtOnce, underWay);
	let body = '';
	request.setEncoding('utf8');
	request.on('data', (text: string) => (body += text));
	request.on('end', () => {
		if (serviceTime === 0) answer(request, response, body);
		else setTimeout(() => answer(request, response, body), serviceTime);
	});
});
server.on('connection', () => counts.connections++);
server.on('secureConnection', (socket) => {
	if (!socket.isSessionReused()) counts.fullHandshakes++;
});

function answer({ method, url, headers }: IncomingMessage, response: ServerResponse, body: string) {
	underWay--;
	const good =
		method === 'POST' &&
		url === `/v1/${projectId}/connections/vpc-endpoint` &&
		headers['x-auth-token'] === validToken &&
		headers['x-workspace-id'] === workspaceId;
	const { ds_type, vpc_ep_server_name } = JSON.parse(body) as VerifyRequest;
	const text = JSON.stringify(
		good ? { ...endpoint, ds_type, vpc_ep_server_name } : { error_code: 'APIGW.0301' },
	);
	response.writeHead(good ? 200 : 401, {
		'Content-Type': 'application/json;charset=UTF-8',
		'Content-Length': Buffer.byteLength(text),
		'X-Request-Id': endpoint.id,
	});
	response.end(text);
}

function takeCounts(): ServerCounts {
	const { user, system } = process.cpuUsage(countedSince);
	const taken = { ...counts, serverTime: (user + system) / 1000 };
	counts = { ...none };
	countedSince = process.cpuUsage();
	return taken;
}

const listening = once(server.listen(0, '127.0.0.1'), 'listening');

answerQuestions<ServerQuestion>(async (question) => {
	if (question === 'counts') return takeCounts();
	if (question === 'requests') return counts.requests;
	if (question === 'where') {
		await listening;
		return `https://localhost:${(server.address() as AddressInfo).port}`;
	}
	serviceTime = question.serviceTime;
	return undefined;
});
