import { afterEach, beforeEach } from './jest.ts';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { timeSkippingServer, rotating } from './rotations.ts';

/**
 * A time-skipping server for each test: where a workflow was ended in the middle of an activity,
 * the server skips no more time.
 */
export function useTimeSkipping(): {
  rotating: (
    ...args: Parameters<typeof rotating> extends [unknown, ...infer Rest] ? Rest : never
  ) => Promise<void>;
  server: () => TestWorkflowEnvironment;
} {
  let server: TestWorkflowEnvironment;
  beforeEach(async () => {
    server = await timeSkippingServer();
  });
  afterEach(() => server.teardown());
  return { rotating: (drive, options) => rotating(server, drive, options), server: () => server };
}
