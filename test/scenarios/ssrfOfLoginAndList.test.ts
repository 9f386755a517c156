// First: n8n reads its policy while it is imported.
import '../support/network/egressPolicy';

import { built, OUR_NODE } from '../support/engine/built';
import { searchList } from '../support/engine';
import { startScriptedServer } from '../support/network/scriptedServer';
import { verify } from '../support/engine/verify';
import { startSimulator } from '../support/cloud';

it("n8n's egress policy keeps the login away from an IAM that is blocked", async () => {
	const iam = await startScriptedServer(() => ({}));
	const simulator = await startSimulator();
	const credentials = {
		...simulator.passwordCredentials,
		baseUrl: simulator.url.replace('127.0.0.1', '127.0.0.9'),
		iamUrl: iam.url,
	};
	const { items } = await verify(['a', 'b'], { credentials });
	expect(items).toHaveLength(2);
	for (const { json } of items)
		expect(json.details).toMatchObject({ code: 'BLOCKED', outcomeUnknown: false });
	expect(iam.seen).toEqual([]);
	await iam.close();
	await simulator.close();
});

it("n8n's egress policy keeps the list of endpoint services away from an address that is blocked", async () => {
	const service = await startScriptedServer(() => ({ body: { endpoint_services: [], total_count: 0 } }));
	const credential = {
		region: 'custom',
		baseUrl: service.url,
		token: 'MIItoken',
		projectId: 'p',
		workspaceId: 'w',
	};
	const search = async (vpcepUrl: string) =>
		await searchList(OUR_NODE, 'searchEndpointServices', {
			types: await built,
			credentials: { dataArtsInsightApi: { ...credential, vpcepUrl } },
		});
	await expect(search(service.url)).rejects.toThrow('could not be listed');
	expect(service.seen).toEqual([]);
	await service.close();
});
