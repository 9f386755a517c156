import type { Mutant } from './instrument';

export interface Outcome extends Mutant {
	/** A mutant that ends in no time is found as well: `timeout` counts as killed. */
	status: 'killed' | 'timeout' | 'survived' | 'no coverage';
}

const introduction = `# Mutation testing: the latest results

Written by \`npm run mutation\`; README.md in this folder says how it works.
`;

/** What is said of one source, under a heading of its own. */
export function section(file: string, outcomes: Outcome[], equivalents: number) {
	const count = (...wanted: Outcome['status'][]) =>
		outcomes.filter(({ status }) => wanted.includes(status)).length;
	const killed = count('killed', 'timeout');
	const percent = outcomes.length ? (100 * killed) / outcomes.length : 100;
	const day = new Date().toISOString().slice(0, 10);
	return `## ${file}: ${percent.toFixed(1)} %

${day}: ${outcomes.length} mutants, ${killed} found (${count('timeout')} of them by the time limit), ${count('survived')} survived, ${count('no coverage')} not reached; ${equivalents} equivalent ones left out.

${outcomes.filter(isAlive).map(describe).join('\n')}`.trim();
}

/**
 * @param results the whole of RESULTS.md
 * @param isThere tells whether a source still exists; what is said of others goes
 * @returns the same with the section of one source in place of its older one
 */
export function withSection(results: string, file: string, text: string, isThere: (file: string) => boolean) {
	const fileOf = (one: string) => /^## (.*):/.exec(one)?.[1] ?? '';
	const others = results
		.split(/^(?=## )/m)
		.slice(1)
		.map((one) => one.trim())
		.filter((one) => fileOf(one) !== file && isThere(fileOf(one)));
	return `${[introduction.trim(), ...[...others, text].sort()].join('\n\n')}\n`;
}

const isAlive = ({ status }: Outcome) => status === 'survived' || status === 'no coverage';

const describe = ({ file, line, original, replacement, mutator, status }: Outcome) =>
	`- \`${file}:${line}\` \`\`${short(original)}\`\` → \`\`${short(replacement)}\`\` (${mutator}${status === 'survived' ? '' : `, ${status}`})`;

/** In one line; the places to look at are long blocks at times. */
function short(code: string) {
	const line = code.replace(/\s+/g, ' ').trim();
	return line.length > 100 ? `${line.slice(0, 60)} … ${line.slice(-30)}` : line;
}
