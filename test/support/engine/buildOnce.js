const { promisify } = require('node:util');

const tasks = require('../../../gulpfile.js');

/** Builds the package before any test, so that no test can meet a build of older sources. */
module.exports = async (_globalConfig, { globals }) => await promisify(tasks[globals.TRANSPORT])();
