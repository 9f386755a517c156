/*
 * What the rest of the package imports from this folder, as one file of the build that node and credential load together:
 * so the process has its connections, its tokens and its refused logins only once. In the source each import names the
 * file that it needs; the build leads all of them to here.
 */
export * from './client';
export * from './errors/advice';
export * from './errors/answer';
export * from './errors/errors';
export * from './identity/address';
export * from './identity/credential';
export * from './identity/httpRequestNode';
export * from './identity/probe';
export * from './pace';
// Only the tests of the built package need these two.
export { loginSource } from './identity/login';
export { receive } from './repeat';
