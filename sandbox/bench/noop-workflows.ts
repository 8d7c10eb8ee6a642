import { proxyActivities } from '@temporalio/workflow';

const { noop } = proxyActivities<{ noop: () => Promise<void> }>({
  startToCloseTimeout: '1 minute',
});

/**
 * As many activities as a rotation has, one after the other, that do nothing: the engine's ceiling.
 */
export async function noops(activities: number): Promise<void> {
  for (let done = 0; done < activities; done++) await noop();
}
