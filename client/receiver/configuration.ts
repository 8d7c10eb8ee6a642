import { z } from 'zod';
import {
  BadConfiguration,
  hostAndPort,
  logLevel,
  readVariables,
  receiverIdentity,
  rotationEnvironment,
  secret,
  text,
} from '../../config/variables.ts';

const SHORTEST_TOKEN = 16;
const MOST_STARTS = 1000;
const A_COUNT = `expected a whole number from 1 to ${MOST_STARTS}`;
const address = hostAndPort.transform((value) => {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(value) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
});

/** Every variable with what it means: docs/configuration.md is made from it. */
export const RECEIVER_VARIABLES = z.object({
  ROTATION_ENVIRONMENT: rotationEnvironment, // every receiver ignores alerts of other ones
  RECEIVER_TOKEN: secret
    .refine(
      (token) => token.reveal().length >= SHORTEST_TOKEN && /^\S+$/.test(token.reveal()),
      `expected at least ${SHORTEST_TOKEN} characters, and no blank`,
    )
    .describe('the bearer token that Alertmanager sends, at least 16 characters'),
  RECEIVER_ADDRESS: address
    .default({ host: '127.0.0.1', port: 9095 })
    .describe('`host:port` to listen on'),
  RECEIVER_STARTS_PER_HOUR: text
    .regex(/^\d{1,4}$/, A_COUNT)
    .transform(Number)
    .refine((starts) => starts >= 1 && starts <= MOST_STARTS, A_COUNT)
    .default(20) // as many as a sweep's wave: no more at once than pods are restarted for
    .describe('how many rotations each replica starts in an hour, 1 to 1000'),
  ALERT_RECEIVER_IDENTITY: receiverIdentity,
  LOG_LEVEL: logLevel,
});

/** What the receiver runs with: one environment, and the token that Alertmanager sends. */
export type ReceiverConfiguration = z.infer<typeof RECEIVER_VARIABLES>;

/**
 * Reads and checks all variables; the token may come as `RECEIVER_TOKEN_FILE`.
 * @throws BadConfiguration
 */
export function readReceiverConfiguration(env: NodeJS.ProcessEnv): ReceiverConfiguration {
  const { value, problems } = readVariables(env, RECEIVER_VARIABLES, ['RECEIVER_TOKEN']);
  if (!value || problems.length > 0) throw new BadConfiguration('receiver', problems);
  return value;
}
