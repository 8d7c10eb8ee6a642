import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import axios, { isAxiosError } from 'axios';
import { userMetadataLink, type TemporalUi } from '../../domain/links.ts';
import type { LinkedNotice, NoticePace } from '../../domain/notices.ts';
import { taskQueueOf } from '../../domain/request.ts';
import { failure } from '../failure.ts';
import type { Secret } from '../secret.ts';
import type { NotifyActivities } from './interface.ts';

/** Where notices go, and how they are paced. */
export interface Notifying {
  /** The whole address is a secret. No webhook, no notification. */
  webhook?: Secret;
  ui?: TemporalUi;
  pace: NoticePace;
  /** How long to wait for Slack's answer. */
  limitMs: number;
}

const LONGEST_ANSWER = 64 * 1024;
/** As long as the step `tell` gives it. */
const HANDED_OVER_WITHIN_MS = 5000;
/** A pause that Slack asks for is kept, up to this. */
const LONGEST_PAUSE_S = 600;

export function createNotifyActivities(client: Client, { webhook, ui, pace, limitMs }: Notifying): NotifyActivities {
  return {
    async notify(notice) {
      if (!webhook) return;
      const { workflowId, runId } = activityInfo().workflowExecution!;
      const linked: LinkedNotice = { ...notice, ...(ui && { link: userMetadataLink(ui, workflowId, runId) }) };
      await client.withDeadline(Date.now() + HANDED_OVER_WITHIN_MS, () =>
        client.workflow.signalWithStart('notifications', {
          workflowId: `notifications/${notice.environment}`,
          taskQueue: taskQueueOf(notice.environment),
          args: [pace],
          signal: 'notice',
          signalArgs: [linked],
          staticSummary: 'Collects notices, and sends one message for those of one cause',
        }),
      );
    },

    async postToSlack(text) {
      if (!webhook) return;
      const { status, retryAfterMs } = await post(webhook, text, limitMs);
      if (status < 300) return;
      const name = status === 429 || status >= 500 ? 'Unreachable' : 'SlackRefused';
      throw failure(name, `Slack’s webhook answered ${status}`, retryAfterMs);
    },
  };
}

async function post(
  webhook: Secret,
  text: string,
  limitMs: number,
): Promise<{ status: number; retryAfterMs?: number }> {
  try {
    const { status, headers } = await axios.post(
      webhook.reveal(),
      { text, unfurl_links: false, unfurl_media: false },
      {
        signal: AbortSignal.timeout(limitMs),
        maxRedirects: 0,
        maxContentLength: LONGEST_ANSWER,
        responseType: 'text',
        validateStatus: () => true,
        proxy: false,
      },
    );
    const seconds = Number(headers['retry-after']);
    return { status, ...(seconds > 0 && { retryAfterMs: Math.min(seconds, LONGEST_PAUSE_S) * 1000 }) };
  } catch (error) {
    const code = isAxiosError(error) ? (error.code ?? 'no code') : 'no code';
    throw failure('Unreachable', `Slack’s webhook did not answer (${code})`);
  }
}
