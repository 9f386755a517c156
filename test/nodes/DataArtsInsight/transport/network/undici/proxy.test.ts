import { UnusableProxy } from '../../../../../../nodes/DataArtsInsight/transport/network/failure';
import { proxyFor } from '../../../../../../nodes/DataArtsInsight/transport/network/undici/proxy';
import { setProxies } from '../../../../../support/network/httpProxy';

beforeEach(() => setProxies());
afterEach(() => setProxies());

const hostFor = (origin: string) => proxyFor(origin)?.host;

/** What is thrown. */
function thrownBy(act: () => unknown): unknown {
	try {
		act();
	} catch (error) {
		return error;
	}
	return undefined;
}

it('is none if the environment names none, or without TLS', () => {
	expect(hostFor('https://example.com')).toBeUndefined();
	setProxies({ HTTP_PROXY: 'http://proxy.example', ALL_PROXY: 'http://proxy.example' });
	expect(hostFor('http://127.0.0.1')).toBeUndefined();
	expect(hostFor('https://example.com')).toBe('proxy.example');
});

it('is the whole URL, with its login', () => {
	setProxies({ HTTPS_PROXY: 'http://user:secret@proxy.example:3128' });
	expect(proxyFor('https://example.com')?.href).toBe('http://user:secret@proxy.example:3128/');
});

it.each([
	['https://example.com', 'example.com', true],
	['https://example.com', 'xample.co', false],
	['https://example.com:8443', 'example.com:443', false],
	['https://[2001:db8::1]', '[2001:db8::1]', true],
	['https://[2001:db8::1]', '2001:db8::1', true],
	['https://[2001:db8::1]', '2001:db8::2', false],
	['https://[2001:db8::12]:8443', '2001:db8::12', true],
	['https://[2001:db8:1:2:3:4:5:67]', '2001:db8:1:2:3:4:5:67', true],
	['https://[2001:1::a]', '2001:1::a', true],
	['https://[2001:db8::ab]', '192.0.2.1, 2001:db8::ab', true],
])('for %s with NO_PROXY=%s: exempt is %j', (origin, exempt, isExempt) => {
	setProxies({ HTTPS_PROXY: 'http://proxy.example', NO_PROXY: exempt });
	expect(hostFor(origin)).toBe(isExempt ? undefined : 'proxy.example');
});

it.each(['http', 'https', 'socks', 'socks4', 'socks4a', 'socks5', 'socks5h'])(
	'may be of the kind %s',
	(scheme) => {
		setProxies({ HTTPS_PROXY: `${scheme}://proxy.example:3128` });
		expect(hostFor('https://example.com')).toBe('proxy.example:3128');
	},
);

it.each(['ftp', 'xhttp', 'https5', 'socks6', 'socks5x', 'socks4h'])(
	'cannot be of the kind %s, and the error holds no login',
	(scheme) => {
		setProxies({ HTTPS_PROXY: `${scheme}://user:secret@proxy.example:3128` });
		const error = thrownBy(() => proxyFor('https://example.com'));
		expect(error).toBeInstanceOf(UnusableProxy);
		expect(error).toMatchObject({ problem: 'unknownKind' });
		expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/secret|proxy\.example/);
	},
);

it('has to be a web address', () => {
	setProxies({ HTTPS_PROXY: 'http://user:secret@' });
	const error = thrownBy(() => proxyFor('https://example.com'));
	expect(error).toBeInstanceOf(UnusableProxy);
	expect(error).toMatchObject({ problem: 'notAnAddress' });
	expect((error as Error).message).not.toContain('secret');
});

it.each([
	['user:secret', true],
	['user:se%41%zZ', false],
	['user:se%aF', true],
	['user:se%4', false],
	['user:se%4z', false],
	['us%er:secret', false],
	['%:secret', false],
])('with the login %s: percent-encoded is %j', (login, valid) => {
	setProxies({ HTTPS_PROXY: `http://${login}@proxy.example` });
	const error = thrownBy(() => proxyFor('https://example.com'));
	if (valid) expect(error).toBeUndefined();
	else {
		expect(error).toBeInstanceOf(UnusableProxy);
		expect(error).toMatchObject({ problem: 'loginNotEncoded' });
	}
});
