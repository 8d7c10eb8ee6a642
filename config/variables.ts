import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ALERT_RECEIVER } from '../domain/evidence/index.ts';
import { ROTATED } from '../domain/request/index.ts';
import { Secret } from './secret.ts';

export const text = z.string().trim().min(1);
/** An address that may be logged, shown and sent: with a password in it, it would be a secret. */
export const address = z
  .url({ protocol: /^https?$/ })
  .regex(/^[^\s<>|]+$/, 'expected an address without blanks, <, > and |')
  .refine(isWithoutCredentials, 'expected an address without user and password');
export const hostAndPort = text
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'expected host:port')
  .refine((value) => Number(/\d+$/.exec(value)) <= 65_535, 'expected a port of at most 65535');
export const url = address.transform((value) => value.replace(/\/+$/, ''));
/** What is said of a secret that a header or a form would not carry as it is. */
const ONE_LINE = 'expected one line that is not blank, without control characters';
export const secret = z
  .string()
  .refine(isOneLine, ONE_LINE)
  .transform((value) => new Secret(value));

/** What worker and alert receiver both read. */
export const rotationEnvironment = z
  .enum(ROTATED)
  .describe('`integration` or `production`; the task queue is `signon-rotation-<environment>`');
export const receiverIdentity = text
  .default(ALERT_RECEIVER)
  .describe('the identity of the alert receiver; worker and receiver need the same');
export const logLevel = z
  .enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'])
  .default('INFO')
  .describe('`TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`; logs are one JSON object a line');

/** Thrown at start: names every bad variable at once, never its value. */
export class BadConfiguration extends Error {
  constructor(
    whose: string,
    readonly problems: string[],
  ) {
    super(
      `The ${whose}’s configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  }
}

/** Whether a check of a library, which throws where it fails, passes. */
export function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** Whether a value is one line, not blank. A file's last newline is taken off before. */
function isOneLine(value: string): boolean {
  return /\S/.test(value) && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value);
}

/** Whether a value is what a header carries as it is; gRPC quotes any other in its error. */
export function isHeader(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}

/** Whether an address has neither a user nor a password in it; true of what is no address. */
export function isWithoutCredentials(value: string): boolean {
  if (!URL.canParse(value)) return true;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

/** Whether an address is of this machine: what goes there crosses no network. */
export function isLoopback(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { hostname } = new URL(value);
  return ['localhost', '[::1]'].includes(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/**
 * Reads variables by a schema.
 * @param fromFile those that may come as `…_FILE` as well
 * @returns the value, where there is one, and a sentence for each problem
 */
export function readVariables<T extends z.ZodType>(
  env: NodeJS.ProcessEnv,
  schema: T,
  fromFile: readonly string[],
): { value?: z.infer<T>; problems: string[] } {
  const problems: string[] = [];
  // An empty variable says nothing, as one that is absent.
  const given: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== ''),
  );
  for (const name of fromFile) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    if (env[name]) problems.push(`${name}: set both as a value and as ${name}_FILE`);
    try {
      given[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch {
      problems.push(`${name}_FILE: the file cannot be read`);
    }
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return { value: parsed.data, problems };
  const already = problems.map((problem) => problem.split(/_FILE|:/)[0]);
  for (const { path, message } of parsed.error.issues)
    if (!already.includes(String(path[0])))
      problems.push(`${String(path[0])}: ${given[String(path[0])] ? message : 'is not set'}`);
  return { problems };
}
