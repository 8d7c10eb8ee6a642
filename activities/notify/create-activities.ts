import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import ms from 'ms';
import { userMetadataLink } from '../../domain/rotation/index.ts';
import type { Settings } from '../../domain/settings/index.ts';
import { taskQueueOf } from '../../domain/request/index.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { NotifyActivities } from './interface.ts';
import { postToSlack } from './post-to-slack.ts';
import { SIGNAL, WORKFLOW, notificationsId } from '../../domain/names/index.ts';

/** Where notices go, and how they are paced. No webhook, no notification. */
export type Notifying = Pick<Configuration, 'ROTATION_ENVIRONMENT' | 'SLACK_WEBHOOK_URL'> & {
  settings: Pick<Settings, 'temporalUiUrl' | 'notices' | 'answerLimit'>;
};

/** As long as the step `tell` gives it. */
const HANDED_OVER_WITHIN_MS = 5000;

export function createNotifyActivities(
  client: Client,
  { ROTATION_ENVIRONMENT: environment, SLACK_WEBHOOK_URL: webhook, settings }: Notifying,
): NotifyActivities {
  const { temporalUiUrl: url, notices, answerLimit } = settings;
  const { namespace } = client.options;
  return {
    async notify(notice) {
      if (!webhook) return;
      const { workflowId, runId } = activityInfo().workflowExecution!;
      const link = url && userMetadataLink({ url, namespace }, workflowId, runId);
      await client.withDeadline(Date.now() + HANDED_OVER_WITHIN_MS, () =>
        client.workflow.signalWithStart(WORKFLOW.notifications, {
          // Of the worker, not of the notice: a request for staging may be on any queue.
          workflowId: notificationsId(environment),
          taskQueue: taskQueueOf(environment),
          args: [],
          signal: SIGNAL.noticed,
          signalArgs: [{ ...notice, link }],
          staticSummary: 'Collects notices, and sends one message for those of one cause',
        }),
      );
    },

    noticePace: () => Promise.resolve(notices),

    async postToSlack(text) {
      if (webhook) await postToSlack(webhook, text, ms(answerLimit));
    },
  };
}
