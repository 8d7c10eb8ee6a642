import ms from 'ms';
import { distinctConsumers, type Consumer, type Workload, workloadsOf } from '../cluster/index.ts';
import { isNamedAfter, parameterize } from '../text/index.ts';
import { recipientOf, specialCaseOf } from '../rotation/index.ts';
import type { Environment } from '../request/index.ts';
import type { Settings } from '../settings/index.ts';
import { firstToEndFirst, secretOf, type SignonPair } from '../sweep/index.ts';
import { isLive, newestFirst, outlives, startOfDay, type Day } from '../tokens/index.ts';

/** A container that reads a Secret of Signon's sync, by its workload's template or its pod. */
export interface Reading extends Consumer {
  secret: string;
}

/** All that reads Secrets of Signon's sync in the namespace. */
export interface Readings {
  variables: Reading[];
  /** Workloads that mount such a Secret as files. */
  files: { workload: Workload; secret: string }[];
}

/** What somebody should look at. */
export type OddityKind =
  | 'nobody reads it'
  | 'read as files'
  | 'variable does not match'
  | 'several tokens'
  | 'expired tokens'
  | 'suspended API user'
  | 'shared Secret';

/** One API user's tokens for one application, and who reads them. */
export interface InventoryRow {
  /** The API user's e-mail and name. */
  apiUser: string;
  name: string;
  suspended: boolean;
  /** Parameterized. */
  application: string;
  secret: string;
  /** Latest to end first. */
  tokens: { authorisationId: number; masked: string; expires: Day; live: boolean }[];
  /** The first day on which a live token ends; absent where none is live. */
  ends?: Day;
  /** The last day on which access ends; absent where no token is live. */
  accessEnds?: Day;
  /** A live token ends inside the window. */
  due: boolean;
  consumers: Consumer[];
  oddities: { kind: OddityKind; what: string }[];
  /** What is known of the pair and is nothing odd. */
  remarks: string[];
}

/** The estate at one moment, as nobody has rotated anything yet. */
export interface Inventory {
  environment: Environment;
  /** ISO. */
  takenAt: string;
  window: ms.StringValue;
  /** Those whose tokens end first come first. */
  rows: InventoryRow[];
  /** Secrets that containers read and that no listed pair is written to. */
  unknownSecrets: { secret: string; workloads: Workload[] }[];
}

/** Puts together what Signon lists and what the namespace reads. */
export function inventoryOf(
  pairs: readonly SignonPair[],
  readings: Readings,
  { environment, settings, now }: { environment: Environment; settings: Settings; now: number },
): Inventory {
  const sharing = countBy(pairs.map(secretOf));
  const rows = pairs.map((pair) => rowOf(pair, readings, { settings, now, sharing }));
  const unknown = [...readings.variables, ...readings.files].filter(
    ({ secret }) => !sharing.has(secret),
  );
  return {
    environment,
    takenAt: new Date(now).toISOString(),
    window: settings.window,
    rows: rows.toSorted(firstToEndFirst),
    unknownSecrets: [...new Set(unknown.map(({ secret }) => secret))].toSorted().map((secret) => ({
      secret,
      workloads: workloadsOf(unknown.filter((one) => one.secret === secret)),
    })),
  };
}

/** Whole days until a day begins in London: 0 on the day before, and on the day. */
export function daysUntil(day: Day, now: number): number {
  return Math.max(0, Math.floor((startOfDay(day) - now) / ms('1 day')));
}

/** What may be odd, and what to say of it where it is. */
type Odd = [OddityKind, string | false];

function rowOf(
  pair: SignonPair,
  { variables, files }: Readings,
  { settings, now, sharing }: { settings: Settings; now: number; sharing: Map<string, number> },
): InventoryRow {
  const { apiUser, application } = pair;
  const secret = secretOf(pair);
  const consumers = distinctConsumers(variables.filter((reading) => reading.secret === secret));
  const mountedBy = workloadsOf(files.filter((one) => one.secret === secret));
  const tokens = pair.tokens
    .map((token) => ({ ...token, live: isLive(token, now) }))
    .toSorted(newestFirst);
  const live = tokens.filter((token) => token.live);
  const ends = live.at(-1)?.expires;
  const recipient = recipientOf(settings, pair);
  const isMounted = mountedBy.length > 0;
  const isRead = consumers.length > 0 || isMounted;
  const expired = tokens.filter((token) => !token.live);
  const special = specialCaseOf({ apiUser }, settings);
  const isShared = sharing.get(secret)! > 1;
  const oddities: Odd[] = [
    ['nobody reads it', live.length > 0 && !isRead && !recipient && `no workload reads ${secret}`],
    ['read as files', isMounted && `${mountedBy.join(', ')}: what they hold cannot be proven`],
    ...misleading(consumers, application),
    ['several tokens', live.length > 1 && `${live.length} are live: ${live.map(named).join(', ')}`],
    ['expired tokens', expired.map(named).join(', ')],
    ['suspended API user', apiUser.suspended && 'the sync skips it'],
    ['shared Secret', isShared && `another pair’s token is written to ${secret} too`],
  ];
  return {
    apiUser: apiUser.email,
    name: apiUser.name,
    suspended: apiUser.suspended,
    application: parameterize(application),
    secret,
    tokens,
    ...(ends !== undefined && { ends, accessEnds: live[0]!.expires }),
    due: ends !== undefined && !outlives({ expires: ends }, now, settings.window),
    consumers,
    oddities: oddities.flatMap(([kind, what]) => (what ? [{ kind, what }] : [])),
    remarks: [
      ...(recipient ? [`${recipient.name} holds it outside the cluster, as the settings say`] : []),
      ...(special ? [`${special.outcome}: ${special.why}`] : []),
    ],
  };
}

/** Variables that are named after another application, and who reads them. */
function misleading(consumers: readonly Consumer[], application: string): Odd[] {
  const variables = consumers
    .map(({ variable }) => variable)
    .filter((variable) => !isNamedAfter(variable, application));
  return [...new Set(variables)].map((variable) => {
    const readers = workloadsOf(consumers.filter((one) => one.variable === variable));
    return ['variable does not match', `${variable} in ${readers.join(', ')}`];
  });
}

function named({ authorisationId, expires }: InventoryRow['tokens'][number]): string {
  return `authorisation ${authorisationId}, until ${expires}`;
}

export function countBy<Name>(names: readonly Name[]): Map<Name, number> {
  const counts = new Map<Name, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
