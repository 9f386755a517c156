import { type Manifest, ownersList, versionProblems } from '../../publishing/readiness';

const NAME = 'n8n-nodes-some-service';

const filledIn: Manifest = {
	name: NAME,
	version: '1.2.3',
	author: { name: 'A Person', email: 'person@company.test' },
	homepage: `https://github.com/company/${NAME}#readme`,
	repository: { url: `git+https://github.com/company/${NAME}.git` },
};

describe('what the owner has to fill in', () => {
	it('is nothing where all is filled in', () => {
		expect(ownersList(filledIn, { LICENSE: 'Copyright (c) 2026 A Person' })).toEqual([]);
	});

	it('is everything that names the package itself, or an address of nobody', () => {
		const list = ownersList(
			{
				name: NAME,
				version: '1.2.3',
				author: { name: NAME, email: `${NAME}@example.com` },
				homepage: `https://example.com/${NAME}`,
				repository: { url: `https://example.com/${NAME}.git` },
			},
			{
				'SECURITY.md': `# Security\n\nWrite to ${NAME}@example.com.\n`,
				'.github/config.yml': `url: https://example.com/${NAME}/security`,
				LICENSE: `MIT License\n\nCopyright (c) 2026 ${NAME}\n`,
			},
		);
		expect(list).toEqual([
			'package.json: author.name is no name of a person',
			`package.json: author.email is ${NAME}@example.com`,
			`package.json: homepage is https://example.com/${NAME}`,
			`package.json: repository.url is https://example.com/${NAME}.git`,
			'package.json: repository.url is no repository on GitHub',
			`SECURITY.md:3: holds ${NAME}@example.com`,
			`.github/config.yml:1: holds example.com/${NAME}`,
			'LICENSE:3: the holder of the copyright is the package',
		]);
	});

	it('is what is missing as well', () => {
		expect(ownersList({ name: NAME, version: '1.2.3' }, {})).toEqual([
			'package.json: author.name is no name of a person',
			'package.json: author.email is missing',
			'package.json: homepage is missing',
			'package.json: repository.url is missing',
			'package.json: repository.url is no repository on GitHub',
		]);
	});

	it.each(['me@example.org', 'me@mail.example.net'])('is the address %s', (email) => {
		expect(ownersList({ ...filledIn, author: { name: 'A Person', email } }, {})).toEqual([
			`package.json: author.email is ${email}`,
		]);
	});

	it.each(['git+https://gitlab.com/a/b.git', 'https://github.com/a', 'https://github.com.evil.test/a/b.git'])(
		'is a repository that is not on GitHub: %s',
		(url) => {
			expect(ownersList({ ...filledIn, repository: { url } }, {})).toHaveLength(1);
		},
	);

	it('is no example for users', () => {
		const text = 'https://proxy.example.com:3128, owner@example.com, https://dataartsinsight.example.com';
		expect(ownersList(filledIn, { 'README.md': text })).toEqual([]);
	});
});

describe('what keeps a version from being released', () => {
	const changelog = '# Changelog\n\n## Unreleased\n\n- Later\n\n## 1.2.3 - 2026-01-31\n\n- Now\n';

	it.each(['v1.2.3', undefined])('is nothing with the tag %s', (tag) => {
		expect(versionProblems('1.2.3', changelog, tag)).toEqual([]);
	});

	it.each(['v1.2.4', '1.2.3', 'v1.2.3-pooled.0', 'vv1.2.3', 'main', ''])('is the tag "%s"', (tag) => {
		expect(versionProblems('1.2.3', changelog, tag)).toEqual([
			`The tag is '${tag}', and package.json asks for 'v1.2.3'`,
		]);
	});

	it('is a changelog without its section', () => {
		expect(versionProblems('1.2.4', changelog, 'v1.2.4')).toEqual([
			"CHANGELOG.md: no section '## 1.2.4 - YYYY-MM-DD', or nothing in it",
		]);
	});

	it('is a prerelease: npm would not give it the tag latest', () => {
		const beta = changelog.replace('1.2.3', '1.2.3-beta.1');
		expect(versionProblems('1.2.3-beta.1', beta, 'v1.2.3-beta.1')).toEqual([
			'package.json: the version 1.2.3-beta.1 is not of the form 1.2.3',
		]);
	});
});
