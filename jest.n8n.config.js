const everything = require('./jest.config.js');

/** The scenarios, on the build whose requests go through n8n's request helper. */
module.exports = {
	...everything,
	globals: { TRANSPORT: 'n8n' },
	testMatch: ['<rootDir>/test/scenarios/**/*.test.ts', '<rootDir>/test/descriptions.test.ts'],
	testPathIgnorePatterns: ['/node_modules/'],
	collectCoverage: false,
};
