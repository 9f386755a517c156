import fastify from 'fastify';

export interface ChatWebhook {
	url: string;
	/** The JSON that was posted, in order of arrival. */
	readonly posts: unknown[];
	close: () => Promise<void>;
}

/** Starts a chat's incoming webhook on 127.0.0.1. */
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
