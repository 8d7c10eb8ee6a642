import type { Consumer, Readers } from '../../domain/cluster/index.ts';
import { tokenOf } from '../../domain/tokens/index.ts';
import { fingerprintOf, Secret, sha256 } from '../../config/secret.ts';
import type { CensusTaker, HeldPiece, Told } from './census.ts';
import { isPairs, type PodContainer, type Source } from './consumers.ts';
import { tokenShapedIn } from './scripts.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The answers of running containers in this look. The census may lose them to an earlier look,
 * which forgets containers that it does not list.
 */
export type Answers = ReadonlyMap<PodContainer, Told>;

/**
 * Consumers of which nothing runs, and what may be one and cannot be asked. What an idle container
 * would hold is known where its last run told, or where a running container has the same source.
 */
export function idleConsumers(
  snapshot: Snapshot,
  census: CensusTaker,
  readers: Readers,
  answers: Answers,
): { idle: Consumer[]; unresolved: string[]; otherSecrets: string[] } {
  const idle: Consumer[] = [];
  const unresolved: string[] = [];
  const otherSecrets = new Set<string>();
  const isToken = (piece: HeldPiece): boolean => tokenOf(piece, readers.holding) !== undefined;
  let known: ReturnType<typeof knownSources> | undefined;
  for (const { workload, spec, sources } of snapshot.idle) {
    const named = { workload, container: spec.name };
    idle.push(
      ...readers.also.filter((one) => one.workload === workload && one.container === spec.name),
    );
    const last = census.lastOf({ workload, spec });
    const told = last && !('unable' in last) ? last : undefined;
    const open: Source[] = [];
    for (const source of sources) {
      if (source.secret === readers.secret) continue;
      const { variable, secret, from } = source;
      if (told) {
        const held = told.held.filter(
          (piece) => isToken(piece) && (variable === undefined || piece.variable === variable),
        );
        idle.push(...held.map((piece) => ({ ...named, variable: piece.variable })));
        continue;
      }
      if (secret !== undefined && readers.ofOtherPairs.includes(secret)) continue;
      known ??= knownSources(snapshot, answers, isToken);
      const holds =
        source.literal === undefined ? known.get(from) : heldLiterally(source.literal, isToken);
      const consumer = { ...named, variable: variable ?? from };
      if (holds === true) idle.push(consumer);
      else if (holds === undefined && isPairs(secret)) {
        otherSecrets.add(secret);
        idle.push(consumer);
      } else if (holds === undefined) open.push(source);
    }
    if (open.length > 0)
      unresolved.push(`${spec.name} of ${workload} does not run, and has ${describeSources(open)}`);
  }
  return { idle, unresolved, otherSecrets: [...otherSecrets] };
}

/**
 * Whether a literal value has one of the tokens in it; undefined where it is put together from
 * other variables.
 */
function heldLiterally(
  literal: string,
  isToken: (piece: HeldPiece) => boolean,
): boolean | undefined {
  const holds = tokenShapedIn(literal).some((piece) =>
    isToken({ variable: '', ...fingerprintOf(new Secret(piece)), sha256: sha256(piece) }),
  );
  return holds || (literal.includes('$(') ? undefined : false);
}

/** Of each source that a running container has: whether the value is one of the pair's tokens. */
function knownSources(
  snapshot: Snapshot,
  answers: Answers,
  isToken: (piece: HeldPiece) => boolean,
): Map<string, boolean> {
  const known = new Map<string, boolean>();
  for (const [container, told] of answers) {
    if ('unable' in told) continue;
    const held = new Set(told.held.filter(isToken).map(({ variable }) => variable));
    const sources = snapshot.sourcesOf(container);
    const byName = new Set(sources.map(({ variable }) => variable));
    for (const { variable, from, literal } of sources) {
      if (literal !== undefined) continue; // another's literal is another value
      const holds =
        variable === undefined ? [...held].some((one) => !byName.has(one)) : held.has(variable);
      // An envFrom source is known only where a token came from it: other variables may override
      // its keys.
      if (holds || variable !== undefined) known.set(from, holds || known.get(from) === true);
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
  const more = names.length - 3;
  return names.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
