import type { Mutant } from './instrument';

export interface Outcome extends Mutant {
	/** A mutant that ends in no time is found as well: `timeout` counts as killed. */
	status: 'killed' | 'timeout' | 'survived' | 'no coverage';
}

const introduction = `# Mutation testing: the latest result

Written by \`npm run mutation\`; README.md in this folder says how it works.
`;

/** A line for each file, and one for all. */
export function table(outcomes: Outcome[]) {
	const files = [...new Set(outcomes.map(({ file }) => file))].sort();
	const rows = files.map((file) =>
		row(
			file,
			outcomes.filter((outcome) => outcome.file === file),
		),
	);
	return (
		[
			'| File | Mutants | Killed | Of them by time limit | Survived | No coverage | Percent killed |',
			'| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
			...rows,
			row('all', outcomes),
		].join('\n') + `\n\n${outcomes.filter(isAlive).map(describe).join('\n')}\n`
	);
}

/** The whole of RESULTS.md. */
export const write = (outcomes: Outcome[], equivalents: number) =>
	`${introduction}
${new Date().toISOString().slice(0, 10)}, ${equivalents} equivalent mutants left out.

${table(outcomes)}`;

function row(name: string, outcomes: Outcome[]) {
	const count = (...wanted: Outcome['status'][]) =>
		outcomes.filter(({ status }) => wanted.includes(status)).length;
	const killed = count('killed', 'timeout');
	const percent = ((100 * killed) / outcomes.length).toFixed(1);
	return `| ${[name, outcomes.length, killed, count('timeout'), count('survived'), count('no coverage'), percent].join(' | ')} |`;
}

const isAlive = ({ status }: Outcome) => status === 'survived' || status === 'no coverage';

const describe = ({ file, line, original, replacement, mutator, status }: Outcome) =>
	`- \`${file}:${line}\` \`\`${short(original)}\`\` → \`\`${short(replacement)}\`\` (${mutator}${status === 'survived' ? '' : `, ${status}`})`;

/** In one line; the places to look at are long blocks at times. */
function short(code: string) {
	const line = code.replace(/\s+/g, ' ').trim();
	return line.length > 100 ? `${line.slice(0, 60)} … ${line.slice(-30)}` : line;
}
