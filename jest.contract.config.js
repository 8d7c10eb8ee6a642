import config from './jest.config.js';

/**
 * The contract suites against the systems that the worker's variables name; `npm test` never reads
 * this file. One file at a time, as Signon has one account.
 */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default {
  ...config,
  testMatch: ['<rootDir>/test/contract/**/*.test.ts'],
  setupFiles: ['<rootDir>/test/contract/live.js'],
  maxWorkers: 1,
};
