/**
 * Read by `jest.contract.config.js` alone: the contract suites of this process speak to live
 * systems.
 */
globalThis.contractLive = true;
