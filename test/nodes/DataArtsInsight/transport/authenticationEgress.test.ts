// First: n8n reads its policy while it is imported.
import '../../../network/egressPolicy';

import { startSimulator } from '../../../simulator';
import { verify } from '../../../network/verify';
import { startScriptedServer } from '../../../network/scriptedServer';

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
