import { z } from 'zod';
import { ALERT_RECEIVER } from '../../domain/approval.ts';
import { BadConfiguration, LOG_LEVELS, readVariables, secret, text, url } from '../../worker/variables.ts';

const SHORTEST_TOKEN = 16;
const address = text.regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'expected host:port').transform((value) => {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(value) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
});

const schema = z.object({
  ROTATION_ENVIRONMENT: z.enum(['integration', 'production']), // staging's alerts are ignored by any receiver
  RECEIVER_TOKEN: secret.refine(
    (token) => token.reveal().length >= SHORTEST_TOKEN && /^\S+$/.test(token.reveal()),
    `expected at least ${SHORTEST_TOKEN} characters, and no blank`,
  ),
  RECEIVER_ADDRESS: address.default({ host: '127.0.0.1', port: 9095 }),
  ALERT_RECEIVER_IDENTITY: text.default(ALERT_RECEIVER),
  TEMPORAL_UI_URL: url.optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('INFO'),
});

/** What the receiver runs with: one environment, and the token that Alertmanager sends. */
export type ReceiverConfiguration = z.infer<typeof schema>;

/** Reads and checks all variables; the token may come as `RECEIVER_TOKEN_FILE`. @throws BadConfiguration */
export function readReceiverConfiguration(env: NodeJS.ProcessEnv): ReceiverConfiguration {
  const { value, problems } = readVariables(env, schema, ['RECEIVER_TOKEN']);
  if (!value || problems.length > 0) throw new BadConfiguration('receiver', problems);
  return value;
}
