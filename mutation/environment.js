const { TestEnvironment } = require('jest-environment-node');

/** The run's mutant, and the tests to run; also takes what was seen. The worker puts it there. */
const current = () => globalThis.mutationRun;

/** Switches one mutant on, runs the named tests only, stops at the first failure, and notes what each test covers. */
module.exports = class extends TestEnvironment {
	constructor(config, context) {
		super(config, context);
		this.global.__stryker__ = { activeMutant: current().mutant };
	}

	handleTestEvent({ name, test }, { rootDescribeBlock }) {
		const run = current();
		const stryker = this.global.__stryker__;
		if (name === 'run_start' && run.tests)
			skip(rootDescribeBlock, (one) => !run.tests.includes(fullName(one)));
		if (name === 'test_start') stryker.currentTestId = fullName(test);
		if (name !== 'test_done') return;
		run.durations[fullName(test)] = test.duration;
		if (!test.errors.length) return;
		run.failed.push(fullName(test));
		if (run.mutant !== undefined) skip(rootDescribeBlock, () => true);
	}

	async teardown() {
		const { static: outsideTests = {}, perTest = {} } = this.global.__stryker__.mutantCoverage ?? {};
		current().outsideTests = Object.keys(outsideTests);
		current().perTest = Object.fromEntries(
			Object.entries(perTest).map(([name, counts]) => [name, Object.keys(counts)]),
		);
		await super.teardown();
	}
};

function skip(block, isUnwanted) {
	for (const child of block.children) {
		if (child.type === 'describeBlock') skip(child, isUnwanted);
		else if (isUnwanted(child)) child.mode = 'skip';
	}
}

function fullName({ name, parent }) {
	return parent?.parent ? `${fullName(parent)} ${name}` : name;
}
