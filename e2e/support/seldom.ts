/**
 * `it` for a test that takes long, and that changes of this package rarely concern. The default run skips it. It runs with
 * `--all`, with `--pictures`, and when its suite is named.
 */
export const seldom = process.env.E2E_SELDOM ? it : it.skip;
