import { releaseNotes } from './changelog';

/** The part of package.json that a release depends on. */
export interface Manifest {
	name: string;
	version: string;
	author?: { name?: string; email?: string };
	homepage?: string;
	repository?: { url?: string };
	scripts?: Record<string, string>;
}

/** Addresses that belong to nobody. */
const NOBODYS = /\bexample\.(com|net|org)\b/;

/**
 * What the owner still has to fill in: until then the package names itself as its author, at addresses of example.com.
 *
 * @param texts the files that may hold such an address, by path
 * @returns one line for each, none if nothing is left
 */
export function ownersList(
	{ name, author, homepage, repository }: Manifest,
	texts: Record<string, string>,
): string[] {
	const list: string[] = [];
	if (!author?.name || author.name === name) list.push('package.json: author.name is no name of a person');
	const addresses = { 'author.email': author?.email, homepage, 'repository.url': repository?.url };
	for (const [field, address] of Object.entries(addresses)) {
		if (!address || NOBODYS.test(address)) list.push(`package.json: ${field} is ${address ?? 'missing'}`);
	}
	// Provenance names a repository, and n8n verifies packages from public repositories on GitHub.
	if (!/^(git\+)?https:\/\/github\.com\/[^/]+\/[^/]+$/.test(repository?.url ?? '')) {
		list.push('package.json: repository.url is no repository on GitHub');
	}
	// Other addresses of example.com are examples for users, such as that of a proxy.
	const placeholders = [`${name}@example.com`, `example.com/${name}`];
	for (const [path, text] of Object.entries(texts)) {
		for (const [index, line] of text.split('\n').entries()) {
			const found = placeholders.find((placeholder) => line.includes(placeholder));
			if (found) list.push(`${path}:${index + 1}: holds ${found}`);
			if (line.startsWith('Copyright') && line.endsWith(` ${name}`)) {
				list.push(`${path}:${index + 1}: the holder of the copyright is the package`);
			}
		}
	}
	return list;
}

/**
 * What keeps this version from being released under this tag.
 *
 * @param tag as in git; left out, only the version and its section in the changelog are looked at
 * @returns one line for each, none if nothing does
 */
export function versionProblems(version: string, changelog: string, tag?: string): string[] {
	const list: string[] = [];
	// npm would not give a prerelease the tag `latest`.
	if (!/^\d+\.\d+\.\d+$/.test(version))
		list.push(`package.json: the version ${version} is not of the form 1.2.3`);
	if (!releaseNotes(changelog, version)) {
		list.push(`CHANGELOG.md: no section '## ${version} - YYYY-MM-DD', or nothing in it`);
	}
	if (tag !== undefined && tag !== `v${version}`) {
		list.push(`The tag is '${tag}', and package.json asks for 'v${version}'`);
	}
	return list;
}
