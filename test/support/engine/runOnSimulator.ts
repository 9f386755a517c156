import type { INodeParameters } from 'n8n-workflow';

import { type Simulator, startSimulator } from '../cloud';
import { type NodeRun, runNode } from './runNode';

/** Starts a simulated Huawei Cloud for the tests of a file; what it has seen is forgotten before each. */
export function useSimulator(use: (simulator: Simulator) => void) {
	let simulator: Simulator;
	beforeAll(async () => use((simulator = await startSimulator())));
	beforeEach(() => simulator.reset());
	afterAll(async () => await simulator.close());
}

/** Runs the node against a simulator, with its user token unless `options` say otherwise. The run may not hold it. */
export async function runOn(
	simulator: Simulator,
	parameters: INodeParameters,
	options: Partial<NodeRun> = {},
) {
	const { credentials } = simulator;
	const result = await runNode(parameters, { credential: credentials, ...options });
	expect(JSON.stringify([result.run, result.error])).not.toContain(credentials.token);
	return result;
}
