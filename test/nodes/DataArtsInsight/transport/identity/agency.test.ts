import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials';
import type { JsonObject } from 'n8n-workflow';

import {
	type RequestContext,
	RequestError,
} from '../../../../../nodes/DataArtsInsight/transport/errors/errors';
import {
	type AgencyAuthentication,
	assertAgencyNotRefused,
	knownTemporaryKey,
	type TemporaryKey,
	temporaryKeySource,
} from '../../../../../nodes/DataArtsInsight/transport/identity/agency';
import type { SendLogin } from '../../../../../nodes/DataArtsInsight/transport/identity/tokenSource';
import type { HttpRequest } from '../../../../../nodes/DataArtsInsight/transport/network/network';

const HOUR = 3_600_000;

let count = 0;
/** Another access key each time: the process keeps temporary keys and refusals. */
const newAuthentication = (): AgencyAuthentication => ({
	mode: 'agency',
	accessKey: { accessKeyId: `AK${++count}`, secretAccessKey: 'SK-of-the-caller' },
	agency: { account: 'owner-account', name: 'acceptance' },
	iamOrigin: 'https://iam.example.com',
	site: 'example.com',
	allowUnauthorizedCerts: false,
});

const refusal = (httpStatus?: number, code = 'A') =>
	new RequestError('no', 'Do', { code, httpStatus, outcomeUnknown: false });

type Answer = JsonObject | Error | (() => Promise<never>);

const END = '2001-01-01T01:00:00.000000Z';

/** IAM, which gives `AKT1`, `AKT2` and so on, or what a test has it answer. */
class Iam {
	readonly seen: Array<{ request: HttpRequest; context: RequestContext; signal: AbortSignal }> = [];

	date = 'Mon, 01 Jan 2001 00:00:00 GMT';

	constructor(private readonly answers: Answer[] = []) {}

	readonly send: SendLogin = async (request, context, signal) => {
		this.seen.push({ request, context, signal });
		const number = this.seen.length;
		const answer = this.answers[Math.min(number, this.answers.length) - 1];
		if (answer instanceof Error) return await Promise.reject(answer);
		if (typeof answer === 'function') return await answer();
		const pair = { access: `AKT${number}`, secret: `SKT-${number}`, securitytoken: `ST-${number}` };
		const object = answer ?? { credential: { ...pair, expires_at: END } };
		return await Promise.resolve({ object, headers: { date: this.date } });
	};

	async get(authentication: AgencyAuthentication, signal?: AbortSignal): Promise<TemporaryKey> {
		return await temporaryKeySource(authentication, this.send).get(signal);
	}

	/** The ID of the key, or the error. */
	async try(authentication: AgencyAuthentication): Promise<unknown> {
		return await this.get(authentication).then(
			({ accessKeyId }) => accessKeyId,
			(error: unknown) => error,
		);
	}
}

/** Time that passes at once, so that no request to IAM waits for the one before. */
let passed = 0;
let now: () => number;
beforeEach(() => {
	passed = 0;
	now = performance.now.bind(performance);
	const date = Date.now.bind(Date);
	jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.spyOn(Date, 'now').mockImplementation(() => date() + passed);
});
afterEach(() => jest.restoreAllMocks());

describe('temporary keys', () => {
	it('are asked for to the letter', async () => {
		const iam = new Iam();
		const key = await iam.get(newAuthentication());
		expect(key).toEqual({ accessKeyId: 'AKT1', secretAccessKey: 'SKT-1', securityToken: 'ST-1' });
		expect(iam.seen[0]?.request).toMatchObject({
			method: 'POST',
			origin: 'https://iam.example.com',
			path: '/v3.0/OS-CREDENTIAL/securitytokens',
			headers: { 'Content-Type': 'application/json' },
		});
		// No project and no token: the keys are for all projects of the agency.
		expect(Object.keys(iam.seen[0]?.request.headers ?? {}).sort()).toEqual([
			...['Authorization', 'Content-Type', 'X-Sdk-Date'],
		]);
		expect(JSON.parse(iam.seen[0]?.request.body ?? '')).toEqual({
			auth: {
				identity: {
					methods: ['assume_role'],
					assume_role: {
						...{ domain_name: 'owner-account', agency_name: 'acceptance', duration_seconds: 3_600 },
					},
				},
			},
		});
	});

	it("are asked for with the signature of Huawei Cloud's own SDK", async () => {
		const iam = new Iam();
		const authentication = newAuthentication();
		await iam.get(authentication);
		const { method, origin, path, headers, body = '' } = iam.seen[0]?.request ?? ({} as HttpRequest);
		const { Authorization: ours, ...unsigned } = headers;
		const { accessKeyId, secretAccessKey } = authentication.accessKey;
		const theirs = AKSKSigner.sign(
			{
				...{ method, endpoint: `${origin}${path}`, url: '', queryParams: {}, headers: unsigned },
				data: JSON.parse(body) as unknown,
			},
			new BasicCredentials().withAk(accessKeyId).withSk(secretAccessKey),
		) as Record<string, string>;
		expect(ours).toBe(theirs.Authorization);
	});

	it('are fetched once for all who ask at once, and kept', async () => {
		const iam = new Iam();
		const authentication = newAuthentication();
		const keys = await Promise.all(Array.from({ length: 20 }, async () => await iam.get(authentication)));
		expect(new Set(keys).size).toBe(1);
		expect(await iam.get({ ...authentication })).toBe(keys[0]);
		expect(knownTemporaryKey(authentication)).toBe(keys[0]);
		expect(iam.seen).toHaveLength(1);
	});

	it('are renewed five minutes before their end, by the clock of IAM', async () => {
		const iam = new Iam();
		const authentication = newAuthentication();
		await iam.get(authentication);
		passed += HOUR - 6 * 60_000;
		expect(await iam.try(authentication)).toBe('AKT1');
		passed += 2 * 60_000;
		expect(knownTemporaryKey(authentication)).toBeUndefined();
		expect(await iam.try(authentication)).toBe('AKT2');
	});

	it('are used until they end where IAM cannot renew them', async () => {
		const iam = new Iam([
			{ credential: { access: 'AKT1', secret: 'SK', securitytoken: 'ST', expires_at: END } },
			refusal(500),
		]);
		const authentication = newAuthentication();
		await iam.get(authentication);
		passed += HOUR - 4 * 60_000;
		expect(await iam.try(authentication)).toBe('AKT1');
		expect(iam.seen).toHaveLength(2);
	});

	it('are used no longer once IAM refuses to renew them (403): the agency was withdrawn', async () => {
		const iam = new Iam([
			{ credential: { access: 'AKT1', secret: 'SK', securitytoken: 'ST', expires_at: END } },
			refusal(403),
		]);
		const authentication = newAuthentication();
		await iam.get(authentication);
		passed += HOUR - 4 * 60_000;
		for (let i = 0; i < 2; i++) {
			expect(await iam.try(authentication)).toMatchObject({ details: { httpStatus: 403 } });
			expect(knownTemporaryKey(authentication)).toBeUndefined();
		}
		expect(iam.seen).toHaveLength(2);
	});

	it('do not end sooner because the clock of the machine was set', async () => {
		const iam = new Iam();
		const authentication = newAuthentication();
		await iam.get(authentication);
		jest.spyOn(Date, 'now').mockReturnValue(4_000_000_000_000);
		expect(await iam.try(authentication)).toBe('AKT1');
		expect(iam.seen).toHaveLength(1);
	});

	it.each<[string, (authentication: AgencyAuthentication) => AgencyAuthentication]>([
		['agency', (one) => ({ ...one, agency: { ...one.agency, name: 'other' } })],
		['account', (one) => ({ ...one, agency: { ...one.agency, account: 'other' } })],
		['access key', (one) => ({ ...one, accessKey: { ...one.accessKey, secretAccessKey: 'other' } })],
		['IAM', (one) => ({ ...one, iamOrigin: 'https://iam.example.org' })],
		['check of certificates', (one) => ({ ...one, allowUnauthorizedCerts: true })],
	])('serve no other %s', async (_what, change) => {
		const iam = new Iam();
		const authentication = newAuthentication();
		expect(await iam.try(authentication)).toBe('AKT1');
		expect(await iam.try(change(authentication))).toBe('AKT2');
		expect(await iam.try(authentication)).toBe('AKT1');
	});

	it('that the service refuses are forgotten, and no others', async () => {
		const iam = new Iam();
		const authentication = newAuthentication();
		const source = temporaryKeySource(authentication, iam.send);
		const first = await source.get();
		expect(source.drop({ ...first })).toBe(false);
		expect(source.drop(first)).toBe(true);
		passed += 10_000;
		expect(await iam.try(authentication)).toBe('AKT2');
	});

	it('are given up when the execution is stopped, and the request to IAM with the last who waits', async () => {
		const iam = new Iam([async () => await new Promise<never>(() => undefined)]);
		const authentication = newAuthentication();
		const stop = new AbortController();
		const waiting = iam.get(authentication, stop.signal).catch((error: unknown) => error);
		while (iam.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		expect(await waiting).toMatchObject({ details: { code: 'CANCELLED', outcomeUnknown: false } });
		expect(iam.seen[0]?.signal.aborted).toBe(true);
	});
});

describe('an answer of IAM that holds no temporary keys', () => {
	const good = { access: 'AKT', secret: 'SKT-secret', securitytoken: 'ST', expires_at: END };

	it.each<[string, JsonObject]>([
		['nothing', {}],
		['null', { credential: null }],
		['a list', { credential: [good] }],
		['text', { credential: 'AKT' }],
		['no key', { credential: { ...good, access: undefined } } as unknown as JsonObject],
		['no secret', { credential: { ...good, secret: null } }],
		['no security token', { credential: { ...good, securitytoken: '' } }],
		['a number', { credential: { ...good, access: 42 } }],
		['an object for a secret', { credential: { ...good, secret: { value: 'x' } } }],
		['a line break', { credential: { ...good, securitytoken: 'ST\r\nX-Other: 1' } }],
		['a line break in the ID', { credential: { ...good, access: 'AK\nX' } }],
		['a blank', { credential: { ...good, access: 'AK, SignedHeaders=x' } }],
		['what is not ASCII', { credential: { ...good, secret: 'SK\u00e4' } }],
		['a token that no header can carry', { credential: { ...good, securitytoken: 'x'.repeat(65_537) } }],
	])('is an error that shows none of it: %s', async (_what, answer) => {
		const iam = new Iam([answer]);
		const error = await iam.try(newAuthentication());
		expect(error).toMatchObject({
			message: 'No temporary keys from IAM: The service answered without temporary keys that can be used',
			details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: false },
		});
		expect(JSON.stringify(error)).not.toContain('SKT-secret');
	});

	it('with a long security token is none: its length is not fixed', async () => {
		const securitytoken = 'x'.repeat(65_536);
		const iam = new Iam([{ credential: { ...good, securitytoken } }]);
		expect(await iam.get(newAuthentication())).toMatchObject({ securityToken: securitytoken });
	});

	it('without an end gives keys that are used until the service refuses them', async () => {
		for (const expires_at of [undefined, 'soon', 42]) {
			const iam = new Iam([{ credential: { ...good, expires_at } } as unknown as JsonObject]);
			const authentication = newAuthentication();
			await iam.get(authentication);
			passed += 1_000 * HOUR;
			expect(await iam.try(authentication)).toBe('AKT');
			expect(iam.seen).toHaveLength(1);
		}
	});
});

describe('what IAM has refused', () => {
	it('is the access key (401), for all of its agencies: five bad signatures would lock it', async () => {
		const iam = new Iam([refusal(401)]);
		const authentication = newAuthentication();
		expect(() => assertAgencyNotRefused(authentication)).not.toThrow();
		expect(await iam.try(authentication)).toMatchObject({
			message: 'No temporary keys from IAM: no',
			advice: expect.stringContaining('The same access key is not tried again for 15 minutes') as string,
		});
		for (const other of [
			authentication,
			{ ...authentication, agency: { account: 'other', name: 'other' } },
			{ ...authentication, iamOrigin: 'https://iam.other.example.com' },
		]) {
			expect(await iam.try(other)).toMatchObject({
				advice: expect.stringContaining('Nothing was sent: the same access key was refused') as string,
			});
			expect(() => assertAgencyNotRefused(other)).toThrow('no');
		}
		expect(iam.seen).toHaveLength(1);
	});

	it('is the access key once, even where many agencies ask for keys at once', async () => {
		const iam = new Iam([refusal(401)]);
		const authentication = newAuthentication();
		const all = Array.from({ length: 20 }, async (_, name) => {
			const agency = { account: 'owner-account', name: `agency-${name}` };
			return await iam.try({ ...authentication, agency });
		});
		for (const error of await Promise.all(all)) expect(error).toMatchObject({ details: { httpStatus: 401 } });
		expect(iam.seen).toHaveLength(1);
	});

	it('is the access key once, even where IAM takes its time to refuse and many agencies ask', async () => {
		const places: AbortController[] = [];
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((after) => {
			const timer = new AbortController();
			if (after === 5_000) places.push(timer);
			return timer.signal;
		});
		let answer = () => {};
		const decided = new Promise<void>((resolve) => (answer = resolve));
		const iam = new Iam([async () => await decided.then(async () => await Promise.reject(refusal(401)))]);
		const authentication = newAuthentication();
		const all = Array.from({ length: 20 }, async (_, name) => {
			const agency = { account: 'owner-account', name: `agency-${name}` };
			return await iam.try({ ...authentication, agency });
		});
		// Twice, a request that is five seconds old gives its place to others.
		for (let i = 0; i < 2; i++) {
			await new Promise((resolve) => setImmediate(resolve));
			for (const place of places.splice(0)) place.abort();
		}
		await new Promise((resolve) => setImmediate(resolve));
		answer();
		for (const error of await Promise.all(all)) expect(error).toMatchObject({ details: { httpStatus: 401 } });
		expect(iam.seen).toHaveLength(1);
	});

	it('is the agency to this key (403), in all regions of the site, and no other agency', async () => {
		const iam = new Iam([refusal(403), {}]);
		const authentication = newAuthentication();
		expect(await iam.try(authentication)).toMatchObject({
			advice: expect.stringContaining('The same agency is not tried again for 15 minutes') as string,
		});
		const elsewhere = { ...authentication, iamOrigin: 'https://iam.other.example.com' };
		expect(await iam.try(elsewhere)).toMatchObject({
			advice: expect.stringContaining('Nothing was sent: the same agency was refused') as string,
		});
		expect(() => assertAgencyNotRefused(authentication)).toThrow('no');
		expect(iam.seen).toHaveLength(1);
		const other = { ...authentication, agency: { account: 'owner-account', name: 'other' } };
		await iam.try(other);
		expect(iam.seen).toHaveLength(2);
	});

	it.each([400, 404, 500, undefined])('is nothing that lasts: HTTP status %s', async (httpStatus) => {
		const iam = new Iam([refusal(httpStatus)]);
		const authentication = newAuthentication();
		for (let i = 0; i < 2; i++) {
			expect(await iam.try(authentication)).toMatchObject({ message: 'No temporary keys from IAM: no' });
			passed += 10_000;
		}
		expect(iam.seen).toHaveLength(2);
	});

	it('ends after 15 minutes, or when the clock was set, which signatures hold', async () => {
		for (const wait of [() => (passed += 15 * 60_000), () => jest.spyOn(Date, 'now').mockReturnValue(0)]) {
			const iam = new Iam([refusal(401), {}]);
			const authentication = newAuthentication();
			await iam.try(authentication);
			wait();
			passed += 10_000;
			await iam.try(authentication);
			expect(iam.seen).toHaveLength(2);
		}
	});
});

it('a request for temporary keys says what not to show, and what to do where IAM refuses', async () => {
	const iam = new Iam();
	await iam.get(newAuthentication());
	const { request, context } = iam.seen[0] ?? ({} as (typeof iam.seen)[0]);
	expect(context.secrets).toEqual([
		'SK-of-the-caller',
		request.headers.Authorization?.split('Signature=')[1],
	]);
	expect(context).not.toHaveProperty('doubt');
	expect(context.unauthorized({})).toContain("Check 'Access Key ID' and 'Secret Access Key'");
	expect(context.advice?.forbidden).toMatch(/'Agency Name'.*trust.*Agent Operator/);
	expect(context.advice?.notFound).toMatch(/'Agency Account Name' and 'Agency Name'/);
});
