import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from '../activities/secret.ts';

export const text = z.string().trim().min(1);
export const url = z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/+$/, ''));
export const secret = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

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

/**
 * Reads variables by a schema. @param fromFile those that may come as `…_FILE` as well
 * @returns the value, where there is one, and a sentence for each problem
 */
export function readVariables<T extends z.ZodType>(
  env: NodeJS.ProcessEnv,
  schema: T,
  fromFile: readonly string[],
): { value?: z.infer<T>; problems: string[] } {
  const problems: string[] = [];
  const given: Record<string, string | undefined> = { ...env };
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
