import { createRequire } from 'node:module';

import type * as Undici from 'undici';

import { tokenHeaders, workspaceHeaders } from '../nodes/DataArtsInsight/transport/identity/headers';
import { projectId, validToken, type VerifyRequest, workspaceId } from '../test/support/cloud/cloud';
import type { Run } from './task';

const require = createRequire(__filename);
const pools = new Map<number, Undici.Pool>();

/** What the wire allows: as many connections as calls at once, and nothing around them. */
export const runLimit: Run = async ({ origin, concurrency }, input) => {
	// Not before: in a fresh process the first call pays for it.
	const { Pool } = require('undici') as typeof Undici;
	const pool = pools.get(concurrency) ?? new Pool(origin, { connections: concurrency });
	pools.set(concurrency, pool);
	const headers = {
		...tokenHeaders(validToken),
		...workspaceHeaders({ workspaceId }),
		'Content-Type': 'application/json',
	};
	const path = `/v1/${projectId}/connections/vpc-endpoint`;
	const answers = new Array<VerifyRequest>(input.length);
	let next = 0;

	async function worker() {
		for (let index = next++; index < input.length; index = next++) {
			const body = JSON.stringify({ ds_type: 'DWS', vpc_ep_server_name: input[index]?.name });
			const answer = await pool.request({ path, method: 'POST', headers, body });
			answers[index] = (await answer.body.json()) as VerifyRequest;
		}
	}

	await Promise.all(Array.from({ length: concurrency }, worker));
	return answers;
};
