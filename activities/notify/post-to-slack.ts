import { failure } from '../failure.ts';
import type { Secret } from '../../config/secret.ts';
import { retryAfterOf, send } from '../http.ts';

export async function postToSlack(webhook: Secret, text: string, limitMs: number): Promise<void> {
  const answer = await send(
    'Slack’s webhook',
    {
      method: 'POST',
      url: webhook.reveal(),
      data: { text, unfurl_links: false, unfurl_media: false },
      limitMs,
    },
    'a message',
  );
  const { status } = answer;
  if (status < 300) return;
  const name = status === 429 || status >= 500 ? 'Unreachable' : 'SlackRefused';
  throw failure(name, `Slack’s webhook answered ${status}`, retryAfterOf(answer) || undefined);
}
