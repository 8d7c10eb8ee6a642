import { createRunner } from 'jest-light-runner';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

const PRELOAD = fileURLToPath(new URL('./test-process.js', import.meta.url));

/**
 * Runs test files in bare Node, in as many processes as Jest has workers; TypeScript is stripped by
 * tsx, types are checked by `npm run types`.
 */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default class extends createRunner({ runtime: 'child_process' }) {
  constructor(globalConfig, context) {
    super(globalConfig, context);
    if (globalConfig.maxWorkers === 1) register(); // it runs in this process then
    process.env.NODE_OPTIONS = `--import tsx --import ${PRELOAD} --no-warnings --max-old-space-size=720`;
  }
}
