/** The heading of a released version: `## 1.2.3 - 2026-01-31`, the version in brackets if it is a link. */
const HEADING = /^## \[?([^\]\s]+?)\]? - \d{4}-\d{2}-\d{2}$/;

/**
 * The text of a version in a changelog of the form that Keep a Changelog describes.
 *
 * @returns what stands below its heading; nothing if it has no heading with a date, or no text
 */
export function releaseNotes(changelog: string, version: string): string | undefined {
	return section(changelog, (line) => HEADING.exec(line)?.[1] === version);
}

/** The text of what is not released yet. */
export function unreleasedNotes(changelog: string): string | undefined {
	return section(changelog, (line) => /^## \[?Unreleased\]?$/.test(line));
}

function section(changelog: string, isHeading: (line: string) => boolean): string | undefined {
	const lines = changelog.split('\n');
	const start = lines.findIndex(isHeading);
	if (start < 0) return undefined;
	const below = lines.slice(start + 1);
	// The last section ends where the addresses of the links begin.
	const end = below.findIndex((line) => /^## |^\[[^\]]+\]: /.test(line));
	const text = below.slice(0, end < 0 ? undefined : end);
	return text.some((line) => line.trim() && !line.startsWith('#')) ? text.join('\n').trim() : undefined;
}
