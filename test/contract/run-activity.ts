import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** Runs one attempt of an activity, as a worker would. */
export function run<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
  ...args: A
): Promise<R> {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(
    activity,
    ...args,
  );
}
