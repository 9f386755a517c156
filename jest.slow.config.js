const everyday = require('./jest.config.js');
const slow = require('./test/scenarios/slow.js');

/** The scenarios that the everyday loop leaves out, since each of them takes long. `.ci/run` runs them. */
module.exports = {
	...everyday,
	testMatch: slow.map((name) => `<rootDir>/test/scenarios/${name}.test.ts`),
	testPathIgnorePatterns: ['/node_modules/'],
	coverageDirectory: 'coverage/slow',
	coverageReporters: ['json'],
};
