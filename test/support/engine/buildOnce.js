const { promisify } = require('node:util');

const build = promisify(require('../../../gulpfile.js').default);

/** Builds the package before any test, so that no test can meet a build of older sources. */
module.exports = async () => await build();
