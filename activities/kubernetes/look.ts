import { setTimeout as after } from 'node:timers/promises';
import {
  describeContainer,
  distinctConsumers,
  type Census,
  type ClusterLook,
  type ConsumingContainer,
  type Readers,
  workloadsOf,
} from '../../domain/cluster/index.ts';
import { tokenOf } from '../../domain/tokens/index.ts';
import { failure } from '../failure.ts';
import { sha256 } from '../../config/secret.ts';
import { type CensusTaker, type ExecAnswer, KILLED, type Told } from './census.ts';
import type { KubernetesClient } from './client.ts';
import { fateOf } from './fate.ts';
import { filesOf, readersIn, readingVariables, type Source } from './consumers.ts';
import { type PodContainer } from './pods.ts';
import { type Answers, idleConsumers } from './idle-consumers.ts';
import type { Snapshot } from './snapshot.ts';

const LOOKS_AT_MOST = 3;
const LOOKS_AGAIN_AFTER_MS = 500;
/** A container's status follows a second or two after it was started again. */
const STATUS_FOLLOWS_MS = 3000;
/** Sentences of one kind: named up to this, counted beyond. */
const NAMED_AT_MOST = 100;
const LONGEST_SENTENCE = 400;

/**
 * Everything that holds one of the pair's tokens or reads its Secret, by value: each running
 * container of the namespace that may hold a token has told what it holds. One that gave no answer
 * is looked for and asked again; only a list says that a container ended.
 * @param since a list begun since this moment of `performance.now()` will do; now where absent
 * @throws ExecIncomplete (retried) where a container that reads the pair's Secret gave no answer;
 * ContainerEnded (not retried) where one died of being asked
 */
export async function look(
  cluster: Pick<KubernetesClient, 'snapshot'>,
  census: CensusTaker,
  readers: Readers,
  since?: number,
  pause: (ms: number) => Promise<unknown> = after,
): Promise<ClusterLook> {
  /** Ids of containers in which the program was killed: none is asked again. */
  const killed = new Set<string>();
  const refuseIfDead = async (container: PodContainer): Promise<void> => {
    killed.add(container.containerId);
    // It was near its memory limit.
    if ((await fateOf(cluster, container, pause)) === 'died')
      throw failure(
        'ContainerEnded',
        `${describeContainer(container)} was killed (137) while a small shell program asked what it holds`,
      );
  };
  for (let tries = 1; ; tries++) {
    const snapshot = await cluster.snapshot(tries === 1 ? since : undefined);
    const isReader = (container: PodContainer): boolean => toHave(container, readers).length > 0;
    /** A list that came so long after its answer shows that it was not started again meanwhile. */
    const isSure = (container: PodContainer): boolean =>
      census.hadTold(container, Date.parse(snapshot.at) - STATUS_FOLLOWS_MS);
    const news = snapshot.containers.filter((one) => isReader(one) && !isSure(one));
    const { told, silent } = await askAll(snapshot, async (container) => {
      if (killed.has(container.containerId)) return KILLED;
      const answer = await census.ask(container, isReader(container));
      if (answer === KILLED) await refuseIfDead(container);
      return answer;
    });
    // Those that cannot be asked are measured by when others, which hold the token, started.
    const isMute = ([, answer]: [PodContainer, Told]): boolean => 'unable' in answer;
    const mute = [...told].filter(isMute).map(([one]) => one);
    const asked = news.filter((one) => told.has(one) && !mute.includes(one));
    if (asked.length > 0 && mute.some(isReader)) {
      await pause(STATUS_FOLLOWS_MS);
      const { containers } = await cluster.snapshot();
      const there = new Set(containers.map(({ containerId }) => containerId));
      for (const one of asked.filter(({ containerId }) => !there.has(containerId))) {
        told.delete(one);
        silent.set(one, 'it ended, or was started again, while it was asked');
      }
    }
    if (silent.size === 0 || tries >= LOOKS_AT_MOST) {
      const readerIsSilent = [...silent].filter(([container]) => isReader(container));
      if (readerIsSilent.length > 0)
        throw failure(
          'ExecIncomplete',
          readerIsSilent
            .map(([one, why]) => `${describeContainer(one)} was not asked: ${why}`)
            .join('; '),
        );
      census.keepOnly(snapshot.containers);
      return assembled(snapshot, census, readers, told);
    }
    await pause(LOOKS_AGAIN_AFTER_MS * tries);
  }
}

/** Asks each running container that may hold a token. `silent` gave no answer: why not. */
async function askAll(
  snapshot: Snapshot,
  ask: (container: PodContainer) => Promise<ExecAnswer>,
): Promise<{ told: Map<PodContainer, Told>; silent: Map<PodContainer, string> }> {
  const told = new Map<PodContainer, Told>();
  const silent = new Map<PodContainer, string>();
  await Promise.all(
    snapshot.containers.map(async (container) => {
      if (container.state !== 'running' || container.sources.length === 0) return;
      const answer = await ask(container);
      if ('failed' in answer) silent.set(container, answer.failed);
      else told.set(container, answer);
    }),
  );
  return { told, silent };
}

function assembled(
  snapshot: Snapshot,
  census: CensusTaker,
  readers: Readers,
  answers: Answers,
): ClusterLook {
  const seen: ConsumingContainer[] = [];
  const mute: ConsumingContainer[] = [];
  const starting: string[] = [];
  const unasked: string[] = [];
  const environments = new Map<string, string>();
  let asked = 0;
  for (const container of snapshot.containers) {
    if (container.sources.length === 0) continue;
    if (container.state === 'starting') {
      const awaited = toHave(container, readers);
      seen.push(...awaited);
      if (awaited.length === 0 && !container.terminating)
        starting.push(describeContainer(container));
      continue;
    }
    const told = answers.get(container);
    if (!told || 'unable' in told) {
      const unable = told?.unable ?? 'gave no answer';
      const mutes = toHave(container, readers).map((row) => ({ ...row, unable }));
      mute.push(...mutes);
      const reads = mutes.length > 0 ? ', which is to have the token,' : '';
      // The same sentence each time, whatever kept it from answering: people accept what it says.
      unasked.push(`${describeContainer(container)}${reads} ${unable}`);
      continue;
    }
    asked++;
    if (told.environment !== '') environments.set(told.environment, describeContainer(container));
    seen.push(...holding(container, told, readers));
  }
  const { idle, holders, unresolved, lastRuns, otherSecrets, withoutToken } = idleConsumers(
    snapshot,
    census,
    readers,
    answers,
  );
  const mounting = snapshot.specs.map(({ workload, spec }) => ({
    workload,
    files: filesOf(spec).filter((secret) => !readers.ofOtherPairs.includes(secret)),
  }));
  return {
    at: snapshot.at,
    consumers: distinctConsumers([
      ...snapshot.templates.flatMap((template) => readersIn(template, readers.secret)),
      ...seen,
      ...mute,
      ...idle,
      ...(readers.passing ?? []),
    ]),
    containers: seen,
    mute,
    idleHolders: holders,
    mountedBy: workloadsOf(mounting.filter(({ files }) => files.length > 0)),
    census: {
      asked,
      environments: [...environments]
        .map(([value, seenIn]) => ({ value, seenIn }))
        .slice(0, NAMED_AT_MOST),
      starting: bounded(starting),
      unasked: bounded([...unasked, ...unresolved]),
      lastRuns: bounded(lastRuns),
      otherSecrets: [
        ...new Set([
          ...otherSecrets,
          ...mounting.flatMap(({ files }) => files).filter((secret) => secret !== readers.secret),
        ]),
      ].slice(0, NAMED_AT_MOST), // those beyond count as no pair's
      withoutToken: withoutToken.slice(0, NAMED_AT_MOST),
    } satisfies Census,
  };
}

/** What a container is to have by its spec, or since its workload held a token before. */
function toHave(container: PodContainer, { secret, also }: Readers): ConsumingContainer[] {
  const told = also.filter(
    (one) => one.workload === container.workload && one.container === container.container,
  );
  const variables = new Set([
    ...readingVariables(container.sources, secret),
    ...told.map(({ variable }) => variable),
  ]);
  return [...variables].map((variable) => rowOf(container, variable));
}

/**
 * The variables through which a running container holds one of the pair's tokens, or reads its
 * Secret.
 */
function holding(
  container: PodContainer,
  told: Exclude<Told, { unable: string }>,
  { secret, holding: tokens }: Readers,
): ConsumingContainer[] {
  const reading = readingVariables(container.sources, secret);
  const found = told.held.flatMap((piece) => {
    const token = tokenOf(piece, tokens);
    return token ? { variable: piece.variable, token: token.masked } : [];
  });
  const others = reading.filter((variable) => !found.some((one) => one.variable === variable));
  const distinct = new Map(found.map((one) => [`${one.variable} ${one.token}`, one]));
  return [...distinct.values(), ...others.map((variable) => ({ variable, token: undefined }))].map(
    ({ variable, token }) => ({
      ...rowOf(container, variable),
      token,
      ...(!told.held.some((piece) => piece.variable === variable) && { isEmpty: true as const }),
      ...(!reading.includes(variable) && { from: originOf(variable, container.sources) }),
      environment: told.environment,
    }),
  );
}

function rowOf(
  { workload, container, pod, state, startedAt, ready, terminating, why }: PodContainer,
  variable: string,
): ConsumingContainer {
  return { workload, container, variable, pod, state, startedAt, ready, terminating, why };
}

/** Where a variable's value comes from, as far as the spec tells. */
function originOf(variable: string, sources: readonly Source[]): string {
  const named = sources.findLast((source) => source.variable === variable);
  const whole = sources.filter((source) => source.variable === undefined).map(({ from }) => from);
  return named?.from ?? (whole.length > 0 ? whole.join(' or ') : 'its image or its start');
}

/** Cuts a list; its last line tells apart lists that differ in what is cut. */
function bounded(lines: string[]): string[] {
  const short = lines.map((line) =>
    line.length > LONGEST_SENTENCE ? `${line.slice(0, LONGEST_SENTENCE)}…` : line,
  );
  const rest = short.slice(NAMED_AT_MOST);
  const more =
    rest.length > 0 ? [`and ${rest.length} more (${sha256(rest.join()).slice(0, 8)})`] : [];
  return [...short.slice(0, NAMED_AT_MOST), ...more];
}
