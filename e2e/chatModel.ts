import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface ChatRequest {
	messages: Array<{ role: string; content: string }>;
	tools?: Array<{ function: { name: string; description: string; parameters: object } }>;
}

/** A chat model on loopback that speaks as much of OpenAI's API as an agent with one tool needs. */
export interface ChatModel {
	/** What goes into *Base URL* of n8n's credential for OpenAI. */
	baseUrl: string;
	readonly requests: ChatRequest[];
	close(): Promise<void>;
}

/**
 * Starts a model that calls the first tool that it is offered, once, and then repeats what the tool said.
 *
 * @param toolInput what the tool is called with
 */
export async function startChatModel(toolInput: object): Promise<ChatModel> {
	const requests: ChatRequest[] = [];

	function reply(request: ChatRequest) {
		const last = request.messages.at(-1);
		if (last?.role === 'tool') return { role: 'assistant', content: last.content };
		const call = { name: request.tools?.[0]?.function.name, arguments: JSON.stringify(toolInput) };
		return {
			role: 'assistant',
			content: null,
			tool_calls: [{ id: 'call-1', type: 'function', function: call }],
		};
	}

	const server = createServer((incoming, response) => {
		void readText(incoming).then((text) => {
			const request = JSON.parse(text) as ChatRequest;
			requests.push(request);
			const message = reply(request);
			response.setHeader('Content-Type', 'application/json');
			response.end(
				JSON.stringify({
					id: `chat-${requests.length}`,
					object: 'chat.completion',
					created: Math.floor(Date.now() / 1000),
					model: 'fake',
					choices: [{ index: 0, message, finish_reason: message.tool_calls ? 'tool_calls' : 'stop' }],
					usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
				}),
			);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');

	return {
		baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		requests,
		close: async () => {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}

async function readText(incoming: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of incoming) parts.push(part as Buffer);
	return Buffer.concat(parts).toString();
}
