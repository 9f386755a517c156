import { bundledPackages, findings, lockFile } from '../../publishing/bundled';

it('the bundled packages are those whose licences the build lists', () => {
	const licences = `undici 7.30.2

MIT License

Version 2.0 of January 2004. Copyright (c) 1.2.3 and others

@scope/some.part 1.0.0-beta.1

MIT
`;
	expect(bundledPackages(licences)).toEqual([
		{ name: 'undici', version: '7.30.2' },
		{ name: '@scope/some.part', version: '1.0.0-beta.1' },
	]);
});

it('the lock file holds these versions and nothing else', () => {
	expect(lockFile([{ name: 'undici', version: '7.30.2' }])).toEqual({
		name: 'bundled',
		lockfileVersion: 3,
		packages: {
			'': { name: 'bundled', dependencies: { undici: '7.30.2' } },
			'node_modules/undici': { version: '7.30.2' },
		},
	});
});

describe('what the registry knows against a package', () => {
	it('is one line with the reasons, a package that depends on a bad one included', () => {
		const vulnerabilities = {
			'ip-address': { severity: 'high', range: '<=9.0.0', via: [{ title: 'A leak' }, { title: 'A loop' }] },
			socks: { severity: 'high', range: '<=2.8.0', via: ['ip-address'] },
		};
		expect(findings({ auditReportVersion: 2, vulnerabilities })).toEqual([
			'ip-address <=9.0.0 (high): A leak; A loop',
			'socks <=2.8.0 (high): ip-address',
		]);
	});

	it('is nothing if there is nothing', () => {
		expect(findings({ auditReportVersion: 2, vulnerabilities: {} })).toEqual([]);
	});

	it('is not known if there is no answer', () => {
		expect(findings({ message: '405 Method Not Allowed' })).toBeUndefined();
	});
});
