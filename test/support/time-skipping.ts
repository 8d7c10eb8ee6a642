import { afterAll, beforeAll } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { timeSkippingServer, rotating } from './rotations.ts';

/** One time-skipping server for the tests of a file. */
export function useTimeSkipping(): {
  rotating: (...args: Parameters<typeof rotating> extends [unknown, ...infer Rest] ? Rest : never) => Promise<void>;
  server: () => TestWorkflowEnvironment;
} {
  let server: TestWorkflowEnvironment;
  beforeAll(async () => {
    server = await timeSkippingServer();
  });
  afterAll(() => server.teardown());
  return { rotating: (drive, options) => rotating(server, drive, options), server: () => server };
}
