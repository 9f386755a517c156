const slow = require('./test/scenarios/slow.js');

/** @type {import('jest').Config} */
module.exports = {
	// The way over the wire that is built and tested; jest.n8n.config.js tests the other.
	globals: { TRANSPORT: 'undici' },
	testEnvironment: 'node',
	// Tests that wait for sockets take longer on a busy machine.
	testTimeout: 60_000,
	// Most tests wait for sockets and clocks, so several share a processor well: on two, four take 93 s and two take 140 s.
	maxWorkers: 4,
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	// They have a command of their own: npm run test:slow.
	testPathIgnorePatterns: ['/node_modules/', `/(${slow.join('|')})\\.test\\.ts$`],
	transform: {
		'\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
		'/dist/.*\\.js$': require.resolve('./test/support/engine/withSourceMap.js'),
	},
	globalSetup: '<rootDir>/test/support/engine/buildOnce.js',
	collectCoverageFrom: ['dist/**/*.js'],
	coverageDirectory: 'coverage',
	// Beside the table, what `npm run test:coverage` adds up.
	coverageReporters: ['text', 'json'],
};
