import { releaseNotes, unreleasedNotes } from '../../publishing/changelog';

const changelog = `# Changelog

The format follows [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## [Unreleased]

### Added

- Something to come

## [1.10.0] - 2026-03-04

### Fixed

- A fault, see [the page]

## 1.1.0 - 2026-02-03

- An addition
  in two lines

## 1.0.1-beta.1 - 2026-02-02

- A trial

## 1.0.0

- No date

## 0.9.0 - 2026-01-01

### Added

[1.10.0]: https://example.com/1.10.0
[the page]: https://example.com/page
`;

describe('the notes of a version', () => {
	it.each([
		['1.10.0', '### Fixed\n\n- A fault, see [the page]'],
		['1.1.0', '- An addition\n  in two lines'],
		['1.0.1-beta.1', '- A trial'],
	])('%s are what stands below its heading', (version, notes) => {
		expect(releaseNotes(changelog, version)).toBe(notes);
	});

	it.each(['1.1', '1.1.00', '1x1.0', '0.1.0', '1.0.1', '10.0', 'Unreleased', '2.0.0'])(
		'%s are none: there is no such heading',
		(version) => {
			expect(releaseNotes(changelog, version)).toBeUndefined();
		},
	);

	it('are none without a date, as the version is not released yet', () => {
		expect(releaseNotes(changelog, '1.0.0')).toBeUndefined();
	});

	it('are none if the section holds headings alone; the addresses of links do not count', () => {
		expect(releaseNotes(changelog, '0.9.0')).toBeUndefined();
	});
});

describe('the notes of what is unreleased', () => {
	it.each(['## Unreleased', '## [Unreleased]'])('stand below %s', (heading) => {
		expect(unreleasedNotes(changelog.replace('## [Unreleased]', heading))).toBe(
			'### Added\n\n- Something to come',
		);
	});

	it('are none where there is no such section', () => {
		expect(unreleasedNotes('# Changelog\n\n## 1.0.0 - 2026-01-01\n\n- All of it\n')).toBeUndefined();
	});
});
