/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: 'node',
	testMatch: ['<rootDir>/suites/*.e2e.ts'],
	transform: require('../jest.config.js').transform,
	// n8n takes half a minute to start on a small machine.
	testTimeout: 180_000,
	// The thousands of packages of n8n are none of jest's business.
	modulePathIgnorePatterns: [
		'<rootDir>/node_modules',
		'<rootDir>/older/',
		'<rootDir>/registry/',
		'<rootDir>/.cache',
	],
};
