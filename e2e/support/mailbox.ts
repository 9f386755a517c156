import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface Mail {
	/** From the SMTP envelope, not from the mail's headers. */
	recipients: string[];
	from: string | undefined;
	subject: string | undefined;
	text: string;
	/** Only of an e-mail that has HTML: n8n's requests for an approval. */
	html?: string;
}

export interface Mailbox {
	/** The data of n8n's credential `smtp`. */
	credentials: ICredentialDataDecryptedObject;
	/** In order of arrival. */
	readonly mails: Mail[];
	close: () => Promise<void>;
}

/** Starts an SMTP server on 127.0.0.1 that requires a login and accepts mail for every recipient. */
export async function startMailbox(): Promise<Mailbox> {
	const login = { user: 'n8n', password: 'Harbour-2093' };
	const mails: Mail[] = [];
	const server = new SMTPServer({
		hideSTARTTLS: true,
		allowInsecureAuth: true,
		onAuth: ({ username, password }, _session, done) => {
			if (username === login.user && password === login.password) done(null, { user: username });
			else done(new Error('Invalid login'));
		},
		onData: (stream, { envelope }, done) => {
			void simpleParser(stream).then(({ from, subject, text = '', html }) => {
				const recipients = envelope.rcptTo.map(({ address }) => address);
				mails.push({ recipients, from: from?.text, subject, text: text.trim(), ...(html && { html }) });
				done();
			}, done);
		},
	});
	const { server: listener } = server;
	server.listen(0, '127.0.0.1');
	await once(listener, 'listening');
	const { port } = listener.address() as AddressInfo;
	return {
		credentials: { host: '127.0.0.1', port, secure: false, disableStartTls: true, ...login },
		mails,
		close: async () => await new Promise<void>((resolve) => server.close(resolve)),
	};
}
