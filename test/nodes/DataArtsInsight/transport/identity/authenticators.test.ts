import {
	type Authenticator,
	assertCallerNotRefused,
	type CallerRequest,
	checkAccessKey,
	createAuthenticator as createAuthenticatorWith,
} from '../../../../../nodes/DataArtsInsight/transport/identity/authenticators';
import { RequestError } from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	type LoginAuthentication,
	loginSource,
} from '../../../../../nodes/DataArtsInsight/transport/identity/login';
import type { SendLogin } from '../../../../../nodes/DataArtsInsight/transport/identity/tokenSource';
import type { HttpRequest } from '../../../../../nodes/DataArtsInsight/transport/network/network';
import {
	readCredential,
	type Credential,
} from '../../../../../nodes/DataArtsInsight/transport/identity/credential';
import type { Turn } from '../../../../../nodes/DataArtsInsight/transport/identity/accessKeyLimiter';

const MINUTE = 60_000;

let count = 0;
/** Another caller each time: the process keeps tokens and refusals. */
function newCredential(
	authentication: 'token' | 'password' | 'accessKey' | 'agency',
	change: object = {},
): Credential {
	const own = `own-${++count}`;
	return readCredential({
		...{ authentication, region: 'custom', baseUrl: 'https://insight.example.com', projectId: 'p' },
		...{ workspaceId: 'w', token: own, accessKeyId: own, secretAccessKey: 'SK' },
		...{ iamUrl: 'https://iam.example.com', domainName: own, username: 'user', password: 'MIIsecret' },
		...{ agencyAccount: 'owner', agencyName: 'acceptance' },
		...change,
	});
}

const failure = (httpStatus?: number, code = 'A') =>
	new RequestError('no', 'Do', { code, httpStatus, outcomeUnknown: false });

const turn: Turn = { ready: async () => await Promise.resolve() };
const request: CallerRequest = {
	projectId: 'p',
	method: 'POST',
	origin: 'https://insight.example.com',
	path: '/v1/p/x?a=1',
	headers: { 'X-Own': 'kept' },
	body: '{}',
};

/**
 * What IAM is asked, and how it answers the n-th login, counted from 1: with the tokens `t1`, `t2` and so on, or with
 * temporary keys whose ID is that.
 */
let iam: { seen: HttpRequest[]; reply: (login: number) => string | Error };
beforeEach(() => {
	iam = { seen: [], reply: (login) => `t${login}` };
});
afterEach(() => jest.restoreAllMocks());

const sendLogin: SendLogin = async (login) => {
	iam.seen.push(login);
	const reply = iam.reply(iam.seen.length);
	if (typeof reply !== 'string') return await Promise.reject(reply);
	const credential = { access: reply, secret: `secret-of-${reply}`, securitytoken: `ST-${reply}` };
	return await Promise.resolve({ object: { credential }, headers: { 'x-subject-token': reply } });
};
const createAuthenticator = (credential: Credential) => createAuthenticatorWith(credential, sendLogin);

/** Time that passes at once, so that no login waits for the one before. */
let passed = 0;
const [now, date] = [performance.now.bind(performance), Date.now.bind(Date)];
beforeEach(() => {
	passed = 0;
	jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
});

/** A service that answers one request after the other; the last answer stays. */
class Service {
	readonly seen: Array<Record<string, string>> = [];

	/** What no error may show beside the headers, by request. */
	readonly secrets: Array<readonly string[] | undefined> = [];

	constructor(private readonly answers: Array<RequestError | 'good'>) {}

	readonly send = async (headers: Record<string, string>, secrets?: readonly string[]) => {
		this.seen.push(headers);
		this.secrets.push(secrets);
		passed += 10_000;
		const answer = this.answers[Math.min(this.seen.length, this.answers.length) - 1] ?? 'good';
		return answer === 'good' ? await Promise.resolve(answer) : await Promise.reject(answer);
	};

	/** Sends a request; its result, or its error. */
	async try(caller: Authenticator, how: Partial<Turn> & Partial<CallerRequest> = {}): Promise<unknown> {
		const { ready = turn.ready, signal, ...change } = how;
		const result = caller.authenticate({ ...request, ...change }, { ready, signal }, this.send);
		return await result.catch((error: unknown) => error);
	}

	get tokens() {
		return this.seen.map((headers) => headers['X-Auth-Token']);
	}

	/** The IDs of the keys that signed the requests. */
	get signers() {
		return this.seen.map(({ Authorization = '' }) => /Access=([^,]+),/.exec(Authorization)?.[1]);
	}
}

const notSent = (what: string) => ({
	message: 'no',
	advice: expect.stringContaining(`Nothing was sent: the same ${what} was refused`) as string,
});

describe('a caller with a user token', () => {
	it('sends it beside the headers of the request', async () => {
		const service = new Service(['good']);
		const credential = newCredential('token');
		expect(await service.try(createAuthenticator(credential))).toBe('good');
		expect(service.seen).toEqual([{ 'X-Own': 'kept', 'X-Auth-Token': `own-${count}` }]);
	});

	it('who was refused once sends nothing more, in this run or another', async () => {
		const service = new Service([failure(401)]);
		const credential = newCredential('token');
		const caller = createAuthenticator(credential);
		expect(() => assertCallerNotRefused(credential)).not.toThrow();
		expect(await service.try(caller)).toMatchObject({
			advice: expect.stringContaining('The same user token is not tried again') as string,
		});
		expect(await service.try(caller)).toMatchObject(notSent('user token'));
		expect(await service.try(createAuthenticator(credential))).toMatchObject(notSent('user token'));
		expect(service.seen).toHaveLength(1);
		expect(() => assertCallerNotRefused(credential)).toThrow('no');
		// At another address it may be right.
		const elsewhere = { ...credential, origin: 'https://insight.example.org' };
		expect(() => assertCallerNotRefused(elsewhere)).not.toThrow();
	});

	it.each([403, 500, undefined])('goes on after what is no refusal: HTTP status %s', async (httpStatus) => {
		const error = failure(httpStatus);
		const service = new Service([error, 'good']);
		const caller = createAuthenticator(newCredential('token'));
		expect(await service.try(caller)).toBe(error);
		expect(await service.try(caller)).toBe('good');
	});

	it('is told where a new token is to go', () => {
		expect(createAuthenticator(newCredential('token')).unauthorized({})).toContain("'User Token'");
	});
});

describe('a caller with a password', () => {
	it('logs in once, and sends the token', async () => {
		const service = new Service(['good']);
		const credential = newCredential('password');
		for (const caller of [createAuthenticator(credential), createAuthenticator(credential)]) {
			expect(await service.try(caller)).toBe('good');
		}
		const headers = { 'X-Own': 'kept', 'X-Auth-Token': 't1' };
		expect(service.seen).toEqual([headers, headers]);
		expect(iam.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
			'POST /v3/auth/tokens?nocatalog=true',
		]);
	});

	it('logs in anew where the service refuses the token (401), and sends the request once more', async () => {
		const service = new Service([failure(401), 'good']);
		const caller = createAuthenticator(newCredential('password'));
		expect(await service.try(caller)).toBe('good');
		expect(service.tokens).toEqual(['t1', 't2']);
	});

	it.each([403, 404, 408, 429, 500, undefined])(
		'never sends what was not refused once more: HTTP status %s',
		async (httpStatus) => {
			const error = failure(httpStatus);
			const service = new Service([error]);
			expect(await service.try(createAuthenticator(newCredential('password')))).toBe(error);
			expect(service.tokens).toEqual(['t1']);
		},
	);

	it('whose second token is refused as well sends nothing more in this run', async () => {
		const error = failure(401);
		const service = new Service([error]);
		const caller = createAuthenticator(newCredential('password'));
		expect(await service.try(caller)).toBe(error);
		expect(service.tokens).toEqual(['t1', 't2']);
		const again = await service.try(caller);
		expect(again).toMatchObject({ message: 'no', details: { httpStatus: 401 } });
		// What sends a request again copies the error, and never changes it.
		expect(again).toBe(error);
		expect(service.seen).toHaveLength(2);
		expect(iam.seen).toHaveLength(2);
	});

	it('sends a request twice at most, even if its second token has been replaced as well', async () => {
		const credential = newCredential('password');
		const seen: string[] = [];
		const send = async ({ 'X-Auth-Token': token = '' }: Record<string, string>) => {
			seen.push(token);
			passed += 10_000;
			if (token === 't2')
				loginSource(credential.authentication as LoginAuthentication, sendLogin).drop(token);
			return await Promise.reject(failure(401));
		};
		await expect(createAuthenticator(credential).authenticate(request, turn, send)).rejects.toThrow('no');
		expect(seen).toEqual(['t1', 't2']);
	});

	it.each<[string, RequestError | 'good']>([
		['a success', 'good'],
		['an error of somebody who knows the caller', failure(404)],
	])('lives through any number of ends of its token, each after %s', async (_what, answer) => {
		const service = new Service([failure(401), answer, failure(401), answer, failure(401), answer]);
		const caller = createAuthenticator(newCredential('password'));
		for (let i = 0; i < 3; i++) {
			expect(await service.try(caller)).toBe(answer);
		}
		expect(service.tokens).toEqual(['t1', 't2', 't2', 't3', 't3', 't4']);
	});

	it('whose token is refused again after what says nothing sends nothing more', async () => {
		const service = new Service([failure(401), failure(500), failure(401)]);
		const caller = createAuthenticator(newCredential('password'));
		for (const status of [500, 401, 401]) {
			expect(await service.try(caller)).toMatchObject({ details: { httpStatus: status } });
		}
		expect(service.tokens).toEqual(['t1', 't2', 't2']);
	});

	it('whose token another call has renewed meanwhile does not renew it a second time', async () => {
		const caller = createAuthenticator(newCredential('password'));
		const known: string[] = [];
		const end = new Array<() => void>();
		const send = async (headers: Record<string, string>) => {
			const token = String(headers['X-Auth-Token']);
			known.push(token);
			if (token !== 't1') return 'good';
			await new Promise<void>((resolve) => end.push(resolve));
			throw failure(401);
		};
		const calls = [1, 2, 3].map(async () => await caller.authenticate(request, turn, send));
		while (end.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
		passed += 10_000;
		// One after the other: each of the later ones hears that its token is no longer that at hand.
		for (const [index, one] of end.entries()) {
			one();
			expect(await calls[index]).toBe('good');
		}
		expect(known).toEqual(['t1', 't1', 't1', 't2', 't2', 't2']);
		expect(iam.seen).toHaveLength(2);
	});

	it.each([404, 400])('asks IAM no more in this run once it has said %d', async (status) => {
		iam.reply = () => failure(status);
		const service = new Service(['good']);
		const caller = createAuthenticator(newCredential('password'));
		const errors = [await service.try(caller), await service.try(caller)];
		for (const error of errors) expect(error).toMatchObject({ details: { httpStatus: status } });
		expect(errors[0]).toBe(errors[1]);
		expect(iam.seen).toHaveLength(1);
		expect(service.seen).toEqual([]);
	});

	it('asks IAM again after a fault of it', async () => {
		iam.reply = (login) => (login === 1 ? failure(500) : 'late');
		const service = new Service(['good']);
		const caller = createAuthenticator(newCredential('password'));
		expect(await service.try(caller)).toMatchObject({ details: { httpStatus: 500 } });
		passed += 10_000;
		expect(await service.try(caller)).toBe('good');
	});

	it('sends nothing with a token if its run has failed while it waited for its turn', async () => {
		const service = new Service([failure(401)]);
		const caller = createAuthenticator(newCredential('password'));
		let go = () => {};
		const waiting = service.try(caller, {
			ready: async () => await new Promise<void>((resolve) => (go = resolve)),
		});
		await service.try(caller);
		expect(service.seen).toHaveLength(2);
		go();
		expect(await waiting).toMatchObject({ details: { httpStatus: 401 } });
		expect(service.seen).toHaveLength(2);
	});

	it('is not held back by what was refused to others: the login is looked at when it is made', () => {
		expect(() => assertCallerNotRefused(newCredential('password'))).not.toThrow();
	});

	it('is told what else may be wrong', () => {
		const advice = createAuthenticator(newCredential('password')).unauthorized({});
		expect(advice).toContain("'Region' and 'Project ID' in the credential");
		expect(advice).toContain("'Project ID' in the options of the node");
	});
});

describe('a caller with an access key', () => {
	it('signs the request as it is sent', async () => {
		const service = new Service(['good']);
		const caller = createAuthenticator(newCredential('accessKey'));
		jest.spyOn(Date, 'now').mockReturnValue(0);
		expect(await service.try(caller)).toBe('good');
		expect(await service.try(caller, { method: 'GET', body: undefined })).toBe('good');
		expect(await service.try(caller, { method: 'GET', body: '' })).toBe('good');
		const [post, get, blank] = service.seen;
		expect(post).toMatchObject({ 'X-Own': 'kept', 'X-Project-Id': 'p' });
		expect(post?.Authorization).toContain(`Access=own-${count}, SignedHeaders=host;x-own;x-project-id`);
		expect(Object.keys(get ?? {})).toEqual(Object.keys(post ?? {}));
		if (get?.['X-Sdk-Date'] === blank?.['X-Sdk-Date']) {
			expect(get?.Authorization).toBe(blank?.Authorization);
		}
	});

	it('who was refused once sends nothing more, in this run or another', async () => {
		const service = new Service([failure(401)]);
		const key = { accessKeyId: 'AK-refused', securityToken: 'ST' };
		const credential = newCredential('accessKey', key);
		expect(() => assertCallerNotRefused(credential)).not.toThrow();
		await service.try(createAuthenticator(credential));
		expect(await service.try(createAuthenticator(credential))).toMatchObject(notSent('access key'));
		expect(service.seen).toHaveLength(1);
		expect(() => assertCallerNotRefused(credential)).toThrow('no');
		for (const change of [
			{ accessKeyId: 'AK-other' },
			{ secretAccessKey: 'other' },
			{ securityToken: 'other' },
			{ securityToken: '' },
			{ baseUrl: 'https://insight.example.org' },
		]) {
			expect(() => assertCallerNotRefused(newCredential('accessKey', { ...key, ...change }))).not.toThrow();
		}
	});

	it.each<[string, number, string]>([
		['in time', 0, 'five refusals lock the key'],
		['nearly 15 minutes late', 15 * MINUTE - 1, 'five refusals lock the key'],
		['nearly 15 minutes early', 1 - 15 * MINUTE, 'five refusals lock the key'],
		['15 minutes ahead', 15 * MINUTE, 'is 15 minutes slow'],
		['15 minutes behind', -15 * MINUTE, 'is 15 minutes fast'],
		['an hour ahead', 60 * MINUTE, 'is 60 minutes slow'],
	])('is told of a clock that is not right: the service is %s', (_what, skew, words) => {
		// A header's date knows no milliseconds.
		jest.spyOn(Date, 'now').mockReturnValue(1_000_000_000_000 - skew);
		const date = new Date(1_000_000_000_000).toUTCString();
		expect(createAuthenticator(newCredential('accessKey')).unauthorized({ date })).toContain(words);
	});

	it.each([undefined, 'soon'])('is told to check the key where the service tells no time: %s', (date) => {
		expect(createAuthenticator(newCredential('accessKey')).unauthorized({ date })).toContain(
			"'Access Key ID'",
		);
	});
});

describe('a caller through an agency', () => {
	it('signs each request with the temporary keys that IAM gave, for its project', async () => {
		const service = new Service(['good']);
		const credential = newCredential('agency');
		const caller = createAuthenticator(credential);
		expect(await service.try(caller)).toBe('good');
		expect(await service.try(caller, { projectId: 'q' })).toBe('good');
		expect(await service.try(createAuthenticator(credential))).toBe('good');
		const [first, second] = service.seen;
		expect(first).toMatchObject({ 'X-Own': 'kept', 'X-Project-Id': 'p', 'X-Security-Token': 'ST-t1' });
		expect(first).not.toHaveProperty('X-Auth-Token');
		expect(first?.Authorization).toContain(
			'Access=t1, SignedHeaders=host;x-own;x-project-id;x-sdk-date;x-security-token',
		);
		expect(second?.['X-Project-Id']).toBe('q');
		// One for all projects.
		expect(iam.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
			'POST /v3.0/OS-CREDENTIAL/securitytokens',
		]);
	});

	it('says what no error may show, though it stands in no header', async () => {
		const service = new Service(['good']);
		await service.try(createAuthenticator(newCredential('agency')));
		expect(service.secrets).toEqual([['secret-of-t1']]);
	});

	it('gets new keys where the service refuses them (401), and sends the request once more', async () => {
		const service = new Service([failure(401), 'good']);
		expect(await service.try(createAuthenticator(newCredential('agency')))).toBe('good');
		expect(service.signers).toEqual(['t1', 't2']);
		expect(service.seen.map((headers) => headers['X-Security-Token'])).toEqual(['ST-t1', 'ST-t2']);
	});

	it.each([403, 404, 408, 429, 500, undefined])(
		'never sends what was not refused once more: HTTP status %s',
		async (httpStatus) => {
			const error = failure(httpStatus);
			const service = new Service([error]);
			expect(await service.try(createAuthenticator(newCredential('agency')))).toBe(error);
			expect(service.signers).toEqual(['t1']);
		},
	);

	it('whose second keys are refused as well sends nothing more in this run, in any project', async () => {
		const error = failure(401);
		const service = new Service([error]);
		const caller = createAuthenticator(newCredential('agency'));
		expect(await service.try(caller)).toBe(error);
		expect(await service.try(caller, { projectId: 'q' })).toBe(error);
		expect(service.signers).toEqual(['t1', 't2']);
		expect(iam.seen).toHaveLength(2);
	});

	it('whose keys are refused in the middle of a run goes on with new ones, for all requests in flight', async () => {
		const caller = createAuthenticator(newCredential('agency'));
		await new Service(['good']).try(caller);
		let revoked = false;
		const send = async ({ Authorization = '' }: Record<string, string>) => {
			await Promise.resolve();
			if (Authorization.includes('Access=t1,') && revoked) throw failure(401);
			return 'good';
		};
		revoked = true;
		const calls = Array.from({ length: 20 }, async () => await caller.authenticate(request, turn, send));
		expect(await Promise.all(calls)).toEqual(Array(20).fill('good'));
		expect(iam.seen).toHaveLength(2);
	});

	it('asks IAM no more in this run once it has found no such agency (404), in any project', async () => {
		iam.reply = () => failure(404);
		const service = new Service(['good']);
		const caller = createAuthenticator(newCredential('agency'));
		for (const projectId of ['p', 'q']) {
			expect(await service.try(caller, { projectId })).toMatchObject({ details: { httpStatus: 404 } });
		}
		expect(iam.seen).toHaveLength(1);
		expect(service.seen).toEqual([]);
	});

	it.each<[string, number, string]>([
		['its access key (401)', 401, 'access key'],
		['its agency (403)', 403, 'agency'],
	])('whom IAM has refused %s sends nothing more, in this run or another', async (_what, status, what) => {
		iam.reply = () => failure(status);
		const credential = newCredential('agency');
		const service = new Service(['good']);
		expect(() => assertCallerNotRefused(credential)).not.toThrow();
		await service.try(createAuthenticator(credential));
		expect(await service.try(createAuthenticator(credential))).toMatchObject({
			advice: expect.stringContaining(`Nothing was sent: the same ${what} was refused`) as string,
		});
		expect(() => assertCallerNotRefused(credential)).toThrow('no');
		expect(iam.seen).toHaveLength(1);
		expect(service.seen).toEqual([]);
	});

	it('shares what is known of its access key with those who sign with it themselves', async () => {
		const own = {
			accessKeyId: 'AK-shared',
			baseUrl: 'https://a.example.com',
			iamUrl: 'https://a.example.com',
		};
		const service = new Service([failure(401)]);
		await service.try(createAuthenticator(newCredential('accessKey', own)));
		expect(await service.try(createAuthenticator(newCredential('agency', own)))).toMatchObject(
			notSent('access key'),
		);
		expect(iam.seen).toEqual([]);
	});

	it('is told what else may be wrong, and who gives the agency a permission', () => {
		const caller = createAuthenticator(newCredential('agency'));
		expect(caller.unauthorized({})).toContain("'Region'");
		expect(caller.forbidden).toContain('the account owner to grant the agency');
		expect(createAuthenticator(newCredential('password')).forbidden).toBeUndefined();
	});
});

describe('checkAccessKey', () => {
	const newKey = () => newCredential('accessKey').authentication as Parameters<typeof checkAccessKey>[0];

	it('checks a key once for the whole process', async () => {
		const authentication = newKey();
		const send = jest.fn(async () => await Promise.resolve({}));
		await checkAccessKey(authentication, send);
		await checkAccessKey(authentication, send);
		expect(send).toHaveBeenCalledTimes(1);
	});

	it('passes on a refusal, and sends nothing the next time', async () => {
		const authentication = newKey();
		const send = jest.fn(async () => await Promise.reject(failure(401)));
		await expect(checkAccessKey(authentication, send)).rejects.toThrow('no');
		await expect(checkAccessKey(authentication, send)).rejects.toMatchObject(notSent('access key'));
		expect(send).toHaveBeenCalledTimes(1);
	});

	it('keeps to itself what else goes wrong, and tries again the next time', async () => {
		const authentication = newKey();
		const send = jest.fn(async () => await Promise.reject(failure(500)));
		await checkAccessKey(authentication, send);
		await checkAccessKey(authentication, send);
		expect(send).toHaveBeenCalledTimes(2);
	});

	it('passes on a fault that nobody foresaw', async () => {
		const fault = new TypeError('odd');
		const send = async () => await Promise.reject(fault);
		await expect(checkAccessKey(newKey(), send)).rejects.toBe(fault);
	});
});

describe.each(['token', 'password', 'accessKey', 'agency'] as const)('a caller with a %s', (mode) => {
	const fault = new TypeError('odd');
	it.each<[string, () => Promise<never>]>([
		['later', async () => await Promise.reject(fault)],
		[
			'at once',
			() => {
				throw fault;
			},
		],
	])('gets a fault that nobody foresaw as it is, and goes on: thrown %s', async (_how, send) => {
		const caller = createAuthenticator(newCredential(mode));
		await expect(caller.authenticate(request, turn, send)).rejects.toBe(fault);
		expect(await new Service(['good']).try(caller)).toBe('good');
	});
});

it('a fault in sending the login reaches the caller as it is, and the next request logs in', async () => {
	const fault = new TypeError('odd');
	iam.reply = (login) => (login === 1 ? fault : 't2');
	const caller = createAuthenticator(newCredential('password'));
	const service = new Service(['good']);
	expect(await service.try(caller)).toBe(fault);
	passed += 10_000;
	expect(await service.try(caller)).toBe('good');
	expect(service.tokens).toEqual(['t2']);
});
