/*
 * The way over the wire. The source takes undici; `gulp --transport n8n` puts n8n's request helper in its place, and
 * docs/decisions/two-builds.md says why.
 */
export { findRoute } from './undici';
