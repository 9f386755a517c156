import fastify from 'fastify';

export interface ChatWebhook {
	url: string;
	/** The JSON bodies, in order of arrival. */
	readonly posts: unknown[];
	close: () => Promise<void>;
}

/** Starts a server on 127.0.0.1 with an incoming webhook, as chat services have it. */
export async function startChatWebhook(): Promise<ChatWebhook> {
	const posts: unknown[] = [];
	const app = fastify();
	app.post('/incoming-webhook', ({ body }) => {
		posts.push(body);
		return 'ok';
	});
	return {
		url: `${await app.listen({ host: '127.0.0.1', port: 0 })}/incoming-webhook`,
		posts,
		close: () => app.close(),
	};
}
