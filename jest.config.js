/** Jest as ESM; TypeScript is stripped by swc, types are checked by `npm run types`. */
export const testEnvironment = 'node';
export const extensionsToTreatAsEsm = ['.ts'];
export const transform = {
  '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
};
export const testMatch = ['<rootDir>/test/**/*.test.ts'];
export const globalSetup = '<rootDir>/test/support/global-setup.js';
export const testTimeout = 300_000;
export const maxWorkers = 2;
