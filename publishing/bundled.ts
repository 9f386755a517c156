/** A package that a build bundles, with its exact version. */
export interface Bundled {
	name: string;
	version: string;
}

/** The part of the report of `npm audit --json` that matters, whether the registry answered or not. */
export interface AuditReport {
	auditReportVersion?: number;
	message?: string;
	vulnerabilities?: Record<
		string,
		{ severity: string; range: string; via: Array<string | { title: string }> }
	>;
}

/** Reads which packages are bundled from the file of licences that the build writes: each licence stands below a name. */
export function bundledPackages(licences: string): Bundled[] {
	return [...licences.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+) (\d+\.\d+\.\d+\S*)$/gm)].map(
		([, name = '', version = '']) => ({ name, version }),
	);
}

/** The lock file of a package that depends on exactly these: `npm audit` asks the registry for them and no others. */
export function lockFile(bundled: Bundled[]): object {
	const dependencies = Object.fromEntries(bundled.map(({ name, version }) => [name, version]));
	const packages = bundled.map(({ name, version }) => [`node_modules/${name}`, { version }] as const);
	return {
		name: 'bundled',
		lockfileVersion: 3,
		packages: { '': { name: 'bundled', dependencies }, ...Object.fromEntries(packages) },
	};
}

/**
 * What the registry knows against the packages.
 *
 * @returns one line for each; nothing if the registry gave no answer
 */
export function findings({ auditReportVersion, vulnerabilities }: AuditReport): string[] | undefined {
	if (auditReportVersion === undefined || !vulnerabilities) return undefined;
	return Object.entries(vulnerabilities).map(([name, { severity, range, via }]) => {
		const titles = via.map((one) => (typeof one === 'string' ? one : one.title));
		return `${name} ${range} (${severity}): ${titles.join('; ')}`;
	});
}
