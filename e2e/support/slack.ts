import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { startHostProxy } from './hostProxy';

/**
 * A self-signed key and certificate for slack.com, valid until 2124. Only the n8n of a test trusts the certificate, so
 * the key is no secret.
 */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwY/xBOaZNHbFnS8J
3HoGtACtYSmZBBirac2IoG2ZaYihRANCAASyC1t1v3uzdX66e6AJfSbkV3zS9ECC
np6fsKmZtubKqBVhBsxuxdJfX2OBENrxokzPbZgzVdFNkOMA3M5P/f/4
-----END PRIVATE KEY-----
`;

export const slackCertificate = `-----BEGIN CERTIFICATE-----
MIIBYjCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlzbGFjay5j
b20wIBcNMjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CXNsYWNrLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLILW3W/e7N1frp7
oAl9JuRXfNL0QIKenp+wqZm25sqoFWEGzG7F0l9fY4EQ2vGiTM9tmDNV0U2Q4wDc
zk/9//ijSDBGMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJc2xhY2suY29t
MB0GA1UdDgQWBBR5NESCYC5PYsbgZFpGM9pDl+QFWzAKBggqhkjOPQQDAgNJADBG
AiEAoLPNPAcPvPTHPVm1Z0fQ4JnanuybiGu6piAIO9RDXJACIQCbmIe/PitMYSUu
qL/TibJb2hT7Pccw6xRRNf0FmOWWig==
-----END CERTIFICATE-----
`;

export interface SlackMessage {
	channel: string;
	text: string;
}

export interface Slack {
	/** A proxy that connects slack.com:443 to this server, and refuses all other hosts. */
	proxyUrl: string;
	accessToken: string;
	/** The messages that were posted with the access token. */
	readonly messages: SlackMessage[];
	/** The hosts of all CONNECT requests, in order of arrival. */
	readonly hosts: string[];
	close: () => Promise<void>;
}

/** Starts a server that accepts Slack messages, and a proxy to it: the address in n8n's Slack node is fixed. */
export async function startSlack(): Promise<Slack> {
	const accessToken = 'a-token-for-the-slack-of-this-test';
	const messages: SlackMessage[] = [];
	const app = fastify({ https: { key, cert: slackCertificate } });
	app.post<{ Body: SlackMessage }>('/api/chat.postMessage', ({ headers, body }) => {
		if (headers.authorization !== `Bearer ${accessToken}`) return { ok: false, error: 'invalid_auth' };
		messages.push(body);
		return { ok: true, channel: body.channel, ts: '1714962072.863000', message: { text: body.text } };
	});
	await app.listen({ host: '127.0.0.1', port: 0 });
	const { port } = app.server.address() as AddressInfo;
	const proxy = await startHostProxy((host) => host === 'slack.com:443', port);
	return {
		proxyUrl: proxy.url,
		accessToken,
		messages,
		hosts: proxy.hosts,
		close: async () => {
			await proxy.close();
			await app.close();
		},
	};
}
