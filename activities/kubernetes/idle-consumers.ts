import {
  type Consumer,
  distinctConsumers,
  type IdleHolder,
  type Readers,
} from '../../domain/cluster/index.ts';
import { type Fingerprint, tokenOf } from '../../domain/tokens/index.ts';
import { fingerprintOf, Secret, sha256 } from '../../config/secret.ts';
import type { CensusTaker, Told } from './census.ts';
import { isPairs, readingVariables, type Source } from './consumers.ts';
import { type PodContainer } from './pods.ts';
import { tokenShapedIn } from './scripts.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The answers of running containers in this look. The census may lose them to an earlier look,
 * which forgets containers that it does not list.
 */
export type Answers = ReadonlyMap<PodContainer, Told>;

/** Which of the pair's tokens a piece of a value is, by masked value. */
type MaskedOf = (piece: Omit<Fingerprint, 'masked'>) => string | undefined;

/**
 * Consumers of which nothing runs, and what may be one and cannot be asked. What an idle container
 * would hold is known where its last run told, or where a running container has the same source.
 */
export function idleConsumers(
  snapshot: Snapshot,
  census: CensusTaker,
  readers: Readers,
  answers: Answers,
): {
  idle: Consumer[];
  holders: IdleHolder[];
  unresolved: string[];
  lastRuns: string[];
  otherSecrets: string[];
  withoutToken: string[];
} {
  const idle: Consumer[] = [];
  const holders: IdleHolder[] = [];
  const unresolved: string[] = [];
  const lastRuns: string[] = [];
  const otherSecrets = new Set<string>();
  const maskedOf: MaskedOf = (piece) => tokenOf(piece, readers.holding)?.masked;
  const known = knownSources(answers, maskedOf);
  for (const { workload, spec, sources } of snapshot.idle) {
    const named = { workload, container: spec.name };
    idle.push(
      ...readers.also.filter((one) => one.workload === workload && one.container === spec.name),
    );
    const last = census.lastOf({ workload, spec, sources });
    const told = last && !('unable' in last) ? last : undefined;
    /** What neither a running container nor the spec tells. */
    const open: Source[] = [];
    const byName = new Set<string | undefined>([
      ...sources.map(({ variable }) => variable),
      ...readingVariables(sources, readers.secret),
    ]);
    for (const source of sources) {
      if (source.secret === readers.secret) continue;
      const { variable, secret, from } = source;
      const isOfOtherPair = secret !== undefined && readers.ofOtherPairs.includes(secret);
      const held =
        source.literal === undefined ? known.get(from) : heldLiterally(source.literal, maskedOf);
      if (!held && !isOfOtherPair && !isPairs(secret)) open.push(source);
      // What runs now tells what a source has; a last run, what it had.
      if (told && (source.literal !== undefined || !known.has(from))) {
        for (const piece of told.held) {
          const token = maskedOf(piece);
          const isOfIt =
            variable === undefined ? !byName.has(piece.variable) : variable === piece.variable;
          if (token === undefined || !isOfIt) continue;
          holders.push({ ...named, variable: piece.variable, token, from });
        }
        continue;
      }
      if (isOfOtherPair) continue;
      const consumer = { ...named, variable: variable ?? from };
      if (held) holders.push(...[...held].map((token) => ({ ...consumer, token, from })));
      else if (isPairs(secret)) {
        otherSecrets.add(secret);
        idle.push(consumer);
      }
    }
    if (open.length > 0)
      (told ? lastRuns : unresolved).push(
        `${spec.name} of ${workload} does not run with ${describeSources(open)}`,
      );
  }
  idle.push(...distinctConsumers(holders));
  const withoutToken = withoutTokenOf([...answers.keys()], known, readers.secret);
  return { idle, holders, unresolved, lastRuns, otherSecrets: [...otherSecrets], withoutToken };
}

function withoutTokenOf(
  containers: readonly PodContainer[],
  known: ReturnType<typeof knownSources>,
  own: string,
): string[] {
  const read = containers
    .flatMap(({ sources }) => sources)
    .filter(({ secret }) => secret !== own && isPairs(secret));
  const isEmpty = ({ variable, from }: Source): boolean =>
    variable !== undefined && known.get(from)?.size === 0;
  const others = new Set(read.filter((one) => !isEmpty(one)).map(({ secret }) => secret!));
  return [...new Set(read.map(({ secret }) => secret!))].filter((secret) => !others.has(secret));
}

/**
 * Which of the tokens a literal value has in it; undefined where it has none and is put together
 * from other variables.
 */
function heldLiterally(literal: string, maskedOf: MaskedOf): ReadonlySet<string> | undefined {
  const held = tokenShapedIn(literal).flatMap(
    (piece) => maskedOf(fingerprintOf(new Secret(piece))) ?? [],
  );
  return held.length === 0 && literal.includes('$(') ? undefined : new Set(held);
}

/** What has one value for all pods; a literal, or a field of the pod, is each pod's own. */
const IS_SHARED = /^(Secret|ConfigMap|all of) /;

/** Of each source that a running container has: which of the pair's tokens the value is. */
function knownSources(answers: Answers, maskedOf: MaskedOf): Map<string, ReadonlySet<string>> {
  const known = new Map<string, ReadonlySet<string>>();
  for (const [container, told] of answers) {
    if ('unable' in told) continue;
    const held = told.held.flatMap((piece) => {
      const token = maskedOf(piece);
      return token === undefined ? [] : { variable: piece.variable, token };
    });
    const { sources } = container;
    const byName = new Set(sources.map(({ variable }) => variable));
    for (const { variable, from } of sources) {
      if (!IS_SHARED.test(from)) continue;
      const tokens = held
        .filter((one) =>
          variable === undefined ? !byName.has(one.variable) : one.variable === variable,
        )
        .map(({ token }) => token);
      // An envFrom source is known only where a token came from it: other variables may override
      // its keys.
      if (tokens.length > 0 || variable !== undefined)
        known.set(from, new Set([...(known.get(from) ?? []), ...tokens]));
    }
  }
  return known;
}

function describeSources(sources: readonly Source[]): string {
  const names = [
    ...new Set(
      sources.map(({ variable, from }) =>
        variable === undefined ? from : `${variable} from ${from}`,
      ),
    ),
  ];
  const rest = names.slice(3);
  const more =
    rest.length > 0 ? ` and ${rest.length} more (${sha256(rest.join()).slice(0, 8)})` : '';
  return names.slice(0, 3).join(', ') + more;
}
