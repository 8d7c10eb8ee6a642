import { extensionsToTreatAsEsm, testEnvironment, testTimeout, transform } from './jest.config.js';

/** The contract suites against the systems that the worker's variables name; `npm test` never reads this file. One file at a time, as Signon has one account. */
export { extensionsToTreatAsEsm, testEnvironment, testTimeout, transform };
export const testMatch = ['<rootDir>/test/contract/**/*.test.ts'];
export const globals = { contractLive: true };
export const maxWorkers = 1;
