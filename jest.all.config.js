import quick from './jest.config.js';

/** All tests: those of `npm test`, and test/long. */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default { ...quick, testPathIgnorePatterns: [], maxWorkers: 2 };
