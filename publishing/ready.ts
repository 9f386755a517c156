import { obstacles } from './project';

/*
 * npm run release:check [-- <tag>]
 *
 * Fails while anything keeps this version from being published, under this tag of git.
 */

const list = obstacles(process.argv[2]);
for (const line of list) console.error(line);
console.log(list.length === 0 ? 'Ready to be published' : `To do before publishing: ${list.length}`);
process.exitCode = list.length === 0 ? 0 : 1;
