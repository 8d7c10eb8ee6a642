import ms from 'ms';
import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { Encrypter } from 'age-encryption';
import { approversOf, comparable, ENVIRONMENTS, personOf } from '../domain/request/index.ts';
import { isObject } from '../domain/shape/index.ts';
import { parameterize, redact } from '../domain/text/index.ts';
import type { Settings } from '../domain/settings/index.ts';
import { LARGEST_WAVE } from '../domain/sweep/index.ts';
import { address, passes, text } from './variables.ts';

/** A number without a unit would be milliseconds, which nobody means. */
const DURATION = /^\d+(\.\d+)? ?[a-z]+$/i;
const duration = z
  .string()
  .refine((value) => DURATION.test(value) && Number.isFinite(ms(value as ms.StringValue)), {
    error: 'expected a duration such as "10 minutes"',
    abort: true,
  })
  .transform((value) => value as ms.StringValue);
const NO_ADDRESS = 'expected an e-mail address such as ada@digital.cabinet-office.gov.uk';
const domain = text
  .toLowerCase()
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected a domain such as alphagov.co.uk');

const approversOfOne = z.strictObject({
  who: z
    .array(
      text.refine(
        (entry) => isAddress(entry) || (entry.startsWith('@') && isAddress(`x${entry}`)),
        'expected an e-mail address, or a domain such as @digital.cabinet-office.gov.uk',
      ),
    )
    .min(1),
  approvals: z.int().min(1).max(10).default(1),
});

const pattern = z.string().refine(isPattern, {
  error: 'expected a regular expression from ^ to $ that does not match an empty text',
});

type Between = (least: ms.StringValue, most: ms.StringValue, why: string) => typeof duration;

/** A duration within bounds; outside them, says why they are there. */
const between: Between = (least, most, why) =>
  duration.refine(
    (value) => ms(value) >= ms(least) && ms(value) <= ms(most),
    `expected ${least} to ${most}: ${why}`,
  );

/** Stand-ins take no time and hold nothing, so no duration is too short for them. */
const unbounded: Between = () => duration;

const schemaOf = (within: Between) =>
  z
    .strictObject({
      forStandIns: z.literal(true),
      window: within(
        '1 day',
        '90 days',
        'a token lives two years, and Signon renews in its last month',
      ),
      answerLimit: within(
        '5 seconds',
        '1 minute',
        'Signon itself gives up on a request after 60 seconds',
      ),
      signonRequestLimit: within(
        '30 seconds',
        '10 minutes',
        'if too short, a late token is missed and a second one is made',
      ),
      syncLimit: within(
        '2 minutes',
        '6 hours',
        'a sync Job takes about ten minutes, and the rotation waits for it',
      ),
      syncGathering: z
        .strictObject({
          quietFor: within('1 second', '10 minutes', 'each rotation waits for it'),
          atMost: within('1 second', '1 hour', 'each rotation waits for it'),
          askAgainAfter: within('1 minute', '1 hour', 'each request is written into a history'),
        })
        .partial(),
      sweep: z
        .strictObject({
          maxConcurrent: z.int().min(1).max(LARGEST_WAVE),
          pause: within(
            '10 ms',
            '1 minute',
            'it spares Signon while all API users are read, one after the other',
          ),
          looksEvery: within('1 minute', '1 hour', 'each look is written into a history'),
          endsAfter: within('1 hour', '20 hours', 'it must end before the next daily sweep'),
        })
        .partial(),
      rolloutLimit: within(
        '1 minute',
        '1 day',
        'if too short, slow pods block it; if too long, people hear late',
      ),
      pollEvery: within(
        '500 ms',
        '1 minute',
        'if too short, it loads the cluster; if too long, the rotation notices late',
      ),
      lookupCachedFor: within('1 minute', '1 hour', 'gds-sso caches for 5 minutes'),
      soak: within('1 minute', '1 day', 'the rotation stays open for this time after the revoke'),
      disusedWatch: within(
        '1 hour',
        '30 days',
        'a pod that reads the token may run for seconds a day',
      ),
      evidenceHoldsFor: within('10 minutes', '1 day', 'consumers change with every deploy'),
      notices: z
        .strictObject({
          collectFor: within('1 second', '1 hour', 'a longer one delays what people are told'),
          quietFor: within('1 second', '1 day', 'a longer one delays what people are told'),
        })
        .partial(),
      docsUrl: address.transform((value) => value.replace(/\/+$/, '')),
      approvers: z.union([
        z.literal('anyone'),
        z.partialRecord(z.enum(ENVIRONMENTS), z.union([z.literal('anyone'), approversOfOne])),
      ]),
      people: z.array(z.array(text.refine(isAddress, NO_ADDRESS)).min(2)),
      specialCases: z.array(
        z.strictObject({
          apiUser: text,
          outcome: z.enum(['referred', 'ignored']),
          why: text,
          link: address.optional(),
        }),
      ),
      recipients: z
        .array(
          z.strictObject({
            name: text,
            apiUser: z.email().transform((email) => email.toLowerCase()),
            key: text.refine(
              (key) => passes(() => new Encrypter().addRecipient(key)),
              'expected an age public key, as age-keygen prints it',
            ),
            alsoInCluster: z.boolean().default(false),
          }),
        )
        .refine(
          (recipients) =>
            new Set(recipients.map(({ apiUser }) => apiUser)).size === recipients.length,
          'expected one recipient for an API user at most',
        ),
      renewal: z
        .strictObject({
          domains: z.array(domain),
          every: within('1 hour', '31 days', 'Signon’s CronJob runs nightly'),
          at: within('0 ms', '1 day', 'it counts from 00:00 UTC'),
          takes: within('1 minute', '12 hours', 'a revoked token is looked for after it'),
          before: within('1 day', '365 days', 'Signon renews a token in its last month'),
        })
        .partial(),
      smokeCalls: z
        .record(
          z.string(),
          z.strictObject({
            adapter: text,
            requires: text,
            method: text,
            positional: z.array(z.unknown()),
            keyword: z.record(z.string(), z.unknown()),
          }),
        )
        .superRefine((calls, context) => {
          for (const name of Object.keys(calls))
            if (parameterize(name) !== name)
              context.addIssue({
                code: 'custom',
                path: [name],
                message: `expected a name as in the alert’s label application, such as ${parameterize(name)}`,
              });
        }),
      hosts: z.partialRecord(z.enum(ENVIRONMENTS), pattern),
    })
    .partial()
    .superRefine(({ approvers = {}, people = [] }, context) => {
      const all = people.map((names) => [...new Set(names.map((name) => comparable(name)))]);
      for (const [at, names] of all.entries())
        if (all.slice(0, at).some((others) => others.some((name) => names.includes(name))))
          context.addIssue({
            code: 'custom',
            path: ['people', at],
            message: 'an address stands in another list, too',
          });
      for (const environment of ENVIRONMENTS) {
        const one = approversOf(approvers, environment);
        if (one === undefined || one === 'anyone' || one.who.some((entry) => entry.startsWith('@')))
          continue;
        const { size } = new Set(one.who.map((entry) => personOf(comparable(entry)!, people)));
        if (size > 0 && one.approvals > size)
          context.addIssue({
            code: 'custom',
            path: ['approvers', environment, 'approvals'],
            message: `expected at most ${size}: “who” names no more people`,
          });
      }
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
 * Reads a settings file; what it does not name is as shipped. Lists and single values replace the
 * shipped ones whole, the rest entry by entry.
 * @param standIns whether the worker's systems may be stand-ins: then the file may say so, and its
 * durations have no bounds
 * @throws BadSettings; as `fs` does where the file cannot be read
 */
export function readSettings(file: string, standIns = false): Settings {
  const { forStandIns, ...given } = parseSettings(readFileSync(file, 'utf8'), standIns);
  const merged = Object.entries(given).map(([name, value]) => {
    const shipped: unknown = DEFAULT_SETTINGS[name as keyof Settings];
    return [name, isObject(value) && isObject(shipped) ? { ...shipped, ...value } : value];
  });
  const settings = { ...DEFAULT_SETTINGS, ...(Object.fromEntries(merged) as Partial<Settings>) };
  const { soak, lookupCachedFor, syncGathering } = settings;
  const problems = [
    ms(soak) < ms(lookupCachedFor) &&
      `soak: expected at least lookupCachedFor (${lookupCachedFor}): until then caches answer the smoke calls`,
    ms(syncGathering.quietFor) > ms(syncGathering.atMost) &&
      `syncGathering.quietFor: expected at most atMost (${syncGathering.atMost}): a Job is made then in any case`,
  ].filter((problem) => problem !== false);
  if (!forStandIns && problems.length > 0) throw new BadSettings(problems);
  return settings;
}

function isAddress(value: string): boolean {
  const name = comparable(value);
  return name !== undefined && /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(name);
}

function parseSettings(source: string, standIns = false): z.infer<ReturnType<typeof schemaOf>> {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const given = valueOf(document, lines);
  const forStandIns = isObject(given) && given.forStandIns === true;
  if (forStandIns && !standIns)
    throw new BadSettings([
      `line ${lineOf(document, lines, ['forStandIns'])}: forStandIns: expected SIGNON_URL and ARGOCD_URL on loopback, where stand-ins are`,
    ]);
  const parsed = schemaOf(forStandIns ? unbounded : between).safeParse(given);
  if (parsed.success) return parsed.data;
  throw new BadSettings(
    parsed.error.issues.map((issue) => {
      const path =
        issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
      const field = path.map(String).join('.');
      return redact(
        `line ${lineOf(document, lines, path)}: ${field ? `${field}: ` : ''}${issue.message}`,
      );
    }),
  );
}

/**
 * What a file holds. The parser's messages are not passed on: they quote the file, which may hold a
 * secret by mistake.
 */
function valueOf(document: Document.Parsed, lines: LineCounter): unknown {
  if (document.errors.length > 0)
    throw new BadSettings(
      document.errors.map(
        ({ pos, code }) =>
          `line ${lines.linePos(pos[0]).line}: not YAML: ${code.toLowerCase().replaceAll('_', ' ')}`,
      ),
    );
  try {
    return document.toJS() ?? {};
  } catch {
    throw new BadSettings(['not YAML: an alias is undefined, or expands to too much']);
  }
}

/** The line of a field, or of the nearest thing around it that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** Unanchored, a pattern would match other hosts that only contain one of ours. */
function isPattern(value: string): boolean {
  const isAnchored = value.startsWith('^') && /(?<!\\)(\\\\)*\$$/.test(value);
  return isAnchored && passes(() => new RegExp(value)) && !new RegExp(value).test('');
}
