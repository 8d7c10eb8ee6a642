import { fileURLToPath } from 'node:url';

/** The workflows, bundled once for all tests. */
export const BUNDLE = {
  codePath: fileURLToPath(new URL('../../.cache/workflow-bundle.js', import.meta.url)),
};
