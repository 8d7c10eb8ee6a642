import { postToSlack } from '../activities/notify/post-to-slack.ts';
import type { Secret } from '../config/secret.ts';
import { examined, notChecked, type Finding } from './finding.ts';

const CHECK = 'Slack';

/** @param send posts one line: whether an address is right cannot be told without */
export async function examineSlack(
  webhook: Secret | undefined,
  { send, environment, limitMs }: { send: boolean; environment: string; limitMs: number },
): Promise<Finding> {
  if (!webhook)
    return notChecked(CHECK, 'SLACK_WEBHOOK_URL is not set: reminders stand in Temporal’s UI only');
  if (!send)
    return notChecked(
      CHECK,
      'an address is set; nothing was sent to it',
      'doctor --slack posts one line.',
    );
  const text = `signon-rotation-doctor, ${environment}: notices of rotations will come here.`;
  return examined(CHECK, 'Correct SLACK_WEBHOOK_URL.', async () => {
    await postToSlack(webhook, text, limitMs);
    return 'took one line';
  });
}
