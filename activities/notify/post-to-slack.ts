import axios, { isAxiosError } from 'axios';
import { failure } from '../failure.ts';
import type { Secret } from '../../config/secret.ts';

const LONGEST_ANSWER = 64 * 1024;
/** A pause that Slack asks for is kept, up to this. */
const LONGEST_PAUSE_S = 600;

/**
 * Posts one message.
 * @param webhook the whole address is a secret
 * @throws Unreachable (retried, after the pause that Slack asks for), SlackRefused
 */
export async function postToSlack(webhook: Secret, text: string, limitMs: number): Promise<void> {
  const { status, retryAfterMs } = await post(webhook, text, limitMs);
  if (status < 300) return;
  const name = status === 429 || status >= 500 ? 'Unreachable' : 'SlackRefused';
  throw failure(name, `Slack’s webhook answered ${status}`, retryAfterMs);
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
    return {
      status,
      ...(seconds > 0 && { retryAfterMs: Math.min(seconds, LONGEST_PAUSE_S) * 1000 }),
    };
  } catch (error) {
    const code = isAxiosError(error) ? (error.code ?? 'no code') : 'no code';
    throw failure('Unreachable', `Slack’s webhook did not answer (${code})`);
  }
}
