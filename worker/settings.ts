import ms from 'ms';
import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { isAgeKey } from '../activities/handover/seal.ts';
import type { Settings } from '../domain/settings.ts';
import { LARGEST_WAVE } from '../domain/sweep-request.ts';

const text = z.string().trim().min(1);
const address = z.url({ protocol: /^https?$/ });
/** Without a unit it would be milliseconds, which nobody means who leaves it out. */
const DURATION = /^\d+(\.\d+)? ?[a-z]+$/i;
const duration = z
  .string()
  .refine(
    (value) => DURATION.test(value) && Number.isFinite(ms(value as ms.StringValue)),
    'expected a duration such as "10 minutes"',
  )
  .transform((value) => value as ms.StringValue);
const pattern = z.string().refine(isPattern, 'expected a regular expression');

const schema = z.strictObject({
  window: duration,
  answerLimit: duration,
  signonRequestLimit: duration,
  syncLimit: duration,
  syncGathering: z.strictObject({ quietFor: duration, atMost: duration, askAgainAfter: duration }).partial(),
  sweep: z
    .strictObject({
      maxConcurrent: z.int().min(1).max(LARGEST_WAVE),
      pause: duration,
      looksEvery: duration,
      endsAfter: duration.refine((value) => ms(value) <= ms('20 hours'), 'expected at most 20 hours'),
    })
    .partial(),
  rolloutLimit: duration,
  pollEvery: duration,
  soak: duration,
  evidenceHoldsFor: duration,
  notices: z.strictObject({ collectFor: duration, quietFor: duration }).partial(),
  docsUrl: address.transform((value) => value.replace(/\/+$/, '')),
  specialCases: z.array(
    z.strictObject({ apiUser: text, outcome: z.enum(['referred', 'ignored']), why: text, link: address.optional() }),
  ),
  recipients: z
    .array(
      z.strictObject({
        name: text,
        apiUser: z.email().transform((email) => email.toLowerCase()),
        key: text.refine(isAgeKey, 'expected an age public key, as age-keygen prints it'),
        alsoInCluster: z.boolean().default(false),
      }),
    )
    .refine(
      (recipients) => new Set(recipients.map(({ apiUser }) => apiUser)).size === recipients.length,
      'expected one recipient for an API user at most',
    ),
  renewal: z
    .strictObject({ domains: z.array(text), every: duration, at: duration, takes: duration, before: duration })
    .partial(),
  smokeCalls: z.record(
    z.string(),
    z.strictObject({
      adapter: text,
      requires: text,
      method: text,
      positional: z.array(z.unknown()),
      keyword: z.record(z.string(), z.unknown()),
    }),
  ),
  hosts: z.strictObject({ integration: pattern, staging: pattern, production: pattern }).partial(),
});

/** What ships, as `settings.yaml` beside this file says and explains. */
export const DEFAULT_SETTINGS = parseSettings(
  readFileSync(new URL('./settings.yaml', import.meta.url), 'utf8'),
) as Settings;

/** Thrown for a settings file: a line and a field for each mistake. */
export class BadSettings extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
  }
}

/**
 * Reads a settings file; what it does not name is as shipped. Lists and single values replace the shipped ones whole, the rest entry by entry.
 * @throws BadSettings; as `fs` does where the file cannot be read
 */
export function readSettings(file: string): Settings {
  const given = parseSettings(readFileSync(file, 'utf8'));
  const merged = Object.entries(given).map(([name, value]) => {
    const shipped: unknown = DEFAULT_SETTINGS[name as keyof Settings];
    return [name, isEntries(value) && isEntries(shipped) ? { ...shipped, ...value } : value];
  });
  return { ...DEFAULT_SETTINGS, ...(Object.fromEntries(merged) as Partial<Settings>) };
}

function parseSettings(source: string): z.infer<ReturnType<typeof schema.partial>> {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new BadSettings(
      document.errors.map(({ pos, message }) => `line ${lines.linePos(pos[0]).line}: ${message.split('\n')[0]}`),
    );
  const parsed = schema.partial().safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw new BadSettings(
    parsed.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
      const field = path.map(String).join('.');
      return `line ${lineOf(document, lines, path)}: ${field ? `${field}: ` : ''}${issue.message}`;
    }),
  );
}

/** The line of a field, or of the nearest thing around it that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function isEntries(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPattern(value: string): boolean {
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}
