import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const project = resolve(__dirname, '..');
const HOUSE = 'nodes/DataArtsInsight';

/** The most lines of a file in nodes/ and credentials/. */
const MAX_LINES = 250;

/** Which rooms a room may import from. What stands behind `type ` may be imported as a type only. */
const ARROWS: Record<string, string[]> = {
	credentials: ['identity'],
	node: ['methods', 'resources', 'items'],
	methods: ['client', 'identity', 'errors'],
	resources: ['client', 'identity', 'errors', 'items'],
	items: ['errors', 'pace'],
	client: ['repeat', 'identity', 'errors', 'network', 'pace'],
	repeat: ['errors', 'network', 'pace'],
	identity: ['errors', 'type network'],
	errors: ['type network'],
	network: [],
	pace: [],
};

/**
 * The arrows of a single file. The credential's hooks call `identity` alone, so no client stands between them and the
 * network: this file sends by n8n's request helper itself, and asks itself whether a login may be sent again.
 */
const ARROWS_OF_FILES: Record<string, string[]> = {
	[`${HOUSE}/transport/identity/httpRequestNode.ts`]: ['repeat', 'network'],
};

/** What the build makes one file of; it names files and nothing imports it. */
const BUILD_ENTRY = `${HOUSE}/transport/index.ts`;

interface Import {
	from: string;
	to: string;
	typeOnly: boolean;
}

const sources = ['credentials', 'nodes']
	.flatMap((folder) =>
		readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
			join(folder, file),
		),
	)
	.filter((file) => file.endsWith('.ts'));
const imports = sources.flatMap(importsOf);

/** All imports and re-exports of a file from other files of the package, those of types included. */
function importsOf(file: string): Import[] {
	const path = join(project, file);
	const parsed = ts.createSourceFile(file, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
	const found: Import[] = [];
	const add = (name: string, typeOnly: boolean) => {
		if (!name.startsWith('.')) return;
		const target = relative(project, resolve(dirname(path), name));
		const to = [`${target}.ts`, `${target}/index.ts`].find((candidate) => sources.includes(candidate));
		found.push({ from: file, to: to ?? target, typeOnly });
	};
	const visit = (node: ts.Node) => {
		if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
			const { importClause: clause } = node;
			const names = clause?.namedBindings;
			const eachIsType =
				!clause?.name && names && ts.isNamedImports(names) && names.elements.every((name) => name.isTypeOnly);
			add(node.moduleSpecifier.text, Boolean(clause?.isTypeOnly ?? false) || Boolean(eachIsType));
		} else if (
			ts.isExportDeclaration(node) &&
			node.moduleSpecifier &&
			ts.isStringLiteral(node.moduleSpecifier)
		) {
			add(node.moduleSpecifier.text, node.isTypeOnly);
		} else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
			if (ts.isStringLiteral(node.argument.literal)) add(node.argument.literal.text, true);
		} else if (ts.isCallExpression(node) && node.arguments[0] && ts.isStringLiteral(node.arguments[0])) {
			const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
			if (isImport || node.expression.getText() === 'require') add(node.arguments[0].text, false);
		}
		ts.forEachChild(node, visit);
	};
	visit(parsed);
	return found;
}

/** The room that a file stands in; nothing if it stands in none. */
function roomOf(file: string): string | undefined {
	if (file.startsWith('credentials/')) return 'credentials';
	const path = relative(HOUSE, file);
	if (/^[^/]+\.node\.ts$/.test(path)) return 'node';
	const room = /^(?:transport\/)?([^/.]+)[/.]/.exec(path)?.[1] ?? '';
	return room in ARROWS ? room : undefined;
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
	const [room, target] = [roomOf(from), roomOf(to)];
	if (!room || !target) return false;
	const arrows = [...(ARROWS[room] ?? []), ...(ARROWS_OF_FILES[from] ?? [])];
	return room === target || arrows.includes(target) || (typeOnly && arrows.includes(`type ${target}`));
}

/** The files that import each other in a circle, as chains that end where they began. */
function circles(): string[] {
	const targets = new Map<string, string[]>();
	for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
	const done = new Set<string>();
	const found: string[] = [];
	const follow = (file: string, chain: string[]) => {
		if (chain.includes(file)) found.push([...chain.slice(chain.indexOf(file)), file].join(' -> '));
		if (chain.includes(file) || done.has(file)) return;
		for (const target of targets.get(file) ?? []) follow(target, [...chain, file]);
		done.add(file);
	};
	for (const file of sources) follow(file, []);
	return found;
}

describe('the house', () => {
	it('has imports to look at', () => {
		expect(imports.length).toBeGreaterThan(sources.length);
	});

	it('has a room for each file', () => {
		expect(sources.filter((file) => file !== BUILD_ENTRY && !roomOf(file))).toEqual([]);
	});

	it('has no arrow beside those of the design, not even of types', () => {
		const wrong = imports.filter((one) => one.from !== BUILD_ENTRY && !isAllowed(one));
		expect(wrong.map(({ from, to, typeOnly }) => `${from} -> ${typeOnly ? 'type ' : ''}${to}`)).toEqual([]);
	});

	it('has no circle, not even of types', () => {
		expect(circles()).toEqual([]);
	});

	it('has one credential and nothing else in credentials/', () => {
		expect(readdirSync(join(project, 'credentials'))).toEqual(['DataArtsInsightApi.credentials.ts']);
	});

	it.each(sources)('has no file of more than 250 lines: %s', (file) => {
		expect(readFileSync(join(project, file), 'utf8').split('\n').length - 1).toBeLessThanOrEqual(MAX_LINES);
	});
});

describe('the tests', () => {
	it.each(['credentials', 'nodes', 'publishing'])('mirror %s file by file', (folder) => {
		const tests = readdirSync(join(project, 'test', folder), { recursive: true, encoding: 'utf8' }).filter(
			(file) => file.endsWith('.test.ts'),
		);
		const strays = tests.filter(
			(file) => !existsSync(join(project, folder, file.replace(/\.test\.ts$/, '.ts'))),
		);
		expect(strays).toEqual([]);
	});
});

describe('the pages for maintainers', () => {
	const pages = [
		'CONTRIBUTING.md',
		...readdirSync(join(project, 'docs/decisions')).map((page) => `docs/decisions/${page}`),
	];

	it.each(pages)('%s names files that exist', (page) => {
		const text = readFileSync(join(project, page), 'utf8');
		const named = [
			...text.matchAll(/(?<![\w/.-])(?:bench|docs|e2e|mutation|nodes|publishing|test)\/[\w./-]*\w/g),
		].map(([file]) => file);
		const made = ['nodes/DataArtsInsight/resources/vpcEndpoint/checkAccess.ts'];
		expect(named.filter((file) => !made.includes(file) && !existsSync(join(project, file)))).toEqual([]);
	});
});
