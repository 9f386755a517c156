import {
	documentedFaults,
	faultNames,
	faultServerName,
	harmlessFaults,
	type Simulator,
} from '../support/cloud';
import { toItems, runNode } from '../support/engine/runNode';
import { runOn, useSimulator } from '../support/engine/runOnSimulator';

/** Milliseconds that a request may take. The others come in time on a busy machine, too. */
const TIMEOUT = 2_000;

let simulator: Simulator;
useSimulator((started) => (simulator = started));

describe('every fault of the service', () => {
	const fails = faultNames.filter((name) => !harmlessFaults.includes(name));

	it.each(fails)('%s is a NodeApiError with message and advice', async (name) => {
		// A token of its own: one that was refused is not sent again.
		const { error } = await runNode(
			{ options: { timeout: TIMEOUT, maxRetries: 0 } },
			{
				credential: { ...simulator.credentials, token: simulator.issueToken() },
				input: toItems(faultServerName(name)),
			},
		);
		expect(simulator.requests).toHaveLength(1);
		expect(error).toMatchObject({ name: 'NodeApiError', context: { itemIndex: 0 } });
		expect(error?.message).toBeTruthy();
		expect(error?.description).toBeTruthy();
		expect(`${error?.message} ${error?.description}`).not.toMatch(/<\w+|undefined|null|\[object/);

		if (!Object.hasOwn(documentedFaults, name)) return;
		const { status, body } = documentedFaults[name as keyof typeof documentedFaults];
		const {
			error: nested,
			error_code,
			error_msg,
		} = body as {
			error?: { code: string | number; message: string };
			error_code?: string;
			error_msg?: string;
		};
		const code = String(nested?.code ?? error_code);
		const text = (nested?.message ?? error_msg)?.replace(/\.$/, '');
		// A code that only repeats the status says nothing.
		const message = code === String(status) ? text : `${text} (${code})`;
		expect(error).toMatchObject({ message, httpCode: String(status) });
		if (code.startsWith('API')) expect(error?.description).toMatch(/Request ID: [\da-f]{32}/);
	});

	it.each(['connection-reset', 'truncated', 'no-answer', 'slow-drip', 'apigw-0601', 'html-502'] as const)(
		'%s may have created an endpoint, and the error says so',
		async (name) => {
			const { error } = await runOn(
				simulator,
				{ options: { timeout: TIMEOUT, maxRetries: 0 } },
				{ input: toItems(faultServerName(name)) },
			);
			expect(error?.description).toContain('a VPC endpoint may exist: run the node again');
		},
	);
});
