import { ApplicationFailure } from '@temporalio/workflow';
import type { ClusterLook } from '../domain/cluster.ts';
import type { SmokeResult } from '../domain/evidence.ts';
import { parameterize } from '../domain/parameterize.ts';
import { smokeConsumers } from './activities.ts';
import type { Expected } from './rollout.ts';
import type { Runbook } from './runbook.ts';

/** Calls the server application from one ready pod of every consumer; blocks where a call with the new token fails. */
export async function smokeCalls(
  book: Runbook,
  look: ClusterLook,
  { pair, readers, settings }: Pick<Expected, 'pair' | 'readers' | 'settings'>,
): Promise<SmokeResult[]> {
  if (look.consumers.length === 0) {
    book.note('smoke', 'no container to call from');
    return [];
  }
  const application = parameterize(pair.application.name);
  const results = await smokeConsumers({ readers, application, call: settings.smokeCalls[application] });
  const failed = results.filter(({ verdict }) => verdict === 'failed');
  if (failed.length > 0)
    throw ApplicationFailure.nonRetryable(
      failed.map(({ container, pod, detail }) => `${container} in ${pod}: ${detail}`).join('; '),
      'SmokeFailed',
    );
  const passed = results.filter(({ verdict }) => verdict === 'passed').length;
  book.note(
    'smoke',
    `passed: ${passed} of ${look.consumers.length} consumers${passed < look.consumers.length ? '; what the others lack stands in the evidence' : ''}`,
  );
  return results;
}
