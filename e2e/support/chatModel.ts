import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import fastify from 'fastify';

interface ChatMessage {
	role: 'assistant' | 'system' | 'tool' | 'user';
	content: string | null;
	/** In a tool's result: the ID of the tool call. */
	tool_call_id?: string;
	tool_calls?: Array<{ id: string; type: 'function'; function: { name: string; arguments: string } }>;
}

export interface ChatRequest {
	model: string;
	messages: ChatMessage[];
	tools: Array<{
		function: {
			name: string;
			description: string;
			parameters: { properties: Record<string, { description: string }>; required: string[] };
		};
	}>;
}

export interface ToolCall {
	tool: string;
	arguments: object;
}

export interface ChatModel {
	/** The data of n8n's credential `openAiApi`. */
	credentials: ICredentialDataDecryptedObject;
	/** In order of arrival. */
	readonly requests: ChatRequest[];
	/** Queues the next response: a text or tool calls. A request without a queued response is refused. */
	willSay: (...answer: [string] | ToolCall[]) => void;
	/** The results of its tool calls, in the order of the calls. */
	toolResults: () => Array<string | null | undefined>;
	/** Removes the received requests and the queued responses. */
	reset: () => void;
	close: () => Promise<void>;
}

/** Starts an OpenAI chat completions API on 127.0.0.1, whose responses a test queues. */
export async function startChatModel(): Promise<ChatModel> {
	const apiKey = 'a-key-for-the-model-of-this-test';
	const requests: ChatRequest[] = [];
	const answers: ChatMessage[] = [];
	let calls = 0;
	const app = fastify();
	app.post<{ Body: ChatRequest }>('/v1/chat/completions', async ({ headers, body }, reply) => {
		if (headers.authorization !== `Bearer ${apiKey}`) return await reply.code(401).send();
		requests.push(body);
		const message = answers.shift();
		if (!message) return await reply.code(400).send({ error: { message: 'No response is queued' } });
		return {
			id: 'chatcmpl-1',
			object: 'chat.completion',
			created: 1714962072,
			model: body.model,
			choices: [{ index: 0, message, finish_reason: message.tool_calls ? 'tool_calls' : 'stop' }],
			usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
		};
	});
	const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1`;
	return {
		credentials: { apiKey, url },
		requests,
		willSay: (...answer) => {
			const tool_calls = answer.flatMap((part) => {
				if (typeof part === 'string') return [];
				const called = { name: part.tool, arguments: JSON.stringify(part.arguments) };
				return [{ id: `call_${calls++}`, type: 'function' as const, function: called }];
			});
			const content = typeof answer[0] === 'string' ? answer[0] : null;
			answers.push({ role: 'assistant', content, ...(tool_calls.length > 0 && { tool_calls }) });
		},
		toolResults: () => {
			const messages = requests.at(-1)?.messages ?? [];
			const toolCalls = messages.flatMap(({ tool_calls = [] }) => tool_calls);
			return toolCalls.map(({ id }) => messages.find(({ tool_call_id }) => tool_call_id === id)?.content);
		},
		reset: () => {
			requests.length = 0;
			answers.length = 0;
		},
		close: () => app.close(),
	};
}
