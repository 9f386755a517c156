/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: 'node',
	// Most tests wait for sockets and clocks, so two of them share a processor well.
	maxWorkers: 2,
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
	collectCoverageFrom: ['nodes/**/*.ts', 'credentials/**/*.ts', '!**/*.d.ts'],
	coverageDirectory: 'coverage',
	coverageReporters: ['text', 'json-summary'],
	coverageThreshold: { global: { lines: 95, branches: 95 } },
};
