import { ambiguous, startCountingService } from '../support/cloud/countingService';
import { detailsOf, makeNames, postsOf, verify } from '../support/engine/verify';
import { faultServerName, startSimulator } from '../support/cloud';

const modes = ['credentials', 'passwordCredentials', 'accessKeyCredentials'] as const;

it.each(modes)('what may have reached the service is never sent again: %s', async (mode) => {
	const [service, simulator] = [await startCountingService(), await startSimulator()];
	const names = makeNames(ambiguous.length * 2);
	service.reply = (name) => ambiguous[names.indexOf(name) % ambiguous.length] ?? 'good';
	const { items } = await verify(names, {
		credentials: { ...simulator[mode], baseUrl: service.url },
		options: { maxRetries: 3 },
	});
	expect(postsOf(service, names)).toEqual(names.map(() => 1));
	expect(detailsOf(items).map((details) => details?.outcomeUnknown)).toEqual(names.map(() => true));
	await Promise.all([service.close(), simulator.close()]);
});

it('neither a token got by a login nor the password shows when the service repeats it', async () => {
	const simulator = await startSimulator();
	const credentials = simulator.passwordCredentials;
	const options = { maxRetries: 0 };
	const echoed = await verify([faultServerName('token-echo')], { credentials, options });
	const token = String(simulator.requests.at(-1)?.headers['x-auth-token']);
	expect(token.length).toBeGreaterThan(10);
	expect(JSON.stringify([echoed.run, echoed.items])).not.toContain(token);
	simulator.revokeTokens();
	simulator.failNext('apigw-0301-expired');
	simulator.failNext('token-echo');
	const login = await verify(['cn-north-4.x'], { credentials, options });
	expect(login.items[0]?.json.error).toContain('No token from IAM');
	expect(JSON.stringify([login.run, login.items])).not.toContain(credentials.password);
	await simulator.close();
});
