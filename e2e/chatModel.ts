import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import fastify from 'fastify';

interface ChatMessage {
	role: 'assistant' | 'system' | 'tool' | 'user';
	content: string | null;
	/** Of a tool's answer: the call that it answers. */
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
	/** Ready to use as n8n's credential `openAiApi`. */
	credentials: ICredentialDataDecryptedObject;
	/** What it was asked, in order. */
	readonly requests: ChatRequest[];
	/** What it says next, or the tools that it calls next; it is asked no more often than it has something to say. */
	willSay: (...answer: [string] | ToolCall[]) => void;
	/** What it was told of each of its calls of tools, in the order in which it made them. */
	told: () => Array<string | null | undefined>;
	/** Forgets what it was asked and what it was to say. */
	reset: () => void;
	close: () => Promise<void>;
}

/** Starts a service on 127.0.0.1 that speaks OpenAI's chat completions, with the answers that a test gives it. */
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
		if (!message) return await reply.code(400).send({ error: { message: 'Nothing was left to say' } });
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
		told: () => {
			const messages = requests.at(-1)?.messages ?? [];
			const made = messages.flatMap(({ tool_calls = [] }) => tool_calls);
			return made.map(({ id }) => messages.find(({ tool_call_id }) => tool_call_id === id)?.content);
		},
		reset: () => {
			requests.length = 0;
			answers.length = 0;
		},
		close: () => app.close(),
	};
}
