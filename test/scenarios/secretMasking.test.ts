import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';

import type { Credential } from '../../nodes/DataArtsInsight/transport/identity/credential';
import { transport } from '../support/engine/built';

const { createClient, loginToken, readAnswer, RequestError } = transport;

/** As long as a token is, and with no piece in it twice. */
const token = `MII${Array.from({ length: 15 }, (_, i) => createHash('sha512').update(String(i)).digest('base64')).join('')}`;

/** All ways in which a secret may come back. */
const forms: Array<[string, (secret: string) => string]> = [
	['plain', (secret) => secret],
	['in capitals', (secret) => secret.toUpperCase()],
	['in small letters', (secret) => secret.toLowerCase()],
	['in JSON', (secret) => JSON.stringify(secret).slice(1, -1)],
	['in JSON in JSON', (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
	['in JSON with slashes escaped', (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
	['in an address', encodeURIComponent],
	['in an address, in small letters', (secret) => encodeURIComponent(secret).toLowerCase()],
	['in an address twice', (secret) => encodeURIComponent(encodeURIComponent(secret))],
	['in an address, in full', (secret) => Buffer.from(secret).toString('hex').replace(/../g, '%$&')],
	['in a form', (secret) => new URLSearchParams({ a: secret }).toString().slice(2)],
	['in base64', (secret) => Buffer.from(secret).toString('base64')],
	['in base64url', (secret) => Buffer.from(secret).toString('base64url')],
	['in base64 behind a name', (secret) => Buffer.from(`u:${secret}`).toString('base64')],
	['in base64 behind a longer name', (secret) => Buffer.from(`user:${secret}!`).toString('base64')],
	['in hexadecimal digits', (secret) => Buffer.from(secret).toString('hex')],
	['in hexadecimal capitals', (secret) => Buffer.from(secret).toString('hex').toUpperCase()],
	[
		'in HTML',
		(secret) =>
			secret
				.replaceAll('&', '&amp;')
				.replaceAll('<', '&lt;')
				.replaceAll('>', '&gt;')
				.replaceAll('"', '&quot;')
				.replaceAll("'", '&#39;'),
	],
	[
		'in HTML, by numbers',
		(secret) => [...secret].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(''),
	],
	[
		'by \\u',
		(secret) =>
			secret
				.split('')
				.map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
				.join(''),
	],
];

const secrets = [
	'MIIsecret',
	'Pa"ss\\word',
	"It's <b>&amp; 100%41</b>",
	'two words + ä/ö€😀',
	'PÄSSwörd Ж',
	'key/with+signs==',
	'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
	token,
];
const context = (secret: string) => ({ creates: true, secrets: [secret], unauthorized: () => 'Renew it' });

/** All that becomes of an answer. */
function outcome(status: number, body: unknown, secret: string, headers = {}): string {
	try {
		return JSON.stringify(
			readAnswer({ status, headers, text: JSON.stringify(body) }, context(secret)).object,
		);
	} catch (error) {
		if (!(error instanceof RequestError)) throw error;
		return JSON.stringify([error, error.message, error.description]);
	}
}

describe.each(forms)('a secret %s', (_how, encode) => {
	it.each(secrets.map((secret) => [secret.slice(0, 30), secret]))(
		'does not come out of any place: %s',
		(_name, secret) => {
			const form = encode(secret);
			// In JSON the form may be written otherwise than it is.
			const written = [form, JSON.stringify(form).slice(1, -1)].map((text) => text.slice(0, 400));
			const text = `before ${form} after`;
			const places: string[] = [
				outcome(200, { id: text, a: [{ b: text }], [`key ${form}`]: 1 }, secret),
				outcome(400, { error_msg: text }, secret),
				outcome(400, { error_msg: `${'x '.repeat(245)}${form}` }, secret),
				outcome(401, { error: { message: text, code: form } }, secret),
				outcome(500, { error_code: form, request_id: form }, secret),
				outcome(200, { is_success: false, message: text }, secret),
				outcome(302, {}, secret, { location: `https://${form}.example.com/${form}`, 'x-request-id': form }),
				outcome(404, {}, secret, { 'x-request-id': form }),
			];
			for (const place of places) {
				for (const one of written) expect(place.toLowerCase().includes(one.toLowerCase())).toBe(false);
			}
			expect(places[0]).toContain('before ');
			// What stands in one text of base64 with the secret may stay.
			expect(places[1]).toMatch(/before [\w+/]{0,12}\*\*\*/);
		},
	);
});

it('of a long secret a piece is as secret, wherever it begins', () => {
	fc.assert(
		fc.property(
			fc.nat(token.length - 40),
			fc.string({ maxLength: 600 }),
			fc.string(),
			(at, before, after) => {
				const piece = token.slice(at, at + 40);
				for (const place of [
					outcome(200, { id: `${before}${piece}${after}` }, token),
					outcome(400, { error_msg: `${before}${piece}${after}` }, token),
				]) {
					for (let i = 0; i <= 20; i++) expect(place.includes(piece.slice(i, i + 20))).toBe(false);
				}
			},
		),
		{ numRuns: 300 },
	);
});

it('the end of a text that is cut holds no beginning of a secret', () => {
	for (const secret of ['MIIsecret-of-a-user', token]) {
		for (const at of [480, 490, 495, 499, 4_080, 4_090, 4_095]) {
			const place = outcome(
				400,
				{ error_msg: `${' '.repeat(at % 7)}${'ab '.repeat(2000).slice(0, at)}${secret}` },
				secret,
			);
			expect(place).not.toContain('MII');
		}
	}
	// What is masked makes a text shorter, so what stands far behind comes closer.
	const filled = token.repeat(4).slice(0, 4_090);
	const place = outcome(400, { error_msg: filled + token }, token);
	expect(place).toContain('***');
	expect(place).not.toContain(token.slice(0, 5));
});

it('a text without a secret stays as it is', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (value) => {
			const text = JSON.stringify({ id: '1', value });
			// What is changed on purpose: see hostileAnswers.test.ts.
			if (/__proto__|\d{16}/.test(text)) return;
			const { object } = readAnswer({ status: 200, headers: {}, text }, context('not-in-any-text'));
			expect(JSON.stringify(object)).toBe(text);
		}),
	);
	expect(outcome(400, { error_msg: '100%25 of a\\b &amp; c' }, 'MIIsecret')).toContain('100%25 of a');
});

it('a secret of three characters is not looked for: it would star any text', () => {
	expect(outcome(400, { error_msg: 'a cat and a dog' }, 'cat')).toContain('a cat and a dog');
	expect(outcome(400, { error_msg: 'a lion and a dog' }, 'lion')).toContain('a *** and a dog');
});

it.each([
	['bad: X-Auth-Token: abc', 'bad'],
	['bad {"x-auth-token": "abc"}', 'bad'],
	['bad, Authorization=abc', 'bad'],
	['verify fail, canonicalRequest:POST|/v1/', 'verify fail'],
	['verify fail, canonical_request POST', 'verify fail'],
	['bad SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=abc', 'bad'],
	['Incorrect IAM authentication information: x-auth-token not found', undefined],
])('of %s only the reason stays', (error_msg, reason) => {
	const place = outcome(400, { error_msg }, 'MIIsecret');
	expect(place).toContain(`"${reason ?? error_msg}"`);
	if (reason) expect(place).not.toMatch(/abc|POST/);
});

describe('of a request that is repeated', () => {
	const sessionWith = (origin: string, proof: Credential['authentication'], known: string[]): Credential => ({
		origin,
		projectId: 'p',
		workspaceId: 'w',
		authentication: proof,
		allowUnauthorizedCerts: false,
		secrets: known,
	});
	const accessKey = { accessKeyId: 'AK', secretAccessKey: 'secret-access-key', securityToken: '' };

	it.each<[string, Credential['authentication'], (request: IncomingMessage) => string]>([
		[
			'signature',
			{ mode: 'accessKey', accessKey, site: 'here' },
			({ headers }) => String(headers.authorization).split('Signature=')[1] ?? 'none',
		],
		[
			'token',
			{ mode: 'token', token: 'a-token-of-somebody' },
			({ headers }) => String(headers['x-auth-token']),
		],
	])('the %s comes out of no answer', async (_what, proof, secretOf) => {
		const seen: string[] = [];
		let status = 200;
		const server = createServer((request, response) => {
			const secret = secretOf(request);
			seen.push(secret);
			response.writeHead(status).end(JSON.stringify({ id: `i ${secret}`, error_msg: `m ${secret}` }));
		}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		const call = await createClient(sessionWith(origin, proof, []), { timeout: 5_000, maxRetries: 0 });
		const post = { method: 'POST' as const, path: '/x', body: {} };
		try {
			expect(await call(post)).toEqual({ id: 'i ***', error_msg: 'm ***' });
			status = 400;
			await expect(call(post)).rejects.toMatchObject({ message: 'm ***' });
		} finally {
			server.closeAllConnections();
			server.close();
		}
		expect(seen).toHaveLength(2);
		expect(seen[0]?.length).toBeGreaterThan(10);
	});
});

describe('a login creates nothing', () => {
	const login = { domainName: 'd', username: 'u', password: 'a-password-of-somebody', projectId: 'p' };
	let number = 0;
	const proof = () => ({
		mode: 'password' as const,
		login: { ...login, username: `u${number++}` },
		iamOrigin: 'https://iam.example.com',
		allowUnauthorizedCerts: false,
	});
	const failed = async (status: number, body: object) =>
		await loginToken(
			proof(),
			async (_request, loginContext) =>
				await Promise.resolve(readAnswer({ status, headers: {}, text: JSON.stringify(body) }, loginContext)),
		).catch((error: unknown) => error);

	it('so nothing is left open when IAM fails, and its password is not shown', async () => {
		const error = await failed(500, { error_msg: `bad ${login.password}` });
		expect(error).toMatchObject({
			message: 'No token from IAM: bad ***',
			details: { outcomeUnknown: false },
		});
	});

	it('nor when there is no token in the answer', async () => {
		expect(await failed(201, {})).toMatchObject({
			details: { code: 'UNEXPECTED_ANSWER', outcomeUnknown: false },
		});
	});
});
