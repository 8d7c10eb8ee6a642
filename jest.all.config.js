import quick from './jest.config.js';

/** All tests: those of test/long first, and those of `npm test`. */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default {
  ...quick,
  testPathIgnorePatterns: [],
  testSequencer: '<rootDir>/test/support/long-first.js',
};
