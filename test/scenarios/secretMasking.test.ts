import { createHash } from 'node:crypto';

import fc from 'fast-check';

import { transport } from '../support/engine/built';

const { loginSource, receive, RequestError } = transport;

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
const context = (secret: string) => ({
	doubt: 'It may have acted',
	secrets: [secret],
	unauthorized: () => 'Renew it',
});

/** All that becomes of an answer. */
function outcome(status: number, body: unknown, secret: string, headers = {}): string {
	try {
		return JSON.stringify(receive({ status, headers, text: JSON.stringify(body) }, context(secret)).object);
	} catch (error) {
		if (!(error instanceof RequestError)) throw error;
		return JSON.stringify([error, error.message, error.description]);
	}
}

describe.each(forms)('secret masking: a secret %s', (_how, encode) => {
	it.each(secrets.map((secret) => [secret.slice(0, 30), secret]))(
		'is in no item and no error: %s',
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

it('secret masking: any 20 characters of a token are masked', () => {
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

it('secret masking: a text that is cut off shows no beginning of a token', () => {
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

it('secret masking: a text without a secret stays as it is', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (value) => {
			const text = JSON.stringify({ id: '1', value });
			// What is changed on purpose: see hostileJson.test.ts.
			if (/__proto__|\d{16}/.test(text)) return;
			const { object } = receive({ status: 200, headers: {}, text }, context('not-in-any-text'));
			expect(JSON.stringify(object)).toBe(text);
		}),
	);
	expect(outcome(400, { error_msg: '100%25 of a\\b &amp; c' }, 'MIIsecret')).toContain('100%25 of a');
});

describe('a login that fails with 500', () => {
	const login = { domainName: 'd', username: 'u', password: 'a-password-of-somebody', projectId: 'p' };
	let number = 0;
	const authentication = () => ({
		mode: 'password' as const,
		login: { ...login, username: `u${number++}` },
		iamOrigin: 'https://iam.example.com',
		allowUnauthorizedCerts: false,
		site: 'example.com',
	});
	const failed = async (status: number, body: object) =>
		await loginSource(
			authentication(),
			async (_request, loginContext) =>
				await Promise.resolve(receive({ status, headers: {}, text: JSON.stringify(body) }, loginContext)),
		)
			.get()
			.catch((error: unknown) => error);

	it('creates nothing, so its outcome is known, and the error does not show the password', async () => {
		const error = await failed(500, { error_msg: `bad ${login.password}` });
		expect(error).toMatchObject({
			message: 'No token from IAM: bad ***',
			details: { outcomeUnknown: false },
		});
	});
});
