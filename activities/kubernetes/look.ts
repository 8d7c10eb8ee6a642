import pLimit from 'p-limit';
import {
  describeConsumer,
  describeContainer,
  distinctConsumers,
  sameConsumer,
  type ClusterLook,
  type Consumer,
  type ConsumingContainer,
  type Digests,
  type Readers,
} from '../../domain/cluster.ts';
import { sameToken } from '../../domain/tokens.ts';
import { failure } from '../failure.ts';
import type { KubernetesClient } from './client.ts';
import { consumersOf, inPod, isAlive, mounts, tokenVariablesOf, wholeSecretsOf, type Template } from './consumers.ts';
import { digestWithRuby, digestWithShell } from './scripts.ts';

interface Held {
  digests: Digests;
  environment: string;
}
/** What a question to a container came to. */
type Answered = Held | 'gone' | { unable: string };

const LOOKS_AT_MOST = 3;
/** Containers that are asked at the same time. */
const ASKED_AT_ONCE = 8;
/** Containers that could not be asked, of a search: named up to this, counted beyond. */
const NAMED_AT_MOST = 200;
/** Env is resolved once, when a container starts: what one holds never changes, so each is asked once. */
export type Asked = Map<string, Exclude<Answered, 'gone'>>;

/** What was found, and nobody asked yet; `others` have tokens of some pair, whose is not known. */
interface Found extends ClusterLook {
  others: ConsumingContainer[];
  /** Of a search: what may have such a token by its template and cannot be asked, a sentence each. */
  unaskable: string[];
}

/**
 * Everything that reads the token, by specification and by status; nobody is asked what it holds.
 * @param since a list begun since this moment of `performance.now()` will do; now where absent
 */
export async function findReaders(cluster: KubernetesClient, readers: Readers, since?: number): Promise<Found> {
  const snapshot = await cluster.snapshot(since);
  const { templates, pods: owned } = snapshot.of(readers);
  const containers = owned.flatMap((template) => inPod(template.pod, consumersOf(template, readers)));
  const alive = containers.filter(({ state }) => state !== 'ended');
  const consumers = distinctConsumers([...templates.flatMap((template) => consumersOf(template, readers)), ...alive]);
  const mounting = [...templates, ...owned.filter(({ pod }) => isAlive(pod))].filter(({ spec }) =>
    mounts(spec, readers.secret),
  );
  const others = readers.holding
    ? snapshot.holders(readers.asking).flatMap(({ pod, variables }) =>
        inPod(
          pod,
          variables.filter((one) => !consumers.some((known) => sameConsumer(known, one))),
        ),
      )
    : [];
  const othersAlive = others.filter(({ state }) => state !== 'ended');
  return {
    at: snapshot.at,
    consumers,
    containers,
    mountedBy: [...new Set(mounting.map(({ workload }) => workload))],
    others: othersAlive,
    unaskable:
      readers.holding && readers.asking !== 'copies'
        ? [
            ...idleHolders(snapshot.templates, [...consumers, ...othersAlive]),
            ...wholeSecrets([...snapshot.templates, ...snapshot.pods.filter(({ pod }) => isAlive(pod))], readers),
          ]
        : [],
  };
}

/**
 * Finds all readers and asks each running container what it holds. One that gave no answer because it is gone is looked for again:
 * only a list says that a container ended; its silence never does.
 */
export async function look(
  cluster: KubernetesClient,
  readers: Readers,
  asked: Asked,
  since?: number,
): Promise<ClusterLook> {
  for (let tries = 1; ; tries++) {
    const { others, unaskable, ...found } = await findReaders(cluster, readers, tries === 1 ? since : undefined);
    const running = [...found.containers, ...others].filter(({ state }) => state === 'running');
    let failed = false;
    await pLimit(ASKED_AT_ONCE).map(running, async (container) => {
      if (failed || asked.has(keyOf(container))) return; // after a failure, nobody waits for the others
      const answer = await ask(cluster, container).catch((error: unknown) => {
        failed = true;
        throw error;
      });
      if (answer !== 'gone') asked.set(keyOf(container), answer);
    });
    const silent = running.filter((container) => !asked.has(keyOf(container)));
    if (silent.length === 0)
      return { ...withAnswers(readers, found, asked), ...searched(readers, found, { others, unaskable }, asked) };
    if (tries === LOOKS_AT_MOST)
      throw failure(
        'ExecIncomplete',
        `${silent.map(describeContainer).join(', ')}: listed as running, but gave no answer`,
      );
  }
}

/**
 * The readers with what each running container holds: each of them has to say. Of one that somebody named, nothing is told but whether it
 * holds one of the tokens: its variable may be any secret.
 */
function withAnswers({ also, holding }: Readers, found: ClusterLook, asked: Asked): ClusterLook {
  const containers = found.containers.map((container) => {
    if (container.state !== 'running') return container;
    const answer = asked.get(keyOf(container))!;
    if ('unable' in answer)
      throw failure(
        'ExecIncomplete',
        `${describeContainer(container)} could not tell what it holds (${answer.unable})`,
      );
    const isForeign =
      holding?.some((token) => sameToken(token, answer.digests)) === false &&
      also.some((one) => sameConsumer(one, container));
    return { ...container, ...answer, ...(isForeign && { digests: undefined }) };
  });
  return { ...found, containers };
}

/** Those of the others that hold one of the tokens are consumers too; those that could not be asked are named. */
function searched(
  readers: Readers,
  found: ClusterLook,
  { others, unaskable }: Pick<Found, 'others' | 'unaskable'>,
  asked: Asked,
): Partial<ClusterLook> {
  const { holding, asking } = readers;
  if (!holding || (asking === 'copies' && others.length === 0)) return {};
  const known = withAnswers(readers, found, asked);
  const answered = others.flatMap((container): (ConsumingContainer & Held)[] => {
    const answer = container.state === 'running' ? asked.get(keyOf(container)) : undefined;
    return answer && !('unable' in answer) ? [{ ...container, ...answer }] : [];
  });
  const hits = answered.filter(({ digests }) => holding.some((token) => sameToken(token, digests)));
  const unable = others.filter((container) => {
    const answer = container.state === 'running' ? asked.get(keyOf(container)) : undefined;
    return answer !== undefined && 'unable' in answer;
  });
  const named = (containers: ConsumingContainer[]): string[] => [...new Set(containers.map(describeContainer))];
  return {
    consumers: distinctConsumers([...known.consumers, ...hits]),
    containers: [
      ...known.containers,
      ...answered.filter((container) => hits.some((hit) => sameConsumer(hit, container))),
    ],
    searched: {
      asked: new Set(answered.map(({ containerId }) => containerId)).size,
      environments: [...new Map(answered.map((one) => [one.environment, describeContainer(one)]))]
        .map(([value, seenIn]) => ({ value, seenIn }))
        .filter(({ value }) => value !== '') // says nothing of itself
        .slice(0, NAMED_AT_MOST),
      starting: bounded(named(others.filter(({ state }) => state === 'starting'))),
      unasked: bounded([...named(unable).map((who) => `${who} could not be asked`), ...unaskable]),
      ...(asking === 'copies' && { copies: true as const }),
    },
  };
}

/**
 * Workloads of which nothing runs and that have such a token from elsewhere than a pair's Secret: nobody can ask what it is. One that
 * reads another pair's Secret holds that pair's token.
 */
function idleHolders(templates: readonly Template[], running: readonly Consumer[]): string[] {
  return templates
    .flatMap((template) => tokenVariablesOf(template))
    .filter((one) => !one.fromPair && !running.some((known) => sameConsumer(known, one)))
    .map((one) => `${describeConsumer(one)} does not run`);
}

/** Containers that take all variables from a Secret of no pair: what those are called, and so what to ask for, cannot be told from here. */
function wholeSecrets(templates: readonly Template[], { secret }: Readers): string[] {
  const sentences = templates
    .flatMap((template) => wholeSecretsOf(template))
    .filter((one) => one.from !== secret)
    .map(({ workload, container, from }) => `${container} of ${workload} has all of the Secret ${from} as variables`);
  return [...new Set(sentences)];
}

function bounded(lines: string[]): string[] {
  const more = lines.length - NAMED_AT_MOST;
  return [...lines.slice(0, NAMED_AT_MOST), ...(more > 0 ? [`and ${more} more`] : [])];
}

function keyOf({ containerId, variable }: Pick<ConsumingContainer, 'containerId' | 'variable'>): string {
  return `${containerId}/${variable}`;
}

/** Asks a running container what it holds: with Ruby, and with a shell where there is none. @throws ExecIncomplete, NotPermitted */
export async function ask(cluster: KubernetesClient, container: ConsumingContainer): Promise<Answered> {
  const withRuby = await cluster.exec(container, digestWithRuby([container.variable]));
  const answer =
    withRuby.kind === 'no-such-program'
      ? await cluster.exec(container, digestWithShell([container.variable]))
      : withRuby;
  // Killed: the container under it, or only the program for want of memory. A list tells which.
  if (answer.kind === 'gone' || (answer.kind === 'exited' && answer.code === 137)) return 'gone';
  if (answer.kind !== 'answered') return { unable: answer.kind === 'exited' ? `exited ${answer.code}` : answer.kind };
  const digest = /^(\S+) ([0-9a-f]{64}) ([0-9a-f]{64})$/.exec(answer.lines[0] ?? '');
  const environment = /^environment ([\w-]{0,40})$/.exec(answer.lines[1] ?? '');
  if (!digest || digest[1] !== container.variable || !environment) return { unable: 'answered' };
  return { digests: { sha256: digest[2]!, maskedSha256: digest[3]! }, environment: environment[1]! };
}
