/**
 * What guards every change: all tests but test/long. They run in bare Node: a VM context for each
 * file would load the whole SDK anew each time, and keep it.
 */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default {
  runner: '<rootDir>/test/support/runner.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/long/'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  setupFilesAfterEnv: ['time-limit', 'closed-connections', 'property-seed'].map(
    (name) => `<rootDir>/test/support/${name}.ts`,
  ),
  reporters: ['default', '<rootDir>/test/support/slowest-files.js'],
  maxWorkers: 3, // on two cores: while one waits for a server, the others go on
};
